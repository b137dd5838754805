"""Judges the source's values against the target's real column types, before the first row is written.

PostgreSQL rounds, trims and drops offsets silently: what it would do must be found here. SQL tells what is
safe in one pass over a table; only the columns left are read value by value.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from wizard.databases.copying.inexact import Inexact
from wizard.databases.copying.mixed import carrier
from wizard.databases.copying.orphans import Decisions, Orphans
from wizard.databases.copying.types import INTEGERS, TEXTS, Coercer
from wizard.databases.postgres import catalog
from wizard.databases.postgres.catalog import UniqueKey
from wizard.databases.sqlite.rowkeys import first_keys, key_columns, key_text
from wizard.databases.sqlite.schema import Table, quote
from wizard.model import Choice, Decision

SHOWN = 5
_COLUMNS_A_QUERY = 60
_CHOICES: Mapping[str, tuple[Choice, ...]] = {
    "nul_bytes": (
        Choice("strip", "the NUL characters are removed"),
        Choice("replace", "each becomes U+FFFD, the replacement character"),
    ),
    "invalid_utf8": (
        Choice("replace", "what is not UTF-8 becomes U+FFFD, the replacement character"),
        Choice("latin1", "the bytes are read as Latin-1"),
    ),
    "beyond_scale": (Choice("round", "rounded half away from zero to what the column holds"),),
    "too_long": (Choice("truncate", "the text is cut to what the column holds"),),
    "wrong_type": (Choice("null", "the value becomes empty (NULL)"),),
    "out_of_range": (Choice("null", "the value becomes empty (NULL)"),),
    "epoch": (
        Choice("milliseconds", "the number counts milliseconds since 1970-01-01 UTC"),
        Choice("seconds", "the number counts seconds since 1970-01-01 UTC"),
        Choice("null", "the value becomes empty (NULL)"),
    ),
    "ambiguous_time": (
        Choice("earlier", "the first of the two moments, before the clock was set back"),
        Choice("later", "the second of the two moments, after the clock was set back"),
    ),
    "nonexistent_time": (Choice("shift", "moved on by as much as the clock was set forward"),),
    "json_duplicate_keys": (Choice("last", "the last of the repeated keys stays"),),
    "json_nul": (Choice("strip", "the NUL characters are removed"),),
    "json_surrogates": (Choice("replace", "half a pair becomes U+FFFD, the replacement character"),),
}
_NULL = Choice("null", "the reference becomes empty (NULL)")
_LEAVE_OUT = Choice("leave_out", "the row is not copied")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one table's values ask for, and its `plain` columns: carried as they are, without a coercer."""

    decisions: tuple[Decision, ...]
    plain: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    reason: str
    count: int
    keys: list[str]


def judge_values(
    source: sqlite3.Connection,
    table: Table,
    columns: Sequence[catalog.Column],
    decisions: Decisions,
    zone: str,
    check: Callable[[], None],
) -> Judgement:
    """Judge `columns` (those that are copied) of `table`. Reads the table once or twice, row by row.

    `zone`: see `coercer`.
    """
    source.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    plain: list[str] = []
    found: list[Decision] = []
    for start in range(0, len(columns), _COLUMNS_A_QUERY):
        part = columns[start : start + _COLUMNS_A_QUERY]
        safe, nulls = _survey(source, table, part)
        check()
        plain += safe
        found += [_nulls(source, table, c, n) for c, n in nulls if c.not_null]
    doubtful = [c for c in columns if c.name not in plain]
    if doubtful:
        seen, unchanged = _read(source, table, doubtful, decisions, zone, check)
        plain += unchanged
        by_name = {c.name: c for c in doubtful}
        found += [
            _decision(table, by_name[name], code, s, decisions) for (name, code), s in sorted(seen.items())
        ]
    return Judgement(tuple(found), tuple(plain))


def _survey(
    source: sqlite3.Connection, table: Table, columns: Sequence[catalog.Column]
) -> tuple[list[str], list[tuple[catalog.Column, int]]]:
    """(columns that are certainly carried as they are, columns with the number of their NULLs)."""
    terms = []
    for column in columns:
        name = quote(column.name)
        terms += [f"sum(typeof({name}) = 'null')", *(f"coalesce({t}, 0)" for t in _terms(column, name))]
    numbers = iter(source.execute(f"SELECT {', '.join(terms)} FROM {quote(table.name)}").fetchone())
    safe, nulls = [], []
    for column in columns:
        count = next(numbers) or 0
        if count:
            nulls.append((column, count))
        bad = [next(numbers) for _ in _terms(column, "")]
        if bad and not any(bad):
            safe.append(column.name)
    return safe, nulls


