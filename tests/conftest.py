"""Real servers for the tests: one PostgreSQL and one S3 a worker, a fresh database or bucket a test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests import mongo_server
from wizard.credentials import Secret
from wizard.demo import embedded

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[embedded.Postgres]:
    with embedded.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[embedded.S3]:
    with embedded.s3() as server:
        yield server


@pytest.fixture
def new_database(postgres_server: embedded.Postgres) -> Callable[[], Secret]:
    """Makes an empty database, owned by a role of its own that is no superuser; returns its URL."""
    return lambda: postgres_server.database(f"t{next(_numbers)}")


@pytest.fixture
def database_url(new_database: Callable[[], Secret]) -> Secret:
    return new_database()


@pytest.fixture
def bucket(s3_server: embedded.S3) -> str:
    """An empty bucket on `s3_server`."""
    name = f"bucket-{next(_numbers)}"
    s3_server.create_bucket(name)
    return name


@pytest.fixture(scope="session")
def mongo_address(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """A MongoDB server of this worker's own; skips where it cannot be built."""
    if reason := mongo_server.missing():
        pytest.skip(reason)
    assert request.config.cache is not None
    program = mongo_server.build(request.config.cache.mkdir("mongo-server"))
    with mongo_server.running(program, tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture
def new_mongo(mongo_address: str) -> Callable[[], Secret]:
    """Names an empty MongoDB database; returns its URL."""
    return lambda: Secret(f"{mongo_address}t{next(_numbers)}")


@pytest.fixture
def mongo_url(new_mongo: Callable[[], Secret]) -> Secret:
    return new_mongo()
