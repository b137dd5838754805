"""What users of other tools ran into, one test a complaint: here it comes out right, or stops with a name."""

# ruff: noqa: E501

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.databases.contexts import build, context, execute, new_process, rows
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.copying import load
from wizard.databases.derive import derive
from wizard.databases.postgres.target import open_target
from wizard.databases.sqlite import preflight
from wizard.databases.sqlite.schema import read_schema
from wizard.demo import embedded
from wizard.errors import Differences, NotAsPlanned, Refused, Undecided, UsageError
from wizard.model import Decision
from wizard.steps import constraints, copy, provision, recheck, schema, verify

pytestmark = pytest.mark.xdist_group("complaints")


@dataclass(frozen=True)
class Moved:
    """A run that was verified: its context and the target's URL."""

    ctx: RunContext
    url: Secret

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.url, query)

    @property
    def left(self) -> set[tuple[str, str]]:
        return {(one["what"], one["name"]) for one in self.ctx.journal.get("schema", "left")}


def finish(ctx: RunContext) -> None:
    recheck.run(ctx)
    copy.run(ctx)
    constraints.run(ctx)
    verify.run(ctx)


# One database moved with a derived schema.

DERIVED = """
CREATE TABLE defaults (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT DEFAULT 'null', b DATETIME DEFAULT (datetime('now')),
    c TEXT DEFAULT (STRFTIME('%Y-%m-%d', 'now')), d BOOLEAN NOT NULL DEFAULT 0);
INSERT INTO defaults (a, b, c, d) VALUES ('x', '2024-01-01 00:00:00', 'y', 1);
CREATE TABLE odd_types (a "double precision", b "signed long", c int(5), d "unsigned big int", e "LONG VARCHAR");
INSERT INTO odd_types VALUES (0.1, 9223372036854775807, 123456, 1, 'text');
CREATE TABLE amounts (price DECIMAL(10, 2), anything NUMERIC, ratio REAL, endless DOUBLE);
INSERT INTO amounts VALUES (1230.99, 1230.99, 0.1, 9e999), (0.1, 1e-7, 16777217.0, -9e999);
CREATE TABLE prisma (at DATETIME, text_at DATETIME);
INSERT INTO prisma VALUES (1700000000000, '2023-11-14T22:13:20.000Z');
CREATE TABLE never_used (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE once_used (id INTEGER PRIMARY KEY AUTOINCREMENT);
INSERT INTO once_used VALUES (41); DELETE FROM once_used;
CREATE TABLE "MixedCase" ("Id" INTEGER PRIMARY KEY, "userName" TEXT UNIQUE);
CREATE TABLE "refersTo" (id INTEGER PRIMARY KEY, "mixedId" INT REFERENCES mixedcase ("ID"), who TEXT REFERENCES "MIXEDCASE" (username));
INSERT INTO "MixedCase" VALUES (1, 'Ann'); INSERT INTO "refersTo" VALUES (1, 1, 'Ann');
CREATE TABLE computed (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, c TEXT AS (printf('%03d', a)) VIRTUAL);
INSERT INTO computed (a) VALUES (7);
CREATE TABLE post (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO post VALUES (1, 'found');
CREATE VIEW newest AS SELECT * FROM post; CREATE TRIGGER t AFTER INSERT ON post BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE post_search USING fts5(body); INSERT INTO post_search VALUES ('found');
"""