def _terms(column: catalog.Column, name: str) -> list[str]:
    """SQL that is 0 in every term where the column is safe; no term: only reading tells."""
    kind = column.kind
    if column.array or column.labels:
        return []
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        if kind == "int8":
            return [f"max(typeof({name}) NOT IN ('integer', 'null'))"]
        return [f"max(typeof({name}) NOT IN ('integer', 'null') OR {name} NOT BETWEEN {low} AND {high})"]
    if kind == "bool":
        return [f"max(typeof({name}) NOT IN ('integer', 'null') OR {name} NOT IN (0, 1))"]
    if kind == "float8":
        return [f"max(typeof({name}) NOT IN ('real', 'null'))"]
    if kind == "bytea":
        return [f"max(typeof({name}) NOT IN ('blob', 'null'))"]
    if kind in TEXTS and kind not in ("bpchar", "name"):
        # As many characters as bytes: ASCII without NUL. Whether other bytes are UTF-8, SQLite does not say.
        terms = [
            f"max(typeof({name}) NOT IN ('text', 'null') OR length({name}) <> length(CAST({name} AS BLOB)))"
        ]
        if column.length is not None:
            terms.append(f"max(length({name}) > {column.length})")
        return terms
    return []


def _read(
    source: sqlite3.Connection,
    table: Table,
    columns: Sequence[catalog.Column],
    decisions: Decisions,
    zone: str,
    check: Callable[[], None],
) -> tuple[dict[tuple[str, str], _Seen], list[str]]:
    """Carry every value of `columns` on trial: ((column, code) → what was seen, columns left unchanged)."""
    chosen = [decisions.get(f"{table.name}.{c.name}", {}) for c in columns]
    # Values of several classes are judged as what they become.
    strict = [carrier(c, _mixed(d), zone) for c, d in zip(columns, chosen, strict=True)]
    decided = [carrier(c, d, zone) for c, d in zip(columns, chosen, strict=True)]
    changed: set[int] = set()
    seen: dict[tuple[str, str], _Seen] = {}
    key = key_columns(table)
    names = ", ".join([*(quote(c.name) for c in columns), *key])
    trials = [(place, carry, columns[place].kind == "numeric") for place, carry in enumerate(strict)]
    for number, row in enumerate(source.execute(f"SELECT {names} FROM {quote(table.name)}")):
        if number % 4096 == 0:
            check()
        for place, carry, numeric in trials:
            value = row[place]
            if value is None:
                continue
            try:
                result = carry(value)
            except Inexact as error:
                changed.add(place)
                for fault in _faults(error, decided[place], value):
                    spot = seen.setdefault((columns[place].name, fault.code), _Seen(fault.reason, 0, []))
                    spot.count += 1
                    if len(spot.keys) < SHOWN:
                        spot.keys.append(key_text(table, row[len(columns) :]))
            else:
                if result is not value and place not in changed and not _same(value, result, numeric):
                    changed.add(place)
    return seen, [c.name for place, c in enumerate(columns) if place not in changed]


def _mixed(decided: Mapping[str, str]) -> Mapping[str, str]:
    return {code: choice for code, choice in decided.items() if code == "mixed_types"}


def _faults(first: Inexact, decided: Coercer, value: object) -> Iterator[Inexact]:
    """The first fault of a value, and the one that is left where the first is decided."""
    yield first
    try:
        decided(value)
    except Inexact as second:
        if second.code != first.code:
            yield second


def _same(value: object, result: object, numeric: bool) -> bool:
    """Whether COPY writes the same for both. A real number is written as its shortest digits."""
    if numeric and type(result) is Decimal:
        return type(value) is not str and result == Decimal(repr(value))
    return type(value) is type(result) and value == result


