"""Small files in the app's own database, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.storages import rest_kit
from tests.storages.kit import failure
from wizard import answers_file
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.storages import kind, open_store
from wizard.storages.rest_store import RestStore
from wizard.storages.table_remote import LARGEST

RULE = StorageRule("database", options={"url": "env:URL"})


@pytest.fixture
def table(database_url: Secret) -> tuple[RestStore, Callable[[], dict[str, bytes]]]:
    """The store, and what its table holds."""
    store = open_store(RULE, lambda ref: database_url)
    assert isinstance(store, RestStore)
    store.ensure(False)

    def held() -> dict[str, bytes]:
        with psycopg.connect(database_url.reveal()) as connection:
            return dict(connection.execute("SELECT path, data FROM stored_file").fetchall())

    return store, held


Table = tuple[RestStore, Callable[[], dict[str, bytes]]]


def test_what_stands_there_is_never_overwritten(table: Table, tmp_path: Path) -> None:
    store, held = table
    rest_kit.check_live_test(store, held, told=False)
    rest_kit.check_never_overwritten(store, held, tmp_path)
    store.delete("k.txt")
    rest_kit.check_canary_of_others(store, held)


def test_a_test_before_the_run_leaves_no_table(database_url: Secret) -> None:
    store = open_store(RULE, lambda ref: database_url)
    assert [check.ok for check in store.check()] == [True]
    with psycopg.connect(database_url.reveal()) as connection:
        assert connection.execute("SELECT to_regclass('stored_file')").fetchone() == (None,)
    assert store.ensure(False) and len(store.check()) > 1


def test_every_byte_and_the_servers_own_checksum_come_back(table: Table, tmp_path: Path) -> None:
    store, held = table
    data = bytes(range(256)) * 12_000  # more than one piece
    files = [
        rest_kit.upload(tmp_path / "1", data, "logos/ü b.png", "image/png"),
        rest_kit.upload(tmp_path / "2", b"", "empty", "text/plain"),
    ]
    assert {o.status for o in rest_kit.send(store, files).values()} == {"sent"}
    for file in files:
        stored = store.head(file.key)
        assert stored is not None
        assert (stored.size, stored.content_type, stored.sha256) == (
            file.size,
            file.content_type,
            file.sha256,
        )
        assert b"".join(store.read(file.key)) == file.path.read_bytes()
    assert held() == {"logos/ü b.png": data, "empty": b""}
    assert store.head("absent") is None and b"".join(store.read("absent")) == b""


def test_a_checksum_counts_only_when_computed_over_the_bytes(
    table: Table, database_url: Secret, tmp_path: Path
) -> None:
    store, _ = table
    file = rest_kit.upload(tmp_path / "1", b"what was sent", "k")
    rest_kit.send(store, [file])
    with psycopg.connect(database_url.reveal()) as connection:
        connection.execute("UPDATE stored_file SET data = 'what was sens'::bytea")
    stored = store.head("k")
    assert stored is not None and stored.sha256 != file.sha256
    assert rest_kit.send(store, [file])["k"].status == "conflict"


def test_a_lost_session_is_opened_again(table: Table, database_url: Secret, tmp_path: Path) -> None:
    store, held = table
    rest_kit.send(store, [rest_kit.upload(tmp_path / "1", b"1", "1")])
    with psycopg.connect(database_url.reveal(), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'ashore:files'"
        )
    assert rest_kit.send(store, [rest_kit.upload(tmp_path / "2", b"2", "2")])["2"].status == "sent"
    assert held() == {"1": b"1", "2": b"2"}


def test_a_table_of_the_app_and_a_large_file_are_refused(
    database_url: Secret, new_database: Callable[[], Secret], tmp_path: Path
) -> None:
    with psycopg.connect(database_url.reveal()) as connection:
        connection.execute("CREATE TABLE stored_file (id int)")
    theirs = open_store(RULE, lambda ref: database_url)
    assert failure(lambda: theirs.ensure(False)).code == "table-taken"
    url = new_database()
    store = open_store(RULE, lambda ref: url)
    assert isinstance(store, RestStore)
    store.ensure(False)
    big = rest_kit.upload(tmp_path / "big", b"x" * (LARGEST + 1), "big")
    assert failure(lambda: rest_kit.send(store, [big])).code == "file-too-large"
    assert store.head("big") is None


def test_the_rule_takes_the_database_of_the_answers(tmp_path: Path) -> None:
    rules = [{"provider": "database", "match": "logos/**", "max_size": "1MB"}]
    data = {"version": 1, "database": {"url": "env:DB"}, "storage": rules}
    answers = answers_file.from_mapping(data, tmp_path)
    need = kind("database").need(answers.storage[0])
    assert answers.storage[0].options == {"url": "env:DB"} and need.variable("url") == "DATABASE_URL"
    assert "env:DB" in answers_file.references(answers)
    own = answers_file.from_mapping({**data, "storage": [{**rules[0], "url": "env:OTHER"}]}, tmp_path)
    assert own.storage[0].options == {"url": "env:OTHER"}
    for bad in (
        replace(RULE, options={}),
        replace(RULE, access="public"),
        replace(RULE, cors=("https://a.example",)),
        replace(RULE, prefix="no-slash"),
    ):
        with pytest.raises(UsageError, match="storage"):
            kind("database").address(bad)
