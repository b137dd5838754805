"""What users of other tools ran into, one test a complaint: what stops a run, or interrupts it."""

# ruff: noqa: E501

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.databases.contexts import build, context, execute, new_process, rows
from tests.databases.moved import Moved, finish
from tests.databases.test_complaints import DERIVED, OWN
from wizard.credentials import Secret
from wizard.databases.copying import load
from wizard.databases.derive import derive
from wizard.databases.postgres.target import open_target
from wizard.databases.sqlite.schema import read_schema
from wizard.demo import embedded
from wizard.errors import NotAsPlanned, Refused, Undecided, UsageError
from wizard.model import Decision
from wizard.steps import copy, provision, recheck, schema

pytestmark = pytest.mark.xdist_group("complaints")


# One database that must be refused before a row is written.

BAD = """
CREATE TABLE counts (id INTEGER PRIMARY KEY, n INTEGER, at DATETIME, name VARCHAR(5), body TEXT, doc TEXT);
INSERT INTO counts VALUES (1, 1, '2024-01-01 00:00:00', 'fine', 'fine', '{}'), (2, 1.5, 1700000000000, 'longer', CAST(x'61ff' AS TEXT), '{"a": "\\u0000"}'),
    (3, '', NULL, NULL, CAST(x'610062' AS TEXT), NULL);
CREATE TABLE part (id INTEGER PRIMARY KEY, count_id INTEGER);
INSERT INTO part VALUES (1, 1), (2, 99);
"""
BAD_TARGET = """
CREATE TABLE counts (id integer PRIMARY KEY, n integer, at timestamptz, name varchar(5), body text, doc jsonb);
CREATE TABLE part (id integer PRIMARY KEY, count_id integer REFERENCES counts);
"""


@pytest.fixture(scope="module")
def refused(
    postgres_server: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Decision]]:
    """What recheck asks for, by subject and code."""
    url = postgres_server.database("complaints_bad")
    ctx = context(tmp_path_factory.mktemp("bad"), url, BAD)
    provision.run(ctx)
    build(ctx, BAD_TARGET)
    with pytest.raises(Undecided) as told:
        recheck.run(ctx)
    assert told.value.exit_code == 2
    yield {(d["subject"], d["code"]): d for d in ctx.journal.get("recheck", "decisions")}
    assert rows(url, "SELECT (SELECT count(*) FROM counts) + (SELECT count(*) FROM part)") == [(0,)]


def keys(found: dict[tuple[str, str], Any], subject: str, code: str) -> list[str]:
    return list(found[subject, code]["keys"])


def test_reals_and_empty_strings_in_an_integer_column(refused: dict[tuple[str, str], Decision]) -> None:
    """dimitri/pgloader#249, #1450"""
    assert keys(refused, "counts.n", "wrong_type") == ["2", "3"]


def test_milliseconds_in_a_timestamp_column_are_not_guessed(refused: dict[tuple[str, str], Decision]) -> None:
    """dimitri/pgloader#1618, #1381"""
    assert keys(refused, "counts.at", "epoch") == ["2"]


def test_text_beyond_a_length_that_sqlite_ignored(refused: dict[tuple[str, str], Decision]) -> None:
    """meeb/tubesync#960"""
    assert keys(refused, "counts.name", "too_long") == ["2"]


def test_invalid_utf8_names_its_row(refused: dict[tuple[str, str], Decision]) -> None:
    """dimitri/pgloader#1250, #99"""
    assert keys(refused, "counts.body", "invalid_utf8") == ["2"]


def test_nul_bytes_are_a_decision_in_text_and_in_json(refused: dict[tuple[str, str], Decision]) -> None:
    """matrix-org/synapse#2187, FlowiseAI/Flowise#5036, open-webui/open-webui#15616"""
    assert keys(refused, "counts.body", "nul_bytes") == ["3"]
    assert keys(refused, "counts.doc", "json_nul") == ["2"]


def test_orphans_are_named_before_the_load(refused: dict[tuple[str, str], Decision]) -> None:
    """taylorwilsdon/open-webui-postgres-migration#18, #26"""
    assert keys(refused, "part.count_id", "orphans") == ["2"]


# The rest, each with a database of its own or none.


