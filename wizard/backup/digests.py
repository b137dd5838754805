"""Every value of a table as one number, by verification's own readers: at backup, and again after a restore.

A row's SHA-256 is over its cells, each framed by kind and length; a table's digest is the sum of its rows'
modulo 2^256. So it depends on no order, counts doubled rows, and needs no memory.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wizard.backup.layout import DatabaseFacts, TableDigest
from wizard.context import Cancel
from wizard.verifying import source_reader, target_reader
from wizard.verifying.canonical import Value, unescape

_MODULUS = 1 << 256
Cells = Sequence[str | None]
Sheet = Callable[[str, tuple[str, ...], Iterable[Cells]], Iterator[Cells]]
"""(table, columns, rows as text) → the same rows, written down on the way; see `people.Sheets`."""

# Schemas that a platform keeps for itself, where another role owns them: the app's can neither dump nor
# make them.
PLATFORM_SCHEMAS = frozenset(
    (
        "auth", "storage", "realtime", "_realtime", "vault", "graphql", "graphql_public", "pgbouncer",
        "pgsodium", "pgsodium_masks", "supabase_functions", "supabase_migrations", "net", "cron",
        "extensions", "_analytics", "neon", "neon_auth", "heroku_ext", "_heroku",
    )
)  # fmt: skip


class Summing:
    """Adds rows up."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, framed: bytes) -> None:
        self.rows += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(framed).digest(), "big")) % _MODULUS

    def digest(self, name: str, columns: tuple[str, ...]) -> TableDigest:
        return TableDigest(name, self.rows, columns, f"{self._sum:064x}")


def sqlite_facts(path: Path, cancel: Cancel, sheet: Sheet | None = None) -> DatabaseFacts:
    """Digests of every ordinary table of a SQLite file. Raises sqlite3.Error, Stopped."""
    with source_reader.open_snapshot(path) as connection:
        found = tuple(_sqlite_table(connection, t, cancel, sheet) for t in source_reader.tables(connection))
        counted = connection.execute("SELECT type, count(*) FROM sqlite_master GROUP BY type ORDER BY type")
        return DatabaseFacts("sqlite", sqlite3.sqlite_version, found, dict(counted.fetchall()))


def _sqlite_table(
    connection: sqlite3.Connection, table: source_reader.SourceTable, cancel: Cancel, sheet: Sheet | None
) -> TableDigest:
    summing = Summing()

    def rows() -> Iterator[Cells]:
        for batch in source_reader.read_rows(
            connection, table, table.columns, (), source_reader.Orphans(), lenient=True
        ):
            cancel.check()
            for row in batch:
                summing.add(b"".join(map(_framed, row)))
                if sheet is not None:
                    yield [_shown(value) for value in row]

    _exhaust(rows() if sheet is None else sheet(table.name, table.columns, rows()))
    return summing.digest(table.name, table.columns)


def _framed(value: Value) -> bytes:
    match value:
        case None:
            return b"N"
        case int():
            text = str(value).encode()
            return b"I%d:%b" % (len(text), text)
        case float():
            return b"F" + struct.pack(">d", value)
        case str():
            text = value.encode("utf-8", "surrogateescape")
            return b"T%d:%b" % (len(text), text)
    return b"B%d:%b" % (len(value), value)


def _shown(value: Value) -> str | None:
    match value:
        case None | str():
            return value
        case bytes():
            return "\\x" + value.hex()
    return repr(value)


