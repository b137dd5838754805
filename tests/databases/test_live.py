"""The live test of a connection string: what a person is told before a run is begun, on real servers."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from wizard import api
from wizard.credentials import Secret
from wizard.demo import embedded


def _bad(checks: tuple[api.Check, ...]) -> dict[str, str]:
    return {check.what: check.said for check in checks if not check.ok}


def test_a_filled_postgresql_is_a_good_source_and_a_bad_target(database_url: Secret) -> None:
    with psycopg.connect(database_url.reveal(), autocommit=True) as connection:
        connection.execute("CREATE TABLE bolt (id integer PRIMARY KEY)")
    source = api.test_source(database_url)
    assert _bad(source) == {}
    assert "1 table" in [check.said for check in source]
    assert list(_bad(api.test_database(database_url))) == ["tables there now"]


def test_a_table_that_the_role_may_not_read_is_named(
    new_database: Callable[[], Secret], postgres_server: embedded.Postgres
) -> None:
    url = new_database()
    name = url.reveal().rpartition("/")[2]
    admin = postgres_server.admin.reveal().rpartition("/")[0]
    with psycopg.connect(f"{admin}/{name}", autocommit=True) as connection:
        connection.execute("CREATE TABLE hidden (id integer)")
    assert _bad(api.test_source(url)) == {"read its tables": "no right to read hidden"}


def test_a_mongodb_is_tried_as_one(new_mongo: Callable[[], Secret]) -> None:
    import pymongo

    empty, filled = new_mongo(), new_mongo()
    with pymongo.MongoClient[dict[str, object]](filled.reveal()) as client:
        client.get_default_database()["tours"].insert_one({"a": 1})
    for url in (empty, filled):
        assert _bad(api.test_source(url)) == {}
    assert _bad(api.test_database(empty)) == {}
    with pymongo.MongoClient[dict[str, object]](empty.reveal()) as client:
        assert client.get_default_database().list_collection_names() == []
    assert _bad(api.test_database(filled)) == {"collections there now": "tours"}


def test_a_server_that_does_not_answer_is_a_line_and_not_an_error() -> None:
    checks = api.test_source(Secret("postgresql://u:p@127.0.0.1:1/x"))
    assert [check.ok for check in checks] == [False] and checks[0].hint
