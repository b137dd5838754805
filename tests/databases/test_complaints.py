"""What users of other tools ran into, one test a complaint: here it comes out right, or stops with a name."""

# ruff: noqa: E501

from __future__ import annotations

import psycopg
import pytest

from tests.databases.contexts import build, context, execute, new_process
from tests.databases.moved import Moved, finish
from wizard.databases.postgres.target import open_target
from wizard.databases.sqlite import preflight
from wizard.demo import embedded
from wizard.errors import Differences
from wizard.steps import constraints, copy, provision, schema, verify

pytestmark = pytest.mark.xdist_group("complaints")


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
