"""Sequences behind serial, identity and `nextval` columns: set after the load, checked by catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from wizard.databases.postgres.target import Target

_SEQUENCES = """
SELECT DISTINCT c.relname, a.attname, sn.nspname, s.relname, q.seqincrement, q.seqmin, q.seqmax
FROM pg_depend d
JOIN pg_class s ON s.relkind = 'S'
    AND ((d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_class'::regclass)
      OR (d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid))
LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
JOIN pg_class c ON c.oid = coalesce(f.adrelid, d.refobjid) JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = coalesce(f.adnum, d.refobjsubid) AND a.attnum > 0
JOIN pg_sequence q ON q.seqrelid = s.oid JOIN pg_namespace sn ON sn.oid = s.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s) ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence that feeds `table.column`."""

    table: str
    column: str
    schema: str
    name: str
    increment: int
    minimum: int
    maximum: int

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def sequences(connection: psycopg.Connection, schema: str, tables: Iterable[str]) -> list[Sequence]:
    """Every sequence that feeds a column of `tables` and counts upwards."""
    rows = connection.execute(_SEQUENCES, (schema, list(tables))).fetchall()
    return [Sequence(*row) for row in rows if row[4] > 0]


def set_sequences(target: Target, tables: Iterable[str], floors: Mapping[tuple[str, str], int]) -> int:
    """Set each sequence so that its next value is unused; never lowers one. Returns how many there are.

    `floors` holds, by (table, column), the highest number that the source ever gave out.
    """
    found = sequences(target.connection, target.schema, tables)
    for sequence in found:
        with target.transaction() as cursor:
            wanted = _wanted(cursor, target, sequence, floors.get((sequence.table, sequence.column)))
            last = _last(cursor, sequence)
            if wanted is not None and (last is None or last < wanted):
                cursor.execute(
                    "SELECT setval(%s::regclass, %s, true)", (sequence.identifier.as_string(cursor), wanted)
                )
    return len(found)


def wrong_sequences(
    target: Target, tables: Iterable[str], floors: Mapping[tuple[str, str], int]
) -> list[Sequence]:
    """The sequences that would give out a number that is or was in use. Reads the catalog only."""
    wrong = []
    with target.connection.cursor() as cursor:
        for sequence in sequences(target.connection, target.schema, tables):
            wanted = _wanted(cursor, target, sequence, floors.get((sequence.table, sequence.column)))
            last = _last(cursor, sequence)
            if wanted is not None and (last is None or last < wanted):
                wrong.append(sequence)
    return wrong


def _wanted(cursor: psycopg.Cursor, target: Target, sequence: Sequence, floor: int | None) -> int | None:
    cursor.execute(
        sql.SQL("SELECT max({})::bigint FROM {}").format(
            sql.Identifier(sequence.column), target.table(sequence.table)
        )
    )
    row = cursor.fetchone()
    known = [value for value in (row[0] if row else None, floor) if value is not None]
    if not known or max(known) < sequence.minimum:
        return None
    return min(max(known), sequence.maximum)


def _last(cursor: psycopg.Cursor, sequence: Sequence) -> int | None:
    """The last number given out, or None where none was."""
    cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sequence.identifier))
    row = cursor.fetchone()
    assert row is not None
    return int(row[0]) if row[1] else None
