"""Reads the schema of a SQLite database, whatever its names are.

PRAGMA table-valued functions give what they know (https://www.sqlite.org/pragma.html); what they do not
(AUTOINCREMENT, DEFERRABLE) is read from the tokens of the stored SQL.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from wizard.databases.sqlite import sqltext
from wizard.databases.sqlite.clauses import supply_collations
from wizard.databases.sqlite.failures import explained
from wizard.databases.sqlite.shapes import (
    Column,
    Deferrable,
    ForeignKey,
    Index,
    Named,
    Schema,
    Table,
    quote,
)

__all__ = [
    "Column",
    "ForeignKey",
    "Index",
    "Named",
    "Schema",
    "Table",
    "fingerprint",
    "in_wal_mode",
    "open_readonly",
    "quote",
    "read_schema",
    "row_counts",
]

# Tables behind a virtual table, by module: SQLite knows them only where it has the module.
# A table that is merely named like one of another module's is the app's own.
_FTS4 = ("content", "segments", "segdir", "docsize", "stat")
_RTREE = ("node", "parent", "rowid")
_SHADOW_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "fts3": _FTS4,
    "fts4": _FTS4,
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": _RTREE,
    "rtree_i32": _RTREE,
    "geopoly": _RTREE,
}
_HISTORIES = (
    ("django_migrations", ("app", "name")),
    ("alembic_version", ("version_num",)),
    ("_prisma_migrations", ("migration_name", "checksum")),
)


def open_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can only read, in autocommit, usable from any thread (one at a time).

    A database in WAL mode that nobody has open is read as immutable: SQLite would else leave two new
    files beside it. Raises UsageError (`database-missing`, `-locked`, `-damaged`, `-needs-recovery`).
    """
    with explained(path):
        wal = Path(f"{path}-wal")
        idle = in_wal_mode(path) and not (wal.exists() and wal.stat().st_size)
        uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if idle else ''}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            supply_collations(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def in_wal_mode(path: Path) -> bool:
    """Whether the file's header says WAL (bytes 18 and 19, https://www.sqlite.org/fileformat.html)."""
    with path.open("rb") as file:
        header = file.read(20)
    return header[:16] == b"SQLite format 3\0" and header[18:20] == b"\2\2"


@contextmanager
def _as_text(connection: sqlite3.Connection) -> Iterator[None]:
    """The caller may read rows as bytes; names are read as text, invalid bytes escaped."""
    factory, rows = connection.text_factory, connection.row_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    connection.row_factory = None
    try:
        yield
    finally:
        connection.text_factory, connection.row_factory = factory, rows


def read_schema(connection: sqlite3.Connection) -> Schema:
    """The schema of the connection's main database. Raises sqlite3.DatabaseError where it is damaged."""
    with _as_text(connection):
        master = connection.execute(
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_master "
            "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
        virtual = tuple(Named(n, s) for k, n, _, s in master if k == "table" and _is_virtual(s))
        shadows = _shadow_tables(connection, [n for k, n, _, _ in master if k == "table"], virtual)
        names = {n for k, n, _, s in master if k == "table" and not _is_virtual(s)} - set(shadows)
        index_sql = {n: s for k, n, _, s in master if k == "index"}
        found = [_table(connection, n, s, index_sql) for k, n, _, s in master if k == "table" and n in names]
    by_lower = {t.name.lower(): t for t in found}
    return Schema(
        tables=tuple(_with_real_names(t, by_lower) for t in found),
        views=tuple(Named(n, s) for k, n, _, s in master if k == "view"),
        triggers=tuple(Named(n, s, t) for k, n, t, s in master if k == "trigger"),
        virtual_tables=virtual,
        shadow_tables=shadows,
    )


def _is_virtual(sql: str) -> bool:
    return [t.text.upper() for _, t in zip(range(2), sqltext.tokens(sql), strict=False)] == [
        "CREATE",
        "VIRTUAL",
    ]


def _module(sql: str) -> str:
    """The module behind a virtual table (`CREATE VIRTUAL TABLE … USING module`), in lower case."""
    found = list(sqltext.tokens(sql))
    return next((b.value.lower() for a, b in pairwise(found) if a.is_word("USING")), "")


def _shadow_tables(
    connection: sqlite3.Connection, tables: Sequence[str], virtual: tuple[Named, ...]
) -> tuple[str, ...]:
    named = {
        f"{v.name}_{suffix}".lower() for v in virtual for suffix in _SHADOW_SUFFIXES.get(_module(v.sql), ())
    }
    if sqlite3.sqlite_version_info >= (3, 37):
        named |= {
            row[0].lower()
            for row in connection.execute(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
            )
        }
    return tuple(name for name in tables if name.lower() in named)


def _table(connection: sqlite3.Connection, name: str, sql: str, index_sql: dict[str, str]) -> Table:
    columns = tuple(
        Column(
            name=row[0],
            type=row[1] or "",
            not_null=bool(row[2]),
            default=row[3],
            generated={2: "virtual", 3: "stored"}.get(row[5], ""),  # type: ignore[arg-type]
            pk=row[4],
        )
        for row in connection.execute(
            'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', (name,)
        )
        if row[5] != 1
    )
    key = tuple(c.name for c in sorted((c for c in columns if c.pk), key=lambda c: c.pk))
    indexes = tuple(_indexes(connection, name, index_sql))
    has_rowid = "WITHOUT" not in (words := sqltext.options(sql))
    alias = None
    if has_rowid and len(key) == 1 and not any(i.origin == "pk" for i in indexes):
        # An own index for the key means "INTEGER PRIMARY KEY DESC" or another type: no alias.
        alias = key[0] if next(c for c in columns if c.name == key[0]).type.upper() == "INTEGER" else None
    return Table(
        name=name,
        columns=columns,
        primary_key=key,
        has_rowid=has_rowid,
        rowid_alias=alias,
        strict="STRICT" in words,
        autoincrement=alias is not None and any(t.is_word("AUTOINCREMENT") for t in sqltext.body(sql)),
        foreign_keys=_foreign_keys(connection, name, sql),
        indexes=indexes,
        sql=sql,
    )


def _indexes(connection: sqlite3.Connection, table: str, index_sql: dict[str, str]) -> Iterator[Index]:
    listed = connection.execute(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?) ORDER BY seq DESC', (table,)
    ).fetchall()
    for name, unique, origin, partial in listed:
        terms = connection.execute(
            'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', (name,)
        ).fetchall()
        yield Index(
            name=name,
            unique=bool(unique),
            partial=bool(partial),
            sql=index_sql.get(name) or None,
            columns=tuple(t[0] for t in terms),
            origin=origin,
            descending=tuple(bool(t[1]) for t in terms),
            collations=tuple(t[2] or "BINARY" for t in terms),
        )


def _foreign_keys(connection: sqlite3.Connection, table: str, sql: str) -> tuple[ForeignKey, ...]:
    rows: dict[int, list[Any]] = {}
    for row in connection.execute(
        'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) '
        "ORDER BY id DESC, seq",
        (table,),
    ):
        rows.setdefault(row[0], []).append(row)
    timing = _deferrables(sql)
    if len(timing) != len(rows):
        timing = [""] * len(rows)
    # SQLite numbers foreign keys from the last declared to the first.
    return tuple(
        ForeignKey(
            columns=tuple(r[2] for r in group),
            target=group[0][1],
            target_columns=tuple(r[3] for r in group if r[3] is not None),
            on_delete=group[0][5],
            on_update=group[0][4],
            deferrable=when,
        )
        for group, when in zip(rows.values(), timing, strict=True)
    )


def _deferrables(sql: str) -> list[Deferrable]:
    """When each foreign key of a CREATE TABLE is checked, in the order of declaration."""
    found: list[Deferrable] = []
    for part in sqltext.top_level_parts(sqltext.body(sql)):
        starts = [i for i, t in enumerate(part) if t.is_word("REFERENCES")]
        for start, end in zip(starts, [*starts[1:], len(part)], strict=False):
            words = [t.text.upper() if t.kind == "word" else "" for t in part[start:end]]
            place = words.index("DEFERRABLE") if "DEFERRABLE" in words else -1
            if place < 0 or words[place - 1] == "NOT":
                found.append("")
            else:
                found.append("deferred" if "DEFERRED" in words[place:] else "immediate")
    return found


def _with_real_names(table: Table, by_lower: dict[str, Table]) -> Table:
    """Foreign keys as the tables spell their names: SQLite compares names without regard to case."""
    keys = []
    for key in table.foreign_keys:
        target = by_lower.get(key.target.lower())
        wanted = key.target_columns or (target.primary_key if target else ())
        keys.append(
            ForeignKey(
                columns=tuple(_spelled(table, c) for c in key.columns),
                target=target.name if target else key.target,
                target_columns=tuple(_spelled(target, c) if target else c for c in wanted),
                on_delete=key.on_delete,
                on_update=key.on_update,
                deferrable=key.deferrable,
            )
        )
    return Table(
        table.name, table.columns, table.primary_key, table.has_rowid, table.rowid_alias, table.strict,
        table.autoincrement, tuple(keys), table.indexes, table.sql,
    )  # fmt: skip


def _spelled(table: Table, name: str) -> str:
    return next((c.name for c in table.columns if c.name.lower() == name.lower()), name)


def row_counts(connection: sqlite3.Connection, schema: Schema | None = None) -> tuple[tuple[str, int], ...]:
    """(table, rows) of every ordinary table, in the schema's order."""
    schema = schema or read_schema(connection)
    return tuple(
        (t.name, int(connection.execute(f"SELECT count(*) FROM {quote(t.name)}").fetchone()[0]))
        for t in schema.tables
    )


def fingerprint(connection: sqlite3.Connection) -> str:
    """SHA-256 (hex) over the schema's SQL and the applied migrations: what rows may not change."""
    digest = hashlib.sha256()
    with _as_text(connection):
        master = connection.execute(
            "SELECT type, name, coalesce(sql, '') FROM main.sqlite_master "
            "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name"
        ).fetchall()
        tables = {name for kind, name, _ in master if kind == "table"}
        digest.update(json.dumps(master).encode())
        for table, columns in _HISTORIES:
            if table in tables:
                listed = ", ".join(map(quote, columns))
                rows = connection.execute(f"SELECT {listed} FROM {quote(table)} ORDER BY {listed}").fetchall()
                digest.update(json.dumps([table, rows], default=repr).encode())
    return digest.hexdigest()
