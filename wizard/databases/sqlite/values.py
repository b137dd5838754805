"""Judges the values of one table against what its columns are declared to hold.

Two passes: SQL counts what SQL can see in every column; Python reads only the columns, and only the rows,
where text must be parsed (dates, UUIDs, JSON) or decoded (bytes beyond ASCII).
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from wizard.context import Cancel
from wizard.databases.sqlite import jsontext
from wizard.databases.sqlite.declared import Declared, declared
from wizard.databases.sqlite.rowkeys import SHOWN, first_keys, key_columns, key_text
from wizard.databases.sqlite.schema import Column, Table, quote
from wizard.model import Choice, Decision

_BATCH = 60  # columns a query: far below SQLite's limit of result columns
_STRIP = Choice("strip", "the NUL characters are removed")
_REPLACE = Choice("replace", "each becomes U+FFFD, the replacement character")
_LATIN1 = Choice("latin1", "the bytes are read as Latin-1")
_NULL = Choice("null", "the value becomes empty (NULL)")
_MILLISECONDS = Choice("milliseconds", "the number counts milliseconds since 1970-01-01 UTC")
_SECONDS = Choice("seconds", "the number counts seconds since 1970-01-01 UTC")
_TRUNCATE = Choice("truncate", "the text is cut to the declared length")
_LAST = Choice("last", "the last of the repeated keys stays, as jsonb does")

_WRONG: dict[str, str] = {
    "boolean": "typeof({c}) IN ('text', 'blob', 'real') OR (typeof({c}) = 'integer' AND {c} NOT IN (0, 1))",
    "integer": "typeof({c}) IN ('text', 'blob', 'real')",
    "real": "typeof({c}) IN ('text', 'blob')",
    "decimal": "typeof({c}) IN ('text', 'blob')",
    "datetime": "typeof({c}) IN ('blob', 'real')",
    "date": "typeof({c}) IN ('blob', 'real')",
    "time": "typeof({c}) IN ('blob', 'real')",
    "uuid": "typeof({c}) IN ('integer', 'real') OR (typeof({c}) = 'blob' AND length({c}) <> 16)",
    "json": "typeof({c}) = 'blob'",
    "text": "typeof({c}) = 'blob'",
    "blob": "typeof({c}) IN ('text', 'integer', 'real')",
}
_PARSED = ("datetime", "date", "time", "uuid", "json")
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_ZONE = r"\s?(?:Z|[+-]\d\d(?::?\d\d)?)"
_DATETIME = re.compile(rf"{_DATE}(?:[ T]{_TIME}(?:{_ZONE})?)?", re.ASCII)
_TIMES = re.compile(rf"{_TIME}(?:{_ZONE})?", re.ASCII)
_DAY = re.compile(rf"{_DATE}(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)


@dataclass
class _Found:
    """How many values of one column have one fault, and the first keys."""

    count: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        self.count += 1
        if key and len(self.keys) < SHOWN:
            self.keys.append(key)


@dataclass(frozen=True)
class _Fault:
    code: str
    condition: str


def judge(
    connection: sqlite3.Connection, table: Table, judge_types: bool, cancel: Cancel
) -> Iterator[Decision]:
    """The decisions that the values of `table` ask for, column by column."""
    connection.create_function("ashore_is_ascii", 1, bytes.isascii, deterministic=True)
    stored = [c for c in table.columns if not c.generated]
    kinds = {c.name: declared(table, c) for c in stored}
    found: dict[tuple[str, str], _Found] = {}
    beyond_ascii: set[str] = set()
    for start in range(0, len(stored), _BATCH):
        part = stored[start : start + _BATCH]
        _count(connection, table, part, kinds, judge_types, found, beyond_ascii)
    _parse(connection, table, stored, kinds, judge_types, found, beyond_ascii, cancel)
    for column in stored:
        for (name, code), seen in sorted(found.items()):
            if name == column.name and seen.count:
                yield _decision(table, column, kinds[name], code, seen)


def _count(
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[Column],
    kinds: dict[str, Declared],
    judge_types: bool,
    found: dict[tuple[str, str], _Found],
    beyond_ascii: set[str],
) -> None:
    asked: list[tuple[Column, _Fault]] = []
    for column in columns:
        asked += [(column, fault) for fault in _faults(column, kinds[column.name], judge_types)]
    terms = ", ".join(f"sum({fault.condition})" for _, fault in asked)
    if not terms:
        return
    numbers = connection.execute(f"SELECT {terms} FROM {quote(table.name)}").fetchone()
    for (column, fault), number in zip(asked, numbers, strict=True):
        if not number:
            continue
        if fault.code == "":
            beyond_ascii.add(column.name)
            continue
        keys = first_keys(connection, table, fault.condition)
        found[column.name, fault.code] = _Found(int(number), list(keys))


def _beyond_ascii(name: str) -> str:
    """Measured on 250 bytes of text: an eighth of the time of a GLOB, which looks at every character."""
    return f"CASE typeof({name}) WHEN 'text' THEN NOT ashore_is_ascii(CAST({name} AS BLOB)) ELSE 0 END"


def _faults(column: Column, kind: Declared, judge_types: bool) -> Iterator[_Fault]:
    """What SQL can count. The code "" marks text that Python must decode."""
    name = quote(column.name)
    yield _Fault("nul_bytes", f"typeof({name}) = 'text' AND instr({name}, char(0)) > 0")
    yield _Fault("", _beyond_ascii(name))
    if column.not_null:
        # typeof: SQLite takes IS NULL for false where the column is declared NOT NULL.
        yield _Fault("null_in_not_null", f"typeof({name}) = 'null'")
    if not judge_types:
        return
    if kind.kind in _WRONG:
        yield _Fault("wrong_type", f"({_WRONG[kind.kind].format(c=name)})")
    if kind.kind == "datetime":
        yield _Fault("epoch", f"typeof({name}) = 'integer'")
    if kind.length is not None:
        yield _Fault("too_long", f"typeof({name}) = 'text' AND length({name}) > {kind.length}")


def _parse(
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[Column],
    kinds: dict[str, Declared],
    judge_types: bool,
    found: dict[tuple[str, str], _Found],
    beyond_ascii: set[str],
    cancel: Cancel,
) -> None:
    wanted = [c for c in columns if c.name in beyond_ascii or (judge_types and kinds[c.name].kind in _PARSED)]
    if not wanted:
        return
    key = key_columns(table)
    texts = [f"CASE typeof({quote(c.name)}) WHEN 'text' THEN {quote(c.name)} END" for c in wanted]
    only = " OR ".join(
        f"typeof({quote(c.name)}) = 'text'"
        if judge_types and kinds[c.name].kind in _PARSED
        else _beyond_ascii(quote(c.name))
        for c in wanted
    )
    factory = connection.text_factory
    connection.text_factory = bytes
    try:
        rows = connection.execute(f"SELECT {', '.join([*texts, *key])} FROM {quote(table.name)} WHERE {only}")
        for number, row in enumerate(rows):
            if number % 1000 == 0:
                cancel.check()
            for column, raw in zip(wanted, row, strict=False):
                if raw is None:
                    continue
                for code in _text_faults(raw, kinds[column.name].kind if judge_types else "any"):
                    key_shown = key_text(table, row[len(wanted) :]) if key else ""
                    found.setdefault((column.name, code), _Found()).add(key_shown)
    finally:
        connection.text_factory = factory


def _text_faults(raw: bytes, kind: str) -> Iterator[str]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        yield "invalid_utf8"
        return
    if kind == "json":
        yield from jsontext.faults(text.replace("\0", ""))
    elif kind in _PARSED and not fits(text, kind):
        yield "wrong_type"


def fits(text: str, kind: str) -> bool:
    """Whether `text` is a date, time, datetime or UUID as apps write them (ISO 8601 with a blank or T)."""
    try:
        if kind == "datetime":
            return bool(_DATETIME.fullmatch(text)) and _parses(datetime.fromisoformat, text)
        if kind == "date":
            return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text[:10]))
        if kind == "time":
            return bool(_TIMES.fullmatch(text)) and _parses(time.fromisoformat, text)
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def _parses(parse: Callable[[str], object], text: str) -> bool:
    """Raises ValueError where it does not. Most texts need no mending, which costs more than the parsing."""
    try:
        parse(text)
    except ValueError:
        parse(_plain(text))
    return True


def _plain(text: str) -> str:
    """`text` as Python parses it: no blank before the zone, no more than six digits of a second."""
    text = re.sub(r"\s(?=Z|[+-]\d\d(:?\d\d)?$)", "", text)
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _decision(table: Table, column: Column, kind: Declared, code: str, seen: _Found) -> Decision:
    nullable = (_NULL,) if not column.not_null and not column.pk else ()
    what, choices = {
        "nul_bytes": ("hold a NUL character, which PostgreSQL does not store in text", (_STRIP, _REPLACE)),
        "invalid_utf8": ("are not valid UTF-8", (_REPLACE, _LATIN1)),
        "wrong_type": (f"are not what the column is declared to hold ({column.type or kind.kind})", nullable),
        "epoch": ("are integers in a column of moments", (_MILLISECONDS, _SECONDS, *nullable)),
        "too_long": (f"are longer than the declared {kind.length} characters", (_TRUNCATE,)),
        "null_in_not_null": ("are NULL although the column is declared NOT NULL", ()),
        "json_duplicate_keys": ("are JSON with a repeated key", (_LAST,)),
        "json_nul": ("are JSON with a NUL character in a string", (_STRIP,)),
        "json_surrogates": ("are JSON with half a surrogate pair", (_REPLACE,)),
    }[code]
    message = f"{seen.count:,} values of {table.name}.{column.name} {what}."
    if not choices:
        message += " Correct them at the source."
    return Decision(
        f"{table.name}.{column.name}", code, message, seen.count, tuple(seen.keys), tuple(choices)
    )
