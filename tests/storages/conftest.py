"""The kit, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storages.kit import Kit, new_kit
from wizard.demo import embedded


@pytest.fixture
def kit(tmp_path: Path, s3_server: embedded.S3, bucket: str) -> Iterator[Kit]:
    made = new_kit(tmp_path, s3_server, bucket)
    yield made
    made.journal.close()
