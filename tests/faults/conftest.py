"""The small app, in a world of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import bare
from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import embedded


@pytest.fixture
def small(
    tmp_path: Path, new_database: Callable[[], Secret], s3_server: embedded.S3, worker_id: str
) -> worlds.World:
    name = f"small-{worker_id}-{abs(hash(tmp_path)) % 10**9}"
    return bare.make(tmp_path / "world", new_database(), s3_server, name)
