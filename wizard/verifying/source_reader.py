"""Verification's own reader of the source: the snapshot's tables, keys and rows, straight from SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wizard.verifying.canonical import Value

Row = tuple[Value, ...]

# Rows fetched at once: bounded by bytes, and by a number that keeps batches quick to compare.
BATCH_BYTES = 4 * 1024 * 1024
BATCH_ROWS = 2000
# Tables that SQLite's own modules keep behind a virtual table (their documentation: FTS3-5, R*Tree).
_SHADOWS = {
    "fts3": ("content", "segments", "segdir", "docsize", "stat"),
    "fts4": ("content", "segments", "segdir", "docsize", "stat"),
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": ("node", "parent", "rowid"),
    "rtree_i32": ("node", "parent", "rowid"),
    "geopoly": ("node", "parent", "rowid"),
}
_MODULE = re.compile(r"\bUSING\s+[\"`\[]?(\w+)", re.IGNORECASE)
_COLLATION = re.compile(r"\bCOLLATE\s+[\"'`\[]?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Child columns that name a row of `parent` by its columns `refers`."""

    columns: tuple[str, ...]
    parent: str
    refers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the snapshot. `columns` are all that hold or compute a value, in order."""

    name: str
    columns: tuple[str, ...]
    generated: frozenset[str]
    key: tuple[str, ...]
    has_rowid: bool
    foreign_keys: tuple[ForeignKey, ...]


def quoted(name: str) -> str:
    """An identifier for SQLite."""
    return '"' + name.replace('"', '""') + '"'


def _bytes_kept(raw: bytes) -> str:
    """Text that may hold bytes which are not UTF-8; those survive as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape")


@contextmanager
def open_snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """The snapshot, read-only. Raises sqlite3.Error where it is no readable database."""
    side = path.with_name(path.name + "-wal")
    # A frozen file needs no side files; a write-ahead log that holds pages must be read, though.
    immutable = "" if side.exists() and side.stat().st_size else "&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro{immutable}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        # An index by a collation of the app's own is only read through, never searched.
        for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall():
            for name in _COLLATION.findall(sql):
                if name.upper() not in ("BINARY", "NOCASE", "RTRIM"):
                    connection.create_collation(name, lambda one, other: (one > other) - (one < other))
        yield connection


def tables(connection: sqlite3.Connection) -> tuple[SourceTable, ...]:
    """Every ordinary table, by name: no virtual table, no shadow of one, none of SQLite's own."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall()
    virtual = {n: sql for n, sql in found if sql and sql.lstrip().upper().startswith("CREATE VIRTUAL")}
    hidden = {*virtual, *(f"{v}_{s}" for v, sql in virtual.items() for s in _SHADOWS.get(_module(sql), ()))}
    if sqlite3.sqlite_version_info >= (3, 37):
        hidden |= {
            n
            for n, kind in connection.execute("SELECT name, type FROM pragma_table_list")
            if kind == "shadow"
        }
    return tuple(
        _table(connection, name)
        for name, _ in found
        if name not in hidden and not name.lower().startswith("sqlite_")
    )


def _module(sql: str) -> str:
    """The module behind a virtual table, in lower case."""
    found = _MODULE.search(sql)
    return found.group(1).lower() if found else ""


def _table(connection: sqlite3.Connection, name: str) -> SourceTable:
    columns, generated, key = [], set(), {}
    for _, column, _, _, _, position, hidden in connection.execute(
        "SELECT cid, name, type, [notnull], dflt_value, pk, hidden FROM pragma_table_xinfo(?)", (name,)
    ):
        if hidden == 1:
            continue
        columns.append(column)
        if hidden in (2, 3):
            generated.add(column)
        if position:
            key[position] = column
    try:
        connection.execute(f"SELECT rowid FROM {quoted(name)} LIMIT 0")
        has_rowid = True
    except sqlite3.OperationalError:
        has_rowid = False
    return SourceTable(
        name, tuple(columns), frozenset(generated), tuple(key[i] for i in sorted(key)), has_rowid,
        _foreign_keys(connection, name),
    )  # fmt: skip


def _foreign_keys(connection: sqlite3.Connection, name: str) -> tuple[ForeignKey, ...]:
    keys: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, parent, child, refers in connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', (name,)
    ):
        keys.setdefault(number, []).append((parent, child, refers))
    found = []
    for parts in keys.values():
        parent = parts[0][0]
        named = tuple(p[2] for p in parts if p[2] is not None)
        if not named:  # REFERENCES parent, without columns: the parent's primary key
            query = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
            named = tuple(r[0] for r in connection.execute(query, (parent,)))
        if len(named) == len(parts):
            found.append(ForeignKey(tuple(p[1] for p in parts), parent, named))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Orphans:
    """What the answers say of rows whose parent is missing, as SQL over the snapshot.

    `where` leaves rows out (empty where none is); `nulled` maps a column to the condition under which
    it becomes NULL.
    """

    where: str = ""
    nulled: Mapping[str, str] = field(default_factory=dict)


def read_rows(
    connection: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    order: Sequence[str],
    orphans: Orphans,
    lenient: bool,
) -> Iterator[list[Row]]:
    """The table's rows in batches of bounded size, ordered by the bytes of `order`'s columns.

    `lenient` keeps bytes that are not UTF-8 (slower); without it they raise sqlite3.OperationalError.
    """
    size = _batch_rows(connection, table, columns)
    selected = [
        f"CASE WHEN {orphans.nulled[c]} THEN NULL ELSE c.{quoted(c)} END"
        if c in orphans.nulled
        else f"c.{quoted(c)}"
        for c in columns
    ]
    statement = f"SELECT {', '.join(selected)} FROM {quoted(table.name)} AS c"
    if orphans.where:
        statement += f" WHERE {orphans.where}"
    if order:
        statement += " ORDER BY " + ", ".join(f"c.{quoted(c)} COLLATE BINARY" for c in order)
    connection.text_factory = _bytes_kept if lenient else str
    with closing(connection.execute(statement)) as cursor:
        while batch := cursor.fetchmany(size):
            yield batch
            del batch


def _batch_rows(connection: sqlite3.Connection, table: SourceTable, columns: Sequence[str]) -> int:
    """How many of the table's widest rows fit into a batch (SQLite measures them, without a copy here)."""
    widths = " + ".join(f"coalesce(length(CAST({quoted(c)} AS BLOB)), 0)" for c in columns)
    (widest,) = connection.execute(f"SELECT max({widths or 0}) FROM {quoted(table.name)}").fetchone()
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, widest or 1)))


def count_rows(connection: sqlite3.Connection, table: SourceTable, orphans: Orphans) -> int:
    """The number of rows that the target is expected to hold."""
    where = f" WHERE {orphans.where}" if orphans.where else ""
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted(table.name)} AS c{where}").fetchone()
    return int(count)


def sequence_floor(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The highest number SQLite ever gave out, by table with AUTOINCREMENT."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    rows = connection.execute("SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer'")
    return dict(rows.fetchall())
