"""A small Django app to migrate, and a world of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import app_writer, embedded

SCALE = 0.02
_numbers = itertools.count()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's app, small, never migrated itself."""
    path = tmp_path_factory.mktemp("template") / "app"
    app_writer.prepare(path, SCALE)
    return path


@pytest.fixture
def here(
    tmp_path: Path,
    template: Path,
    new_database: Callable[[], Secret],
    s3_server: embedded.S3,
    worker_id: str,
) -> Iterator[worlds.World]:
    """A copy of the app, an empty database and an empty bucket."""
    with ExitStack() as stack:
        bucket = f"job-{worker_id}-{next(_numbers)}"
        yield stack.enter_context(
            worlds.world(tmp_path / "world", template, new_database(), s3_server, bucket)
        )
