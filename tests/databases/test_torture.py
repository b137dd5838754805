"""Every feature of SQLite comes out as written beside it in the torture database, or is named as left."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.databases import torture
from tests.databases.conftest import Migration
from tests.databases.feature import Feature
from tests.databases.torture import FEATURES
from wizard.context import Cancel
from wizard.databases import derive_judge
from wizard.databases.sqlite import preflight
from wizard.databases.sqlite.schema import open_readonly, read_schema


@pytest.fixture
def target(tortured: Migration) -> Iterator[psycopg.Connection]:
    assert tortured.exit_code == 0, tortured.said
    with psycopg.connect(tortured.url.reveal(), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_feature(target: psycopg.Connection, tortured: Migration, feature: Feature) -> None:
    for table, rows in feature.rows.items():
        found = target.execute(f"SELECT * FROM {quoted(table)}".replace("%", "%%").encode()).fetchall()
        assert sorted(found, key=repr) == sorted(rows, key=repr), table
    for column, type_ in feature.types.items():
        name = target.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attname = %s",
            (quoted(column.partition(".")[0]), column.partition(".")[2]),
        ).fetchone()
        assert name == (type_,), column
    for index, part in feature.indexes.items():
        definition = target.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = %s", (index,)
        ).fetchone()
        assert definition is not None and part in definition[0], definition
    for statement in feature.refused:
        with pytest.raises((psycopg.IntegrityError, psycopg.errors.GeneratedAlways)), target.transaction():
            target.execute(statement.encode())
    left = {(one["what"], one["name"]) for one in tortured.report["not_moved"]}
    assert set(feature.left) <= left


@pytest.mark.xdist_group("torture")
def test_nothing_else_stays_behind_and_everything_was_compared(tortured: Migration) -> None:
    assert tortured.exit_code == 0, tortured.said
    left = {(one["what"], one["name"]) for one in tortured.report["not_moved"]}
    assert left == {one for feature in FEATURES for one in feature.left}
    compared = tortured.report["compared"]
    tables = {table: rows for feature in FEATURES for table, rows in feature.rows.items()}
    assert compared["tables"] == len(tables)
    assert compared["rows"] == sum(map(len, tables.values()))
    assert compared["row_differences"] == 0
    assert all(one["chosen"] for one in tortured.report["decisions"])


@pytest.mark.xdist_group("torture")
def test_sequences_go_on_where_the_source_was(target: psycopg.Connection) -> None:
    with target.transaction(force_rollback=True):
        for table, upcoming in (("defaults", 901), ("used_up", 78), ("strict_t", 3), ("empty", 1)):
            made = target.execute(f"INSERT INTO {table} DEFAULT VALUES RETURNING id".encode()).fetchone()
            assert made == (upcoming,), table
        made = target.execute("SELECT s, n, nul FROM defaults WHERE id = 901").fetchone()
        assert made == ("it's", -5, "null")


@pytest.mark.xdist_group("torture")
def test_the_preflight_asks_for_exactly_what_is_decided(tortured: Migration) -> None:
    with closing(open_readonly(tortured.source)) as source:
        found = derive_judge.judge(read_schema(source), source, {}, Cancel())
    found += preflight.examine(tortured.source, {}, judge_types=False)
    asked = {(d.subject, d.code) for d in found}
    assert asked == {(subject, code) for subject, chosen in torture.decisions().items() for code in chosen}
    named = {(d.subject, d.code): (d.count, d.keys) for d in found}
    assert named["folded.name", "nocase"] == (2, ())
    assert named["meeting.k", "mixed_types"] == (1, ("5",))
    assert named["bytes.nul", "nul_bytes"] == (1, ("1",))


@pytest.mark.xdist_group("torture")
def test_the_source_was_only_read(tortured: Migration) -> None:
    with closing(sqlite3.connect(f"file:{tortured.source}?mode=ro", uri=True)) as source:
        assert source.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert source.execute("SELECT body FROM search WHERE search MATCH 'found'").fetchone() is not None
