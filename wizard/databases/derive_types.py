"""Chooses a PostgreSQL type for each column of a SQLite table: declared, but never against a value.

A type is only chosen where every stored value fits it exactly; else the next wider one that does, at last
`text` or `bytea`. Limits: https://www.postgresql.org/docs/current/datatype.html.
"""

from __future__ import annotations

import math
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from wizard.databases.sqlite import jsontext
from wizard.databases.sqlite.declared import Declared, declared
from wizard.databases.sqlite.schema import Column, Table, quote
from wizard.databases.sqlite.values import fits

BOOLEAN, BIGINT, NUMERIC, DOUBLE = "boolean", "bigint", "numeric", "double precision"
TEXT, BYTEA, JSONB, UUID, CITEXT = "text", "bytea", "jsonb", "uuid", "citext"
TIMESTAMP, TIMESTAMPTZ, DATE, TIME = (
    "timestamp without time zone",
    "timestamp with time zone",
    "date",
    "time without time zone",
)
_EXACT_IN_DOUBLE = 2**53
_ZONED = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_USUAL_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_FINER = re.compile(r"\.\d{7}")
_MAX_PRECISION = 1000
_COLUMNS_A_QUERY = 60  # eight results each: far below SQLite's limit of result columns


@dataclass(frozen=True, slots=True)
class Stats:
    """What a column holds: values by storage class, bounds of its integers, its longest text or bytes."""

    integers: int
    reals: int
    texts: int
    blobs: int
    nulls: int
    smallest: int
    greatest: int
    longest: int

    @property
    def filled(self) -> int:
        return self.integers + self.reals + self.texts + self.blobs

    @property
    def classes(self) -> int:
        """How many storage classes meet in the column, NULL left out."""
        return sum(bool(count) for count in (self.integers, self.reals, self.texts, self.blobs))


@dataclass(frozen=True, slots=True)
class Manners:
    """An app that speaks SQLite's SQL and reads SQLite's own values: 0 and 1, and moments as text.

    `times`: it lets sqlite3 make moments of columns declared TIMESTAMP or DATE (PARSE_DECLTYPES).
    `foreign_keys`: it switches them on; SQLite enforces none by itself, and PostgreSQL all.
    """

    times: bool = False
    foreign_keys: bool = True


@dataclass(frozen=True, slots=True)
class Typed:
    """The type chosen for a column, what the column holds, and why the declared type was not taken.

    `mixed`: its values are of classes that no type holds together; a decision turns them into one.
    """

    type: str
    stats: Stats
    note: str = ""
    mixed: bool = False


def choose(
    connection: sqlite3.Connection,
    table: Table,
    column: Column,
    stats: Stats,
    chosen: str | None = None,
    manners: Manners | None = None,
) -> Typed:
    """The type of `column`. Reads the table only where text must be parsed.

    `chosen` is the decision `mixed_types` about it: `text`, `bytes` or None. With `manners` a declared type
    counts as far as SQLite itself knows it.
    """
    if column.name == table.rowid_alias:
        return Typed(BIGINT, stats)
    wanted = declared(table, column)
    if manners is not None:
        wanted = _as_kept(wanted, column, manners)
    if wanted.kind == "json" and column.type.upper() not in ("JSON", "JSONB"):
        wanted = Declared("text")  # checked text: apps read it as text
    found = _as_declared(connection, table, column, wanted, stats)
    if found is not None:
        return Typed(found, stats)
    type_ = _as_observed(connection, table, column, stats)
    mixed = stats.texts < stats.filled if type_ == TEXT else type_ == BYTEA and stats.blobs < stats.filled
    if mixed:
        type_ = {"text": TEXT, "bytes": BYTEA}.get(chosen or "", type_)
    if wanted.kind == "any" or mixed:
        return Typed(type_, stats, "", mixed)
    shown = column.type or wanted.kind
    note = f"{table.name}.{column.name} is declared {shown}, but not all its values fit; it becomes {type_}."
    return Typed(type_, stats, note)


def _as_kept(wanted: Declared, column: Column, manners: Manners) -> Declared:
    """What SQLite itself keeps in such a column: it has no type for conditions, moments, JSON."""
    if wanted.kind == "boolean":
        return Declared("integer")
    if wanted.kind in ("datetime", "date") and manners.times and column.type.upper() in ("TIMESTAMP", "DATE"):
        return wanted
    if wanted.kind in ("datetime", "date", "time", "uuid", "json"):
        return Declared("text")
    return Declared("decimal") if wanted.kind == "decimal" else wanted


