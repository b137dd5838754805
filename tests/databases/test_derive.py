"""A derived schema runs on a real PostgreSQL, holds every value, and says what it leaves out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import psycopg
import pytest

from wizard.credentials import Secret
from wizard.databases.derive import Derived, derive
from wizard.databases.sqlite.schema import read_schema
from wizard.errors import UsageError


@pytest.fixture
def source() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def make(source: sqlite3.Connection, url: Secret | None = None) -> Derived:
    derived = derive(read_schema(source), source)
    if url is not None:
        with psycopg.connect(url.reveal()) as target:
            for statement in (*derived.tables, *(s.sql for s in derived.after)):
                target.execute(statement)
    return derived


def types(url: Secret, table: str) -> dict[str, str]:
    with psycopg.connect(url.reveal()) as target:
        return dict(
            target.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0",
                [f'"{table}"'],
            ).fetchall()
        )


def test_types_follow_the_declaration_where_the_values_fit(
    source: sqlite3.Connection, database_url: Secret
) -> None:
    source.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN, n INT, r REAL, p DECIMAL(8,2), q NUMERIC, "
        "at DATETIME, atz TIMESTAMP, day DATE, tod TIME, u UUID, j JSON, b BLOB, v VARCHAR(5), c TEXT, x)"
    )
    source.execute(
        "INSERT INTO t VALUES (1, 1, 9223372036854775807, 0.1, 123456.78, 0.001, "
        "'2024-02-29 10:00:00.123456', '2024-02-29T10:00:00+02:00', "
        "'2024-02-29', '10:00', '12345678-1234-5678-1234-567812345678', "
        "'{\"a\": 1}', X'00ff', 'longer than five', 'c', 7)"
    )
    source.execute("INSERT INTO t (id) VALUES (2)")
    assert make(source, database_url).notes == ()
    assert types(database_url, "t") == {
        "id": "bigint",
        "flag": "boolean",
        "n": "bigint",
        "r": "double precision",
        "p": "numeric(8,2)",
        "q": "numeric",
        "at": "timestamp without time zone",
        "atz": "timestamp with time zone",
        "day": "date",
        "tod": "time without time zone",
        "u": "uuid",
        "j": "jsonb",
        "b": "bytea",
        "v": "text",
        "c": "text",
        "x": "bigint",
    }


def test_no_type_is_chosen_against_a_value(source: sqlite3.Connection, database_url: Secret) -> None:
    source.execute(
        "CREATE TABLE t (flag BOOLEAN, n INT, n2 INT, r REAL, p DECIMAL(4,2), d DECIMAL, at DATETIME, "
        "at2 DATETIME, at3 DATETIME, day DATE, tod TIME, u UUID, j JSON, b BLOB, v VARCHAR(5))"
    )
    source.execute(
        "INSERT INTO t VALUES (2, 'seven', 1.5, 'fast', 123.45, 9e999, '2023-02-30 00:00:00', 1700000000000, "
        "'2024-01-01 00:00:00.1234567', '2024-01-01 10:00:00', '10:00:00+01:00', "
        "'a2345678123456781234567812345678', '{\"a\": 1, \"a\": 2}', 'text', X'00')"
    )
    source.execute("INSERT INTO t (at2) VALUES (1700000000001)")
    notes = make(source, database_url).notes
    assert types(database_url, "t") == {
        "flag": "bigint",
        "n": "text",
        "n2": "double precision",
        "r": "text",
        "p": "numeric",
        "d": "double precision",
        "at": "text",
        "at2": "bigint",
        "at3": "text",
        "day": "text",
        "tod": "text",
        "u": "text",
        "j": "text",
        "b": "text",
        "v": "bytea",
    }
    assert any("t.flag is declared BOOLEAN" in note for note in notes)
    assert not any("t.p" in note for note in notes)


def test_keys_defaults_and_not_null_hold(source: sqlite3.Connection, database_url: Secret) -> None:
    source.execute(
        'CREATE TABLE "Order" (id INTEGER PRIMARY KEY AUTOINCREMENT, "select" TEXT NOT NULL'
        " DEFAULT 'it''s \\ ', n INT DEFAULT -5, flag BOOL NOT NULL DEFAULT 0,"
        " at DATETIME DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT (date('now')),"
        " odd TEXT DEFAULT (hex(randomblob(4))), raw BLOB DEFAULT X'00',"
        " nil INT DEFAULT NULL)"
    )
    source.execute("CREATE TABLE pair (b TEXT, a INT NOT NULL, PRIMARY KEY (b, a)) WITHOUT ROWID")
    source.execute("CREATE TABLE loose (code TEXT PRIMARY KEY)")
    source.execute("INSERT INTO loose VALUES (NULL)")
    derived = make(source, database_url)
    assert derived.notes == (
        "The default of Order.odd (hex(randomblob(4))) is not carried over.",
        "loose gets no primary key: code holds NULL.",
    )
    with psycopg.connect(database_url.reveal()) as target:
        row = target.execute(
            'INSERT INTO "Order" DEFAULT VALUES RETURNING id, "select", n, flag, '
            "at - (now() AT TIME ZONE 'UTC') < '2 seconds', day IS NOT NULL, odd, raw, nil"
        ).fetchone()
        assert row == (1, "it's \\ ", -5, False, True, True, None, b"\0", None)
        target.execute('INSERT INTO "Order" (id) VALUES (77)')
        with pytest.raises(psycopg.errors.NotNullViolation):
            target.execute('INSERT INTO "Order" ("select") VALUES (NULL)')


def test_unique_indexes_and_foreign_keys_hold(source: sqlite3.Connection, database_url: Secret) -> None:
    for statement in (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, email TEXT, active BOOL, n INT, UNIQUE (n, email))",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INT REFERENCES A ON DELETE CASCADE DEFERRABLE"
        " INITIALLY DEFERRED, up INT REFERENCES b (id) ON UPDATE SET NULL, t TEXT REFERENCES a (id),"
        " m INT REFERENCES missing (id))",
        "CREATE UNIQUE INDEX one_email ON a (lower(email)) WHERE active = 1",
        "CREATE INDEX recent ON a (n DESC, email) WHERE n > 10 AND email IS NOT NULL",
        'CREATE UNIQUE INDEX one_active ON a (n) WHERE "active" AND NOT (email IS NULL)',
        "CREATE INDEX odd ON a (substr(email, 1, 3))",
        "CREATE INDEX sum ON a (n) WHERE active + 1 > 1",
        "CREATE INDEX mixed ON a (n) WHERE email > 5",
    ):
        source.execute(statement)
    derived = make(source, database_url)
    assert set(derived.notes) == {
        "The index odd of a is not carried over.",
        "The index sum of a is not carried over.",
        "The index mixed of a is not carried over.",
        "The foreign key b (t) → a is not carried over: t is text, id is bigint.",
        "The foreign key b (m) → missing is not carried over: that table does not exist.",
    }
    with psycopg.connect(database_url.reveal(), autocommit=True) as target:
        target.execute("INSERT INTO a VALUES (1, 'X@y', true, 1), (2, 'x@Y', false, 2)")
        for bad in (
            "INSERT INTO a VALUES (3, 'x@y', true, 3)",
            "INSERT INTO a VALUES (3, 'X@y', false, 1)",
            "INSERT INTO a VALUES (3, 'other', true, 1)",
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                target.execute(bad)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            target.execute("INSERT INTO b (id, a_id) VALUES (1, 99)")
        with target.transaction():  # deferred: the parent may come later
            target.execute("INSERT INTO b (id, a_id) VALUES (1, 5)")
            target.execute("INSERT INTO a VALUES (5, 'z', true, 5)")
        target.execute("DELETE FROM a WHERE id = 5")
        assert target.execute("SELECT count(*) FROM b").fetchone() == (0,)
        recent = target.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'recent'").fetchone()
        assert recent is not None and "n DESC, email" in recent[0] and "n > 10" in recent[0]


def test_what_no_index_can_hold_gets_none(source: sqlite3.Connection, database_url: Secret) -> None:
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    source.execute("CREATE INDEX by_body ON t (body)")
    source.execute("INSERT INTO t (body) VALUES (?)", ["long " * 1000])
    assert make(source, database_url).notes == ("The index by_body of t is not carried over.",)


def test_computed_columns_and_checks_are_kept_where_they_mean_the_same(
    source: sqlite3.Connection, database_url: Secret
) -> None:
    source.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT CHECK (a > 0), c TEXT, r REAL,"
        " flag BOOLEAN CHECK (flag IN (0, 1)), b INT AS (a * 2 + 1) STORED,"
        " up TEXT GENERATED ALWAYS AS (upper(c) || '!'), half REAL AS (r / 2),"
        " twice INT AS (b * 2), CONSTRAINT short CHECK (length(c) <= 5 AND c >= 'B' OR c IS NULL),"
        " CHECK (c NOT LIKE '%x%'), CHECK (a <> 7))"
    )
    source.execute("PRAGMA ignore_check_constraints = ON")
    source.execute("INSERT INTO t (id, a, c, r, flag) VALUES (1, 7, 'böb', 1.5, 1)")
    derived = make(source, database_url)
    assert {(one.what, one.name) for one in derived.left} == {
        ("generated column", "t.half"),
        ("generated column", "t.twice"),
        ("check", "t: c NOT LIKE '%x%'"),
        ("check", "t: a <> 7"),
    }
    with psycopg.connect(database_url.reveal(), autocommit=True) as target:
        row = target.execute("INSERT INTO t (a, c) VALUES (4, 'böb') RETURNING b, up, half").fetchone()
        assert row == (9, "BöB!", None)  # letters beyond ASCII stay as they are, as in SQLite
        for values in ("0, 'böb', true", "1, 'longer', true", "1, 'A', true"):
            with pytest.raises(psycopg.errors.CheckViolation):
                target.execute(f"INSERT INTO t (a, c, flag) VALUES ({values})".encode())
        with pytest.raises(psycopg.errors.GeneratedAlways):
            target.execute("INSERT INTO t (b) VALUES (1)")


@pytest.mark.parametrize("choice", ["binary", "lower_index"])
def test_nocase_is_what_was_decided(source: sqlite3.Connection, database_url: Secret, choice: str) -> None:
    source.execute(
        "CREATE TABLE u (email TEXT COLLATE NOCASE UNIQUE, code TEXT COLLATE NOCASE PRIMARY KEY, tag)"
    )
    source.execute("CREATE UNIQUE INDEX one_tag ON u (tag COLLATE NOCASE)")
    source.execute("INSERT INTO u VALUES ('A@x', 'a', 'T')")
    decisions = {f"u.{c}": {"nocase": choice} for c in ("email", "code")}
    derived = derive(read_schema(source), source, decisions)
    left = {(one.what, one.name) for one in derived.left}
    assert left == ({("collation", "u.email"), ("collation", "u.code")} if choice == "binary" else set())
    with psycopg.connect(database_url.reveal(), autocommit=True) as target:
        for statement in (*derived.tables, *(s.sql for s in derived.after)):
            target.execute(statement.encode())
        target.execute("INSERT INTO u VALUES ('A@x', 'a', 'T')")
        for row in ("('a@X', 'b', 'u')", "('b', 'A', 'u')"):
            if choice == "binary":
                target.execute(f"INSERT INTO u VALUES {row}".encode())
                target.execute("DELETE FROM u WHERE tag = 'u'")
            else:
                with pytest.raises(psycopg.errors.UniqueViolation):
                    target.execute(f"INSERT INTO u VALUES {row}".encode())
        with pytest.raises(psycopg.errors.UniqueViolation):  # the index says it by itself: nothing to decide
            target.execute("INSERT INTO u VALUES ('c', 'c', 't')")


def test_citext_is_used_where_it_was_decided(source: sqlite3.Connection) -> None:
    source.execute("CREATE TABLE u (email TEXT COLLATE NOCASE DEFAULT 'x' UNIQUE)")
    source.execute("INSERT INTO u VALUES ('A')")
    derived = derive(read_schema(source), source, {"u.email": {"nocase": "citext"}})
    assert derived.citext and derived.left == ()
    assert derived.tables == ('CREATE TABLE "u" (\n    "email" citext DEFAULT \'x\'\n)',)


def test_a_foreign_key_that_folds_case_is_left_where_rows_need_it(
    source: sqlite3.Connection, database_url: Secret
) -> None:
    source.execute("CREATE TABLE a (code TEXT COLLATE NOCASE PRIMARY KEY)")
    source.execute("CREATE TABLE b (code TEXT COLLATE NOCASE REFERENCES a)")
    source.execute("CREATE TABLE c (code TEXT REFERENCES a)")
    source.execute("INSERT INTO a VALUES ('x')")
    source.execute("INSERT INTO b VALUES ('X')")
    source.execute("INSERT INTO c VALUES ('x')")
    derived = make(source, database_url)
    assert [one.name for one in derived.left if one.what == "foreign key"] == ["b (code) → a"]


def test_names_of_tables_indexes_and_sequences_never_meet(
    source: sqlite3.Connection, database_url: Secret
) -> None:
    for statement in (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT UNIQUE)",
        "CREATE TABLE t_pkey (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t_id_seq (x INT)",
        "CREATE TABLE t_a_key (x INT)",
        "CREATE INDEX t_a_fkey ON t (a)",
    ):
        source.execute(statement)
    assert make(source, database_url).left == ()


def test_long_index_names_stay_apart(source: sqlite3.Connection, database_url: Secret) -> None:
    source.execute("CREATE TABLE t (a INT, b INT)")
    for column in ("a", "b"):
        source.execute(f"CREATE INDEX {'very_long_' * 8}{column} ON t ({column})")
    make(source, database_url)
    with psycopg.connect(database_url.reveal()) as target:
        assert target.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 't'").fetchone() == (2,)


@pytest.mark.parametrize("name", ["ctid", "x" * 64])
def test_impossible_names_are_refused(source: sqlite3.Connection, name: str) -> None:
    source.execute(f"CREATE TABLE t ({name} INT)")
    with pytest.raises(UsageError) as told:
        make(source)
    assert told.value.code == "name-not-possible"
