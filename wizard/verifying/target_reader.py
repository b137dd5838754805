"""Verification's own reader of the target: what the catalog says, and rows as `COPY … TO` prints them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from wizard.errors import NotAsPlanned
from wizard.verifying.canonical import AddressForm, BytesForm, Form, TargetColumn, TextForm, UuidForm
from wizard.verifying.json_forms import JsonForm
from wizard.verifying.local_forms import LocalStampForm
from wizard.verifying.number_forms import BooleanForm, FloatForm, IntegerForm, NumericForm
from wizard.verifying.source_reader import ForeignKey
from wizard.verifying.time_forms import ClockForm, DateForm, IntervalForm, StampForm

Connection = psycopg.Connection[Any]

# Cells are compared as text, so how the server prints them is fixed here.
SETTINGS = (
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
    "SET client_encoding = 'UTF8'",
)
FORMS: Mapping[str, type[Form]] = {
    "bool": BooleanForm, "int2": IntegerForm, "int4": IntegerForm, "int8": IntegerForm, "oid": IntegerForm,
    "float4": FloatForm, "float8": FloatForm, "numeric": NumericForm, "bytea": BytesForm, "uuid": UuidForm,
    "date": DateForm, "time": ClockForm, "timestamp": StampForm, "timestamptz": StampForm,
    "interval": IntervalForm, "json": JsonForm, "jsonb": JsonForm, "inet": AddressForm,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table of the target. `key` is its primary key's columns, in the key's order."""

    name: str
    columns: tuple[TargetColumn, ...]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]

    def column(self, name: str) -> TargetColumn | None:
        return next((c for c in self.columns if c.name == name), None)


def form_for(column: TargetColumn, decisions: Mapping[str, str], naive_zone: str) -> Form:
    """The form of a column; a type without one is compared as text.

    `naive_zone` is the one in which text without an offset is meant, and in which the session prints.
    """
    if column.type not in ("timestamp", "timestamptz") and "epoch" in decisions:
        decisions = {code: choice for code, choice in decisions.items() if code != "epoch"}
    if column.type == "timestamptz" and naive_zone != "UTC":
        return LocalStampForm(column, decisions, naive_zone)
    return FORMS.get(column.type, TextForm)(column, decisions)


def prepare(connection: Connection, zone: str) -> None:
    """Fix how this session prints values, moments in `zone`, and let no timeout cut a long read.

    Raises NotAsPlanned `zone-unknown` where the server does not know the zone.
    """
    for statement in SETTINGS:
        connection.execute(statement.encode())
    try:
        connection.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
    except psycopg.errors.InvalidParameterValue as error:
        raise NotAsPlanned(
            "zone-unknown",
            f"The target's server knows no time zone {zone}, in which the app's times are meant.",
            "The app could not connect to this server either. Correct TIME_ZONE in its settings, or use a "
            "server with the full time zone data.",
        ) from error
    connection.execute("SET statement_timeout = 0")


_COLUMNS = """
SELECT c.relname, a.attname, coalesce(b.typname, t.typname),
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attnum
"""
_KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY k.position)
FROM pg_constraint p
JOIN pg_class c ON c.oid = p.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, position)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE p.contype = 'p'
GROUP BY c.relname
"""
_FOREIGN_KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY k.position), f.relname,
       array_agg(b.attname::text ORDER BY k.position)
FROM pg_constraint p
JOIN pg_class c ON c.oid = p.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
JOIN pg_class f ON f.oid = p.confrelid
CROSS JOIN LATERAL unnest(p.conkey, p.confkey) WITH ORDINALITY AS k (child, parent, position)
JOIN pg_attribute a ON a.attrelid = p.conrelid AND a.attnum = k.child
JOIN pg_attribute b ON b.attrelid = p.confrelid AND b.attnum = k.parent
WHERE p.contype = 'f'
GROUP BY p.oid, c.relname, f.relname
"""


def tables(connection: Connection, schema: str) -> Mapping[str, TargetTable]:
    """Every ordinary table of the schema, by name, as `pg_catalog` has it."""
    columns: dict[str, list[TargetColumn]] = {}
    for table, name, kind, modifier in connection.execute(_COLUMNS, (schema,)):
        columns.setdefault(table, []).append(_column(name, kind, modifier))
    keys = {name: tuple(key) for name, key in connection.execute(_KEYS, (schema,))}
    foreign: dict[str, list[ForeignKey]] = {}
    for table, child, parent, refers in connection.execute(_FOREIGN_KEYS, (schema,)):
        foreign.setdefault(table, []).append(ForeignKey(tuple(child), parent, tuple(refers)))
    return {
        name: TargetTable(name, tuple(found), keys.get(name, ()), tuple(foreign.get(name, ())))
        for name, found in columns.items()
    }


def _column(name: str, kind: str, modifier: int) -> TargetColumn:
    """Decode a type modifier (PostgreSQL source: numeric.c `numeric_typmod_*`, varchar.c, timestamp.c)."""
    if modifier < 0:
        return TargetColumn(name, kind)
    if kind in ("varchar", "bpchar"):
        return TargetColumn(name, kind, length=modifier - 4)
    if kind == "numeric":
        scale = (((modifier - 4) & 0x7FF) ^ 1024) - 1024
        return TargetColumn(name, kind, precision=((modifier - 4) >> 16) & 0xFFFF, scale=scale)
    if kind in ("timestamp", "timestamptz", "time", "timetz"):
        return TargetColumn(name, kind, fraction=modifier)
    return TargetColumn(name, kind)


class Lines:
    """A stream of COPY lines that can be looked at before they are taken. Each ends with a newline.

    `passed` is the line taken last.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._ready: deque[bytes] = deque()
        self.passed: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        while (line := self.peek()) is not None:
            self.skip()
            yield line

    def peek(self) -> bytes | None:
        """The next line, or None at the end."""
        if not self._ready:
            line = next(self._source, None)
            if line is None:
                return None
            self._ready.append(line)
        return self._ready[0]

    def skip(self, count: int = 1) -> None:
        """Pass over lines that have been looked at."""
        for _ in range(count):
            self.passed = self._ready.popleft()

    def look(self, count: int, limit: int) -> Sequence[bytes]:
        """Up to `count` next lines, fewer at the end or where they hold more than `limit` bytes."""
        ready = self._ready
        held = sum(map(len, ready))
        while len(ready) < count and held <= limit:
            line = next(self._source, None)
            if line is None:
                break
            ready.append(line)
            held += len(line)
        return ready if len(ready) == count else ()


@contextmanager
def read_lines(
    connection: Connection, schema: str, table: str, forms: Sequence[Form], order: Sequence[Form]
) -> Iterator[Lines]:
    """The table's rows as COPY lines, ordered as `order` says (numbers by value, text by its bytes).

    Leaving early, also by an error, cancels the statement and leaves the connection usable.
    """
    keys = [
        sql.SQL('{} COLLATE "C"' if isinstance(form, TextForm) else "{}").format(
            sql.Identifier(form.target.name)
        )
        for form in order
    ]
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT").format(
        sql.SQL(", ").join(sql.Identifier(f.target.name) for f in forms),
        sql.Identifier(schema, table),
        sql.SQL(" ORDER BY ") + sql.SQL(", ").join(keys) if keys else sql.SQL(""),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        # The server sends one message a row, and message framing survives proxies.
        yield Lines(map(bytes, copy))
        while copy.read():
            pass


def count_rows(connection: Connection, schema: str, table: str) -> int:
    """The number of rows in a table of the target."""
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    ).fetchone()
    return 0 if row is None else int(row[0])