def test_a_kill_in_the_middle_of_the_schema(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """datadrivenconstruction/OpenConstructionERP#102: a schema half made"""
    ctx = context(tmp_path, database_url, DERIVED)
    provision.run(ctx)
    monkeypatch.setattr(schema, "_AT_ONCE", 3)
    execute_one = schema._execute
    count = 0

    def dying(*given: Any) -> list[dict[str, str]]:
        nonlocal count
        count += 1
        if count == 8:
            raise KeyboardInterrupt
        return execute_one(*given)

    with monkeypatch.context() as patch:
        patch.setattr(schema, "_execute", dying)
        with pytest.raises(KeyboardInterrupt):
            schema.run(ctx)
    assert rows(database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(6,)]
    ctx = new_process(ctx)
    schema.run(ctx)
    assert ("default", "defaults.c") in Moved(ctx, database_url).left
    finish(ctx)


def test_memory_is_bounded_by_bytes_not_rows(tmp_path: Path, database_url: Secret) -> None:
    """dimitri/pgloader#1237, #459, #1622"""
    ctx = context(
        tmp_path,
        database_url,
        "CREATE TABLE big (id INTEGER PRIMARY KEY, b BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) INSERT INTO big SELECT i, zeroblob(1000000) FROM n;",
    )
    provision.run(ctx)
    schema.run(ctx)
    copy.run(ctx)
    chunks = rows(database_url, "SELECT count(*), max(rows), sum(rows) FROM ashore.progress")
    assert chunks == [(2, 9, 10)]


def test_a_connection_ended_by_the_server_is_made_again(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """neondatabase/website PR#1208: 57P01"""
    ctx = context(tmp_path, database_url, OWN)
    provision.run(ctx)
    schema.run(ctx)
    stream = load.TableLoad._stream
    ended = 0

    def ending(self: load.TableLoad, *given: Any) -> Any:
        nonlocal ended
        ended += 1
        if ended == 1:
            execute(database_url, f"SELECT pg_terminate_backend({self._target.connection.info.backend_pid})")
        return stream(self, *given)

    monkeypatch.setattr(load.TableLoad, "_stream", ending)
    copy.run(ctx)
    assert ended == 3  # the first table twice, the second once
    assert rows(database_url, "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM note)") == [
        (2, 2)
    ]


def test_a_transaction_pooler_is_refused_with_the_right_host(tmp_path: Path) -> None:
    """supabase/supabase#22213, supabase/cli#3318"""
    url = Secret("postgresql://postgres.abc:pw@aws-0-eu.pooler.supabase.com:6543/postgres")
    with pytest.raises(Refused) as told:
        provision.run(context(tmp_path, url, "CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    assert told.value.code == "database-pooler" and "5432" in told.value.hint


def test_a_table_made_at_run_time_is_not_forgotten(tmp_path: Path, database_url: Secret) -> None:
    """n8n-io/n8n#30132"""
    ctx = context(
        tmp_path, database_url, "CREATE TABLE known (id INTEGER PRIMARY KEY); CREATE TABLE made_later (x);"
    )
    provision.run(ctx)
    with pytest.raises(UsageError) as told:
        build(ctx, "CREATE TABLE known (id integer PRIMARY KEY)")
    assert told.value.code == "schema-mismatch" and "made_later" in told.value.message


def test_another_history_of_migrations_stops_the_run(tmp_path: Path, database_url: Secret) -> None:
    """n8n-io/n8n#25133"""
    history = "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT);"
    ctx = context(
        tmp_path, database_url, history + "INSERT INTO django_migrations VALUES (1, 'blog', '0001')"
    )
    provision.run(ctx)
    with open_target(ctx) as target, closing(sqlite3.connect(ctx.snapshot_path)) as source:
        target.connection.execute("CREATE TABLE django_migrations (id int, app text, name text)")
        with pytest.raises(NotAsPlanned) as told:
            schema._compare_histories(ctx, target, source, ["django_migrations"])
    assert told.value.code == "history-differs" and "blog.0001" in told.value.message


def test_every_table_of_the_source_is_derived() -> None:
    """taylorwilsdon/open-webui-postgres-migration PR#27: tables left out, exit 0"""
    with closing(sqlite3.connect(":memory:")) as source:
        source.executescript(DERIVED)
        found = read_schema(source)
        made = derive(found, source).tables
    listed = {
        "defaults",
        "odd_types",
        "amounts",
        "prisma",
        "never_used",
        "once_used",
        "MixedCase",
        "refersTo",
        "computed",
        "post",
    }
    assert {t.name for t in found.tables} == listed and len(made) == len(listed)
