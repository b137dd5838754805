"""The target's tables as `pg_catalog` describes them: real types, keys, owners. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a target table, domains resolved to their base.

    `kind` is the base type's internal name (`int4`, `varchar`, `bpchar`, `timestamptz`, …), `array` tells
    that it is an array, `typmod` the raw modifier (-1: none), `type` the type in words. `labels` are an
    enum's. `loose` means that two different texts may be equal here (citext, or a collation that is
    not deterministic).
    """

    name: str
    number: int
    kind: str
    type: str
    typmod: int
    not_null: bool
    generated: bool
    identity: str
    array: bool
    has_default: bool
    labels: tuple[str, ...] = ()
    loose: bool = False

    @property
    def length(self) -> int | None:
        """n of varchar(n) and char(n), else None."""
        return self.typmod - 4 if self.kind in ("varchar", "bpchar") and self.typmod >= 4 else None

    @property
    def precision_scale(self) -> tuple[int, int] | None:
        """(precision, scale) of numeric(p, s), else None. The scale may be negative."""
        if self.kind != "numeric" or self.typmod < 4:
            return None
        packed = self.typmod - 4
        scale = packed & 0x7FF
        return packed >> 16, scale - 0x800 if scale & 0x400 else scale

    @property
    def fraction_digits(self) -> int:
        """Digits after the second that a date/time type keeps: 0 to 6."""
        if self.kind == "interval":
            digits = self.typmod & 0xFFFF if self.typmod >= 0 else 0xFFFF
            return 6 if digits == 0xFFFF else digits
        return self.typmod if 0 <= self.typmod <= 6 else 6


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the target. `owned` tells whether this role has the owner's rights."""

    name: str
    oid: int
    owned: bool
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A unique index or constraint over plain columns, without a condition."""

    table: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of `table` refer to `parent_columns` of `parent`."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


_COLUMNS = """
WITH RECURSIVE base AS (
    SELECT t.oid AS domain, t.oid AS type, -1 AS typmod, t.typnotnull AS strict, t.typtype, t.typbasetype,
           t.typtypmod
    FROM pg_type t
  UNION ALL
    SELECT b.domain, t.oid, CASE WHEN b.typmod = -1 THEN b.typtypmod ELSE b.typmod END,
           b.strict OR t.typnotnull, t.typtype, t.typbasetype, t.typtypmod
    FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT c.relname, a.attname, a.attnum, t.typname,
       format_type(b.type, CASE WHEN a.atttypmod = -1 THEN b.typmod ELSE a.atttypmod END),
       CASE WHEN a.atttypmod = -1 THEN b.typmod ELSE a.atttypmod END,
       a.attnotnull OR b.strict, a.attgenerated <> '', a.attidentity, t.typcategory = 'A', a.atthasdef,
       CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid
                                            ORDER BY e.enumsortorder) END,
       t.typname = 'citext' OR coalesce(NOT l.collisdeterministic, false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN base b ON b.domain = a.atttypid AND b.typtype <> 'd' JOIN pg_type t ON t.oid = b.type
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum
"""

_TABLES = """
SELECT c.relname, c.oid::bigint, pg_has_role(current_user, c.relowner, 'USAGE'),
       ARRAY(SELECT a.attname::text FROM pg_constraint k
             CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
             WHERE k.conrelid = c.oid AND k.contype = 'p' ORDER BY u.place)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""

_UNIQUE = """
SELECT c.relname, i.relname, ARRAY(SELECT a.attname::text
    FROM unnest((x.indkey::int2[])[0:x.indnkeyatts - 1]) WITH ORDINALITY AS u(number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place)
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class i ON i.oid = x.indexrelid
WHERE n.nspname = %s AND x.indisunique AND x.indpred IS NULL AND x.indexprs IS NULL ORDER BY 1, 2
"""


_FOREIGN_KEYS = """
SELECT c.relname, ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
           JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       f.relname, ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
           JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace m ON m.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = %s AND m.nspname = %s
ORDER BY c.relname, k.conname
"""


def read_tables(connection: psycopg.Connection, schema: str) -> dict[str, Table]:
    """Every table of `schema`, by name."""
    columns: dict[str, list[Column]] = {}
    for name, *plain, labels, loose in connection.execute(_COLUMNS, (schema,)):
        column = Column(*plain)
        columns.setdefault(name, []).append(replace(column, labels=tuple(labels or ()), loose=loose))
    return {
        name: Table(name, oid, owned, tuple(columns.get(name, ())), tuple(key))
        for name, oid, owned, key in connection.execute(_TABLES, (schema,))
    }


def read_foreign_keys(connection: psycopg.Connection, schema: str) -> list[ForeignKey]:
    """Every foreign key between tables of `schema`."""
    return [
        ForeignKey(table, tuple(columns), parent, tuple(keys))
        for table, columns, parent, keys in connection.execute(_FOREIGN_KEYS, (schema, schema))
    ]


def read_unique_keys(connection: psycopg.Connection, schema: str) -> list[UniqueKey]:
    """Every unique key over plain columns without a condition, by table and name."""
    return [
        UniqueKey(table, name, tuple(columns))
        for table, name, columns in connection.execute(_UNIQUE, (schema,))
    ]
