"""The generated package answers on PostgreSQL what sqlite3 answers on SQLite: rows, names, types, errors."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.flask.statements import SCHEMA, STEPS
from wizard.credentials import Secret
from wizard.frameworks.flask.raw import compat
from wizard.frameworks.flask.raw.compat.statements import translate
from wizard.frameworks.flask.raw.compat.tokens import Catalog, NotTranslated, split


@pytest.fixture
def server(database_url: Secret) -> Iterator[compat.Connection]:
    connection = compat.Connection(database_url.reveal())
    yield connection
    connection.close()


def answer(connection: Any, sql: str, parameters: Any) -> object:
    """Everything that an app sees of one statement. lastrowid counts where the row got a number."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
    except sqlite3.Error as error:
        return type(error).__name__, str(error) if isinstance(error, sqlite3.IntegrityError) else ""
    rows = [(tuple(row), row.keys()) for row in cursor.fetchall()]
    types = [[type(value) for value in row] for row, _ in rows]
    verb = sql.split()[0]
    count = cursor.rowcount if verb in ("INSERT", "UPDATE", "DELETE", "REPLACE") else None
    numbered = verb == "INSERT" and ("INTO user" in sql or "INTO posts" in sql)
    return rows, types, count, cursor.lastrowid if numbered else None


def test_every_statement_gives_the_same_answer(server: compat.Connection) -> None:
    with sqlite3.connect(":memory:") as local:
        local.execute("PRAGMA foreign_keys = ON")
        for connection in (local, server):
            connection.row_factory = sqlite3.Row
            connection.executescript(SCHEMA)
        for sql, parameters in STEPS:
            assert answer(server, sql, parameters) == answer(local, sql, parameters), sql


def test_a_failed_statement_leaves_the_transaction_as_it_was(server: compat.Connection) -> None:
    server.executescript(SCHEMA)
    with pytest.raises(ValueError, match="stop"), server:
        server.execute("INSERT INTO user (username) VALUES ('gone')")
        raise ValueError("stop")
    assert server.execute("SELECT COUNT(*) FROM user").fetchone() == (0,)
    with server:
        server.execute("INSERT INTO user (username) VALUES ('kept')")
        with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: user\.username"):
            server.execute("INSERT INTO user (username) VALUES ('kept')")
        server.executemany("INSERT INTO user (username) VALUES (?)", [("b",), ("c",)])
    assert not server.in_transaction
    assert server.total_changes == 4
    assert [name for (name,) in server.execute("SELECT username FROM user ORDER BY id")] == ["kept", "b", "c"]


def test_rows_come_in_the_shape_that_the_app_sets(server: compat.Connection) -> None:
    server.executescript(SCHEMA)
    server.execute("INSERT INTO user (username) VALUES ('x')")
    query = "SELECT id, username AS Name FROM user"
    assert server.execute(query).fetchone() == (1, "x")
    server.row_factory = sqlite3.Row
    row = server.execute(query).fetchone()
    assert dict(row) == {"id": 1, "Name": "x"} and row["NAME"] == row[1] == "x" and [*row] == [1, "x"]
    first, name = row
    assert (first, name, len(row)) == (1, "x", 2)
    server.row_factory = lambda cursor, values: {
        c[0]: v for c, v in zip(cursor.description, values, strict=True)
    }
    assert server.execute(query).fetchall() == [{"id": 1, "Name": "x"}]
    server.close()
    with pytest.raises(sqlite3.ProgrammingError):
        server.commit()


def test_values_of_every_kind_come_back_as_they_went(server: compat.Connection) -> None:
    values: list[Any] = [
        "",
        "a'b\"c\\d%s%%?:x",
        "ü\n\t",
        0,
        -5,
        2**53,
        True,
        None,
        2.5,
        1e300,
        b"\x00\xff'\\",
        b"",
    ]
    seed = random.Random(7)
    values += ["".join(seed.choices("'\\%?:;-\"$ aé/*", k=12)) for _ in range(60)]
    local = sqlite3.connect(":memory:")
    for connection in (local, server):
        connection.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT, n INTEGER, r REAL, b BLOB)")
    for value in values:
        column = {str: "s", int: "n", bool: "n", float: "r", bytes: "b"}.get(type(value), "s")
        for connection in (local, server):
            connection.execute(f"INSERT INTO t ({column}) VALUES (?)", (value,))
    query = "SELECT * FROM t ORDER BY i"
    assert list(server.execute(query)) == list(local.execute(query))
    query = "SELECT i FROM t WHERE s = :value"
    for value in values:
        if isinstance(value, str):
            assert (
                server.execute(query, {"value": value}).fetchall()
                == local.execute(query, (value,)).fetchall()
            )
    local.close()


def test_a_script_does_not_empty_tables_that_hold_rows(server: compat.Connection) -> None:
    server.executescript(SCHEMA)
    server.executescript("DROP TABLE IF EXISTS posts;")
    server.execute("INSERT INTO user (username) VALUES ('x')")
    server.commit()
    with pytest.raises(sqlite3.OperationalError, match="holds rows"):
        server.executescript(SCHEMA)
    assert server.execute("SELECT COUNT(*) FROM user").fetchone() == (1,)


def test_a_lost_connection_is_opened_again(server: compat.Connection, database_url: Secret) -> None:
    server.executescript(SCHEMA)
    other = compat.Connection(database_url.reveal())
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    end += "AND usename = current_user"
    other._server.execute(end)
    other.close()
    assert server.execute("SELECT COUNT(*) FROM user").fetchone() == (0,)


def test_without_the_variable_it_is_sqlite3_itself(tmp_path: Path) -> None:
    assert compat.URL == ""
    assert not compat.exists(tmp_path / "x.db")
    connection = compat.connect(tmp_path / "x.db")
    assert type(connection) is sqlite3.Connection
    connection.close()
    assert compat.exists(tmp_path / "x.db")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t WHERE a GLOB 'x*'",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET a = 1; DELETE FROM t; END",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "UPDATE OR IGNORE t SET a = 1",
        "SELECT json_extract(a, '$.b') FROM t",
        "SELECT printf('%d', a) FROM t",
        "SELECT strftime('%W', a) FROM t",
        "SELECT date(a, 'weekday 0') FROM t",
        "DELETE FROM sqlite_sequence",
        "ATTACH DATABASE 'x' AS y",
    ],
)
def test_what_is_not_known_is_refused_not_guessed(sql: str) -> None:
    with pytest.raises(NotTranslated):
        translate(sql, Catalog())
    assert split(sql + "; SELECT 1;") == [sql, "SELECT 1"]
