"""Changes between two snapshots: by key, by value and storage class."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from wizard.databases.sqlite.changes import TableChange, changes, compared

SCHEMA = """
CREATE TABLE "Order" (id INTEGER PRIMARY KEY, "na me" TEXT COLLATE NOCASE, amount NUMERIC);
CREATE TABLE pair (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE log (line TEXT);
CREATE TABLE still (id INTEGER PRIMARY KEY, x);
INSERT INTO "Order" VALUES (1, 'Ann', 1), (2, 'Bob', 2), (3, 'Cid', 3), (4, 'same', 4);
INSERT INTO pair VALUES ('x', 'y'), ('x', 'z');
INSERT INTO log VALUES ('one'), ('one'), ('two');
INSERT INTO still VALUES (1, NULL), (2, x'00'), (3, 'a'), (4, 0.5);
"""


def database(path: Path, *more: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    for sql in more:
        connection.execute(sql)
    connection.commit()
    connection.close()
    return path


def found(tmp_path: Path, *more: str) -> dict[str, TableChange]:
    base, new = database(tmp_path / "base #1.db"), database(tmp_path / "new ?.db", *more)
    with compared(base, new) as connection:
        return {c.table: c for c in changes(connection)}


def test_equal_snapshots_differ_nowhere(tmp_path: Path) -> None:
    assert found(tmp_path) == {}


def test_rows_added_changed_and_deleted(tmp_path: Path) -> None:
    assert found(
        tmp_path,
        """UPDATE "Order" SET "na me" = 'ANN' WHERE id = 1""",
        'UPDATE "Order" SET amount = NULL WHERE id = 2',
        'DELETE FROM "Order" WHERE id = 3',
        'INSERT INTO "Order" VALUES (9, NULL, NULL), (10, NULL, NULL)',
        "UPDATE pair SET b = 'q' WHERE b = 'z'",
    ) == {"Order": TableChange("Order", 2, 2, 1), "pair": TableChange("pair", 1, 0, 1)}


def test_a_storage_class_is_a_value(tmp_path: Path) -> None:
    assert found(tmp_path, "UPDATE still SET x = 'a' WHERE id = 3") == {}
    (tmp_path / "second").mkdir()
    assert found(tmp_path / "second", "UPDATE still SET x = CAST('a' AS BLOB) WHERE id = 3") == {
        "still": TableChange("still", 0, 1, 0)
    }


def test_a_keyless_table_is_a_multiset(tmp_path: Path) -> None:
    assert found(tmp_path, "DELETE FROM log WHERE rowid = 1") == {
        "log": TableChange("log", 2, 0, 3, whole=True)
    }