def _decision(table: Table, column: catalog.Column, code: str, seen: _Seen, decisions: Decisions) -> Decision:
    subject = f"{table.name}.{column.name}"
    choices = _CHOICES[code]
    if code in ("wrong_type", "out_of_range") and column.not_null:
        choices = ()
    if code == "epoch" and column.not_null:
        choices = choices[:-1]
    message = (
        f"{seen.count:,} values of {subject} cannot be carried exactly into {column.type}: {seen.reason}."
    )
    if code == "out_of_range" and column.kind in ("int2", "int4"):
        message += (
            " A wider column would hold them (in Django a BigIntegerField): change the model, migrate the "
            "app's own database, then start again."
        )
    elif not choices:
        message += " Correct them at the source."
    chosen = decisions.get(subject, {}).get(code)
    return Decision(subject, code, message, seen.count, tuple(seen.keys), choices, chosen)


def _nulls(source: sqlite3.Connection, table: Table, column: catalog.Column, count: int) -> Decision:
    subject = f"{table.name}.{column.name}"
    keys = first_keys(source, table, f"typeof({quote(column.name)}) = 'null'")
    message = f"{count:,} values of {subject} are NULL, which the target's column does not allow."
    return Decision(subject, "null_in_not_null", f"{message} Correct them at the source.", count, keys, ())


def judge_references(
    source: sqlite3.Connection, tables: Mapping[str, Table], columns: Mapping[str, Sequence[catalog.Column]],
    orphans: Orphans,
) -> list[Decision]:  # fmt: skip
    """Rows that the target's foreign keys would refuse, with what is decided taken into account."""
    found = []
    for name, table in tables.items():
        for key in orphans.keys(name):
            if key.parent not in tables or orphans.choice(key) is not None:
                continue
            kept = orphans.kept(name, "t")
            condition = orphans.orphaned(key, "t") + (f" AND {kept}" if kept else "")
            count = source.execute(f"SELECT count(*) FROM {quote(name)} AS t WHERE {condition}").fetchone()[0]
            if not count:
                continue
            single = len(key.columns) == 1
            subject = f"{name}.{key.columns[0]}" if single else name
            nullable = single and not any(
                c.not_null for c in columns.get(name, ()) if c.name == key.columns[0]
            )
            shown = key_columns(table)
            rows = (
                source.execute(
                    f"SELECT {', '.join(shown)} FROM {quote(name)} AS t WHERE {condition} LIMIT {SHOWN}"
                ).fetchall()
                if shown
                else []
            )
            found.append(
                Decision(
                    subject,
                    "orphans",
                    f"{count:,} rows of {name} refer by {', '.join(key.columns)} to rows of {key.parent} "
                    "that are not there.",
                    count,
                    tuple(key_text(table, row) for row in rows),
                    ((_NULL, _LEAVE_OUT) if nullable else (_LEAVE_OUT,)),
                )
            )
    return found


def judge_unique(
    source: sqlite3.Connection, table: Table, keys: Iterable[UniqueKey], carried: Iterable[str]
) -> list[Decision]:
    """Values that stand twice where the target allows them once and the source had no such rule."""
    found = []
    names = set(carried)
    for key in keys:
        if not set(key.columns) <= names or _has_unique(table, key.columns):
            continue
        listed = ", ".join(map(quote, key.columns))
        filled = " AND ".join(f"{quote(c)} IS NOT NULL" for c in key.columns)
        group = (
            f"SELECT {listed} FROM {quote(table.name)} WHERE {filled} GROUP BY {listed} HAVING count(*) > 1"
        )
        count = source.execute(f"SELECT count(*) FROM ({group})").fetchone()[0]
        if not count:
            continue
        left = f"({listed})" if len(key.columns) > 1 else listed
        found.append(
            Decision(
                f"{table.name}.{key.columns[0]}" if len(key.columns) == 1 else table.name,
                "not_unique",
                f"{count:,} values of {table.name} ({', '.join(key.columns)}) stand more than once, which "
                f"the target's {key.name} does not allow. Correct them at the source.",
                count,
                first_keys(source, table, f"{left} IN ({group})"),
                (),
            )
        )
    return found


def _has_unique(table: Table, columns: Sequence[str]) -> bool:
    wanted = set(columns)
    if table.primary_key and set(table.primary_key) <= wanted:
        return True
    return any(
        i.unique and not i.partial and None not in i.columns and {c for c in i.columns if c} <= wanted
        for i in table.indexes
    )
