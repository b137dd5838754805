"""What changed between two snapshots of one database, table by table and by key.

Values are compared as stored: 1 and 1.0, or texts that a collation holds equal, count as changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wizard.databases.sqlite.schema import Table, open_readonly, quote, read_schema


@dataclass(frozen=True, slots=True)
class TableChange:
    """How many rows of `table` are new, other than before, or gone.

    `whole`: it has no key to go by,
    so that all its rows count, the new ones as added and the old ones as deleted.
    """

    table: str
    added: int
    changed: int
    deleted: int
    whole: bool = False


@contextmanager
def compared(base: Path, new: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection with the new snapshot as `main` and the old one attached as `base`."""
    connection = open_readonly(new)
    try:
        connection.execute("ATTACH DATABASE ? AS base", (f"{base.absolute().as_uri()}?mode=ro",))
        yield connection
    finally:
        connection.close()


def changes(connection: sqlite3.Connection, skip: Iterable[str] = ()) -> tuple[TableChange, ...]:
    """Every table that differs between `main` and `base`. Both have the same schema."""
    found = []
    left_out = set(skip)
    for table in read_schema(connection).tables:
        if table.name in left_out:
            continue
        change = _change(connection, table)
        if change.added or change.changed or change.deleted:
            found.append(change)
    return tuple(found)


def _change(connection: sqlite3.Connection, table: Table) -> TableChange:
    if not table.primary_key or _holds_null(connection, table):
        if not _keyless_differs(connection, table):
            return TableChange(table.name, 0, 0, 0, whole=True)
        new = _count(connection, f"SELECT count(*) FROM main.{quote(table.name)}")
        old = _count(connection, f"SELECT count(*) FROM base.{quote(table.name)}")
        return TableChange(table.name, new, 0, old, whole=True)
    return TableChange(
        table.name,
        _count(connection, f"SELECT count(*) FROM ({missing_sql(table, 'main', 'base')})"),
        _count(connection, f"SELECT count(*) FROM ({changed_sql(table)})"),
        _count(connection, f"SELECT count(*) FROM ({missing_sql(table, 'base', 'main')})"),
    )


def _holds_null(connection: sqlite3.Connection, table: Table) -> bool:
    """Whether rows cannot be told apart by the key: SQLite lets a key hold NULL, more than once."""
    if not table.has_rowid or table.rowid_alias is not None:
        return False
    missing = " OR ".join(f"{quote(c)} IS NULL" for c in table.primary_key)
    return any(
        connection.execute(f"SELECT 1 FROM {where}.{quote(table.name)} WHERE {missing} LIMIT 1").fetchone()
        for where in ("main", "base")
    )


def _count(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def key_sql(table: Table, alias: str) -> str:
    """The key columns, each as `alias."column"`."""
    return ", ".join(f"{alias}.{quote(c)}" for c in table.primary_key)


def _same_key(table: Table) -> str:
    return " AND ".join(f"n.{quote(c)} IS b.{quote(c)} COLLATE BINARY" for c in table.primary_key)


def missing_sql(table: Table, here: str, there: str) -> str:
    """Keys of the rows in schema `here` that schema `there` has not."""
    name = quote(table.name)
    return (
        f"SELECT {key_sql(table, 'n')} FROM {here}.{name} n "
        f"WHERE NOT EXISTS (SELECT 1 FROM {there}.{name} b WHERE {_same_key(table)})"
    )


def changed_sql(table: Table) -> str:
    """Keys of the rows that stand in both and differ in a value or its storage class."""
    name = quote(table.name)
    others = [c.name for c in table.columns if c.name not in table.primary_key]
    if not others:
        return f"SELECT {key_sql(table, 'n')} FROM main.{name} n WHERE 0"
    differs = " OR ".join(
        f"n.{quote(c)} IS NOT b.{quote(c)} COLLATE BINARY OR typeof(n.{quote(c)}) <> typeof(b.{quote(c)})"
        for c in others
    )
    return (
        f"SELECT {key_sql(table, 'n')} FROM main.{name} n JOIN base.{name} b ON {_same_key(table)} "
        f"WHERE {differs}"
    )


def _keyless_differs(connection: sqlite3.Connection, table: Table) -> bool:
    """Whether the rows differ as multisets, values and storage classes."""
    name = quote(table.name)
    columns = ", ".join(f"{quote(c.name)} COLLATE BINARY, typeof({quote(c.name)})" for c in table.columns)
    grouped = "SELECT {0}, count(*) FROM {1}." + name + " GROUP BY {0}"
    new, old = grouped.format(columns, "main"), grouped.format(columns, "base")
    for one, other in ((new, old), (old, new)):
        if connection.execute(f"SELECT 1 FROM ({one} EXCEPT {other}) LIMIT 1").fetchone():
            return True
    return False