@pytest.fixture(scope="module")
def derived(postgres_server: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    url = postgres_server.database("complaints_derived")
    ctx = context(tmp_path_factory.mktemp("derived"), url, DERIVED)
    provision.run(ctx)
    schema.run(ctx)
    finish(ctx)
    return Moved(ctx, url)


def test_defaults_that_are_functions_or_the_word_null(derived: Moved) -> None:
    """dimitri/pgloader#1665, #1523, #1348"""
    with psycopg.connect(derived.url.reveal()) as target, target.transaction(force_rollback=True):
        made = target.execute("INSERT INTO defaults DEFAULT VALUES RETURNING a, b IS NOT NULL, c").fetchone()
    assert made == ("null", True, None)
    assert ("default", "defaults.c") in derived.left


def test_a_default_of_0_on_a_boolean(derived: Moved) -> None:
    """datadrivenconstruction/OpenConstructionERP#102"""
    with psycopg.connect(derived.url.reveal()) as target, target.transaction(force_rollback=True):
        assert target.execute("INSERT INTO defaults DEFAULT VALUES RETURNING d").fetchone() == (False,)
    assert derived.rows("SELECT d FROM defaults") == [(True,)]


def test_type_words_that_nobody_knows(derived: Moved) -> None:
    """dimitri/pgloader#921, #1126, #957"""
    assert derived.rows("SELECT * FROM odd_types") == [(0.1, 2**63 - 1, 123456, 1, "text")]


def test_decimals_and_infinity_are_written_as_the_server_reads_them(derived: Moved) -> None:
    """dimitri/pgloader#747, #1341"""
    found = derived.rows("SELECT price::text, anything::text, endless FROM amounts ORDER BY price")
    assert found == [("0.10", "0.0000001", -float("inf")), ("1230.99", "1230.99", float("inf"))]


def test_real_keeps_eight_bytes(derived: Moved) -> None:
    """pgloader's cast rules: REAL to 4-byte real"""
    assert derived.rows("SELECT ratio, pg_typeof(ratio)::text FROM amounts ORDER BY ratio") == [
        (0.1, "double precision"),
        (16777217.0, "double precision"),
    ]


def test_milliseconds_never_become_a_year_in_the_far_future(derived: Moved) -> None:
    """dimitri/pgloader#1618, #1381"""
    assert derived.rows("SELECT at, extract(year FROM text_at) FROM prisma") == [(1700000000000, 2023)]


def test_an_empty_autoincrement_table_has_its_sequence(derived: Moved) -> None:
    """dimitri/pgloader#1517, #882, #802"""
    for table, last in (("never_used", (1, False)), ("once_used", (41, True)), ("post", (1, True))):
        assert derived.rows(f"SELECT last_value, is_called FROM {table}_id_seq") == [last]


def test_names_in_capitals_keep_their_foreign_keys(derived: Moved) -> None:
    """dimitri/pgloader#1577, #1486"""
    assert derived.rows(
        'SELECT m."userName" FROM "refersTo" r JOIN "MixedCase" m ON m."Id" = r."mixedId"'
    ) == [("Ann",)]
    keys = derived.rows(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = '\"refersTo\"'::regclass"
    )
    assert keys == [(2,)]


def test_generated_columns_are_compared_not_skipped(derived: Moved) -> None:
    """dimitri/pgloader#1687"""
    assert derived.rows("SELECT a, b, c FROM computed") == [(7, 14, "007")]
    assert derived.rows("INSERT INTO computed (a) VALUES (1) RETURNING b") == [(2,)]
    execute(derived.url, "DELETE FROM computed WHERE a = 1")


def test_views_and_triggers_do_not_vanish_unsaid(derived: Moved) -> None:
    """dimitri/pgloader#1510, #699"""
    found = preflight.examine(derived.ctx.snapshot_path, {}, judge_types=False)
    assert {("view:newest", None), ("trigger:t", None)} <= {(d.subject, d.chosen) for d in found}


def test_virtual_tables_are_left_and_named(derived: Moved) -> None:
    """dimitri/pgloader#872"""
    assert derived.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'post\\_search%'") == [(0,)]
    found = preflight.examine(derived.ctx.snapshot_path, {}, judge_types=False)
    assert ("post_search", "virtual_table") in {(d.subject, d.code) for d in found}


# One database moved into tables that the app's migrations made.

OWN = """
CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT, active INTEGER, level BOOLEAN, tags TEXT, doc TEXT, name VARCHAR(128));
INSERT INTO account VALUES (5, 1, 1, '{a,"b c"}', '{"a": [1.50, "é"]}', 'Ann'), (6, 0, 0, NULL, 'null', 'Bob');
CREATE TABLE note (id INTEGER PRIMARY KEY, account_id INTEGER);
INSERT INTO note VALUES (1, 6), (2, 5);
"""
OWN_TARGET = """
CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, active boolean, level integer, tags text[], doc jsonb, name varchar(128));
CREATE TABLE note (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE);
CREATE TABLE note_log (id bigint);
CREATE TABLE their_own (id bigint, account_id bigint REFERENCES account ON DELETE CASCADE);
CREATE FUNCTION log_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO note_log VALUES (new.id); RETURN new; END';
CREATE TRIGGER logged AFTER INSERT ON note FOR EACH ROW EXECUTE FUNCTION log_note();
INSERT INTO account (name) VALUES ('seeded by a migration'); INSERT INTO account OVERRIDING SYSTEM VALUE VALUES (5);
INSERT INTO their_own VALUES (1, 5);
"""


@pytest.fixture(scope="module")
def own(postgres_server: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    url = postgres_server.database("complaints_own")
    ctx = context(tmp_path_factory.mktemp("own"), url, OWN)
    provision.run(ctx)
    build(ctx, OWN_TARGET)
    finish(ctx)
    return Moved(ctx, url)


def test_booleans_follow_the_targets_type_and_no_list(own: Moved) -> None:
    """netbirdio/docs#402, wbh1/grafana-sqlite-to-postgres#21, #54"""
    assert own.rows("SELECT active, level FROM account ORDER BY id") == [(True, 1), (False, 0)]


def test_an_identity_that_is_generated_always_takes_the_rows(own: Moved) -> None:
    """element-hq/synapse#18053"""
    assert own.rows("SELECT id FROM account ORDER BY id") == [(5,), (6,)]
    assert own.rows("SELECT last_value FROM account_id_seq") == [(6,)]


def test_arrays_and_jsonb(own: Moved) -> None:
    """dimitri/pgloader#1552, #1607"""
    assert own.rows("SELECT tags, doc::text FROM account WHERE id = 5") == [
        (["a", "b c"], '{"a": [1.50, "é"]}')
    ]


def test_seeded_rows_are_replaced(own: Moved) -> None:
    """meeb/tubesync#960"""
    assert own.rows("SELECT name FROM account ORDER BY id") == [("Ann",), ("Bob",)]


def test_no_trigger_of_the_app_runs_during_the_load(own: Moved) -> None:
    """WeblateOrg/weblate#1414, harvard-lil/perma#2933"""
    assert own.rows("SELECT count(*) FROM note_log") == [(0,)]
    assert own.rows("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'logged'") == [("O",)]


def test_system_triggers_are_not_touched(own: Moved) -> None:
    """dimitri/pgloader#688: the role is no superuser and the tables have foreign keys"""
    assert own.rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    assert own.rows("SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'") == [
        (2, True)
    ]


def test_rows_of_other_tables_survive_a_cascade(own: Moved) -> None:
    """ankane/pgsync#125"""
    assert own.rows("SELECT id, account_id FROM their_own") == [(1, 5)]


def test_sessions_prepare_nothing_and_have_no_time_limit(own: Moved) -> None:
    """prisma/orm#11643, dimitri/pgcopydb#344"""
    execute(
        own.url, f"ALTER DATABASE {own.rows('SELECT current_database()')[0][0]} SET statement_timeout = '7s'"
    )
    with open_target(own.ctx) as target:
        assert target.connection.prepare_threshold is None
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert target.connection.execute(f"SHOW {limit}".encode()).fetchone() == ("0",)


def test_differences_are_an_error(own: Moved) -> None:
    """dimitri/pgcopydb#1046"""
    execute(own.url, "UPDATE account SET name = 'Anne' WHERE id = 5")
    try:
        with pytest.raises(Differences) as told:
            verify.run(own.ctx)
    finally:
        execute(own.url, "UPDATE account SET name = 'Ann' WHERE id = 5")
    assert told.value.exit_code == 6
    assert verify.run(own.ctx).endswith(" 0 differences")


def test_a_resume_empties_and_doubles_nothing(own: Moved) -> None:
    """dimitri/pgcopydb#693, #659, planetscale/pgcopydb#33"""
    before = own.rows("SELECT * FROM account ORDER BY id") + own.rows("SELECT * FROM note ORDER BY id")
    ctx = new_process(own.ctx)
    provision.run(ctx)
    copy.run(ctx)
    constraints.run(ctx)
    assert (
        own.rows("SELECT * FROM account ORDER BY id") + own.rows("SELECT * FROM note ORDER BY id") == before
    )


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
    assert keys(refused, "counts.at", "wrong_type") == ["2"]


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