def survey(connection: sqlite3.Connection, table: Table) -> dict[str, Stats]:
    """What every column of `table` holds. Reads the table once for every sixty columns."""
    found = {}
    classes = ("integer", "real", "text", "blob", "null")
    for start in range(0, len(table.columns), _COLUMNS_A_QUERY):
        part = table.columns[start : start + _COLUMNS_A_QUERY]
        terms = []
        for column in part:
            name = quote(column.name)
            whole = f"CASE typeof({name}) WHEN 'integer' THEN {name} END"
            # Numbers are left out of the longest: turning each into its digits costs more than all the rest.
            length = (
                f"CASE typeof({name}) WHEN 'text' THEN length(CAST({name} AS BLOB)) "
                f"WHEN 'blob' THEN length({name}) END"
            )
            terms += [f"total(typeof({name}) = '{c}')" for c in classes]
            terms += [
                f"coalesce(min({whole}), 0)",
                f"coalesce(max({whole}), 0)",
                f"coalesce(max({length}), 0)",
            ]
        row = connection.execute(f"SELECT {', '.join(terms)} FROM {quote(table.name)}").fetchone()
        each = len(terms) // len(part)
        for place, column in enumerate(part):
            found[column.name] = Stats(*(int(v) for v in row[place * each : (place + 1) * each]))
    return found


def _texts(connection: sqlite3.Connection, table: Table, column: Column) -> Iterator[str | None]:
    """Every text value; None for one that is not UTF-8."""
    name = quote(column.name)
    factory = connection.text_factory
    connection.text_factory = bytes
    try:
        for (raw,) in connection.execute(
            f"SELECT {name} FROM {quote(table.name)} WHERE typeof({name}) = 'text'"
        ):
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                yield None
    finally:
        connection.text_factory = factory


def _as_declared(
    connection: sqlite3.Connection, table: Table, column: Column, wanted: Declared, stats: Stats
) -> str | None:
    """The declared type in PostgreSQL where all values fit it, else None."""
    only_text = stats.texts == stats.filled

    def all_texts(test: Callable[[str], bool]) -> bool:
        return only_text and all(
            text is not None and test(text) for text in _texts(connection, table, column)
        )

    match wanted.kind:
        case "boolean":
            small = stats.smallest >= 0 and stats.greatest <= 1
            return BOOLEAN if stats.integers == stats.filled and small else None
        case "integer":
            return BIGINT if stats.integers == stats.filled else None
        case "real":
            return DOUBLE if _fits_double(stats) else None
        case "decimal":
            return _decimal(connection, table, column, wanted, stats)
        case "datetime":
            if all_texts(_is_plain_timestamp):
                return TIMESTAMP
            zoned = all_texts(lambda text: _is_timestamp(text) and bool(_ZONED.search(text[10:])))
            return TIMESTAMPTZ if zoned else None
        case "date":
            return DATE if all_texts(lambda text: len(text) == 10 and fits(text, "date")) else None
        case "time":
            plain = all_texts(lambda t: fits(t, "time") and not _ZONED.search(t) and _microseconds(t))
            return TIME if plain else None
        case "uuid":
            return UUID if all_texts(_is_canonical_uuid) else None
        case "json":
            return JSONB if all_texts(lambda text: not jsontext.faults(text)) else None
        case "text":
            return TEXT if only_text else None
        case "blob":
            return BYTEA if stats.blobs == stats.filled else None
    return None


def _is_plain_timestamp(text: str) -> bool:
    if _USUAL_STAMP.fullmatch(text):
        return fits(text, "datetime")
    return _is_timestamp(text) and not _ZONED.search(text[10:])


def _is_timestamp(text: str) -> bool:
    return len(text) > 10 and fits(text, "datetime") and _microseconds(text)


def _microseconds(text: str) -> bool:
    """PostgreSQL keeps six digits of a second and rounds the rest."""
    return _FINER.search(text) is None


def _is_canonical_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _fits_double(stats: Stats) -> bool:
    exact = max(-stats.smallest, stats.greatest) <= _EXACT_IN_DOUBLE
    return stats.integers + stats.reals == stats.filled and exact


def _decimal(
    connection: sqlite3.Connection, table: Table, column: Column, wanted: Declared, stats: Stats
) -> str | None:
    if stats.integers + stats.reals != stats.filled:
        return None
    name = quote(column.name)
    precision, scale = wanted.precision, wanted.scale or 0
    limited = precision is not None and 0 < precision <= _MAX_PRECISION and scale <= precision
    bound = 10 ** (precision - scale) if limited and precision is not None else 0
    for (value,) in connection.execute(
        f"SELECT {name} FROM {quote(table.name)} WHERE typeof({name}) IN ('integer', 'real')"
    ):
        if isinstance(value, float) and not math.isfinite(value):
            return None
        exact = Decimal(repr(value))
        exponent = exact.normalize().as_tuple().exponent
        if limited and (abs(exact) >= bound or (isinstance(exponent, int) and -exponent > scale)):
            limited = False
    return f"numeric({precision},{scale})" if limited else NUMERIC


def _as_observed(connection: sqlite3.Connection, table: Table, column: Column, stats: Stats) -> str:
    """The type that the values themselves have."""
    if stats.blobs:
        return BYTEA
    if stats.texts:
        return TEXT
    if stats.integers == stats.filled:
        return BIGINT if stats.filled else TEXT  # nothing stored, nothing known declared
    if _fits_double(stats):
        return DOUBLE
    return _decimal(connection, table, column, Declared("decimal"), stats) or TEXT