def schemas(connection: target_reader.Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the app's schemas, the platform's own that are left out), by name."""
    rows = connection.execute(
        "SELECT nspname::text, nspowner <> current_user::regrole AND nspname = ANY(%s) FROM pg_namespace "
        "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname",
        (sorted(PLATFORM_SCHEMAS),),
    ).fetchall()
    return tuple(n for n, theirs in rows if not theirs), tuple(n for n, theirs in rows if theirs)


def postgres_facts(
    connection: target_reader.Connection, cancel: Cancel, sheet: Sheet | None = None
) -> DatabaseFacts:
    """Digests of every table of the app's schemas, as this transaction sees them.

    Raises psycopg.Error, Stopped.
    """
    target_reader.prepare(connection, "UTC")
    # A policy that would hide rows from this role is an error then, not a smaller backup.
    connection.execute("SET row_security = off")
    taken, left_out = schemas(connection)
    found = []
    for schema in taken:
        for table in target_reader.tables(connection, schema).values():
            cancel.check()
            found.append(_postgres_table(connection, schema, table, cancel, sheet))
    found.append(_sequences(connection, taken))
    return DatabaseFacts(
        "postgres",
        str(connection.info.server_version),
        tuple(found),
        _objects(connection, taken),
        _extensions(connection),
        left_out,
    )


def _postgres_table(
    connection: target_reader.Connection,
    schema: str,
    table: target_reader.TargetTable,
    cancel: Cancel,
    sheet: Sheet | None,
) -> TableDigest:
    name = table.name if schema == "public" else f"{schema}.{table.name}"
    columns = tuple(c.name for c in table.columns)
    forms = [target_reader.form_for(c, {}, "UTC") for c in table.columns]
    summing = Summing()

    def rows() -> Iterator[Cells]:
        with target_reader.read_lines(connection, schema, table.name, forms, ()) as lines:
            for number, line in enumerate(lines):
                if number % 1000 == 0:
                    cancel.check()
                summing.add(line)
                if sheet is not None:
                    yield [unescape(cell) for cell in line[:-1].decode("utf-8", "replace").split("\t")]

    _exhaust(rows() if sheet is None else sheet(name, columns, rows()))
    return summing.digest(name, columns)


def _sequences(connection: target_reader.Connection, taken: Sequence[str]) -> TableDigest:
    summing = Summing()
    for row in connection.execute(
        "SELECT schemaname::text, sequencename::text, last_value::text FROM pg_sequences "
        "WHERE schemaname = ANY(%s)",
        (list(taken),),
    ):
        summing.add(b"".join(map(_framed, row)))
    return summing.digest("(sequences)", ("schema", "name", "last_value"))


_COUNTED = """
SELECT 'relation ' || relkind::text, count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY(%(schemas)s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
      AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY 1
UNION ALL
SELECT 'constraint ' || contype::text, count(*)
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
WHERE nspname = ANY(%(schemas)s) AND contype <> 'n' GROUP BY 1
UNION ALL
SELECT 'trigger', count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n
ON n.oid = relnamespace WHERE nspname = ANY(%(schemas)s) AND NOT tgisinternal
UNION ALL
SELECT 'function', count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE nspname = ANY(%(schemas)s) AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
      AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'large object', count(*) FROM pg_largeobject_metadata
"""


def _objects(connection: target_reader.Connection, taken: Sequence[str]) -> Mapping[str, int]:
    """How many of each kind. PostgreSQL 18 lists NOT NULL among the constraints, older ones do not."""
    found = connection.execute(_COUNTED, {"schemas": list(taken)}).fetchall()
    return {str(kind): int(count) for kind, count in sorted(found) if count}


def _extensions(connection: target_reader.Connection) -> tuple[str, ...]:
    found = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
    return tuple(str(name) for (name,) in found.fetchall())


def differences(expected: DatabaseFacts, found: DatabaseFacts) -> list[str]:
    """What is not as it was, a line for people each."""
    lines: list[str] = []
    there = {t.name: t for t in found.tables}
    for table in expected.tables:
        other = there.pop(table.name, None)
        if other is None:
            lines.append(f"{table.name}: the table is missing ({table.rows:,} rows)")
        elif other.columns != table.columns:
            lines.append(
                f"{table.name}: its columns are {', '.join(other.columns)}, not {', '.join(table.columns)}"
            )
        elif other.rows != table.rows:
            lines.append(f"{table.name}: {other.rows:,} rows, and {table.rows:,} were backed up")
        elif other.sha256 != table.sha256:
            lines.append(f"{table.name}: {table.rows:,} rows, but not the values that were backed up")
    lines += [f"{name}: a table that was not backed up" for name in there]
    for kind in sorted({*expected.objects, *found.objects}):
        was, now = expected.objects.get(kind, 0), found.objects.get(kind, 0)
        if was != now:
            lines.append(f"{kind}: {now} found, and {was} were backed up")
    return lines


def _exhaust(rows: Iterator[Any]) -> None:
    for _ in rows:
        pass
