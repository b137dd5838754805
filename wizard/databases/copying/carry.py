"""Carries over what changed between two snapshots of the source: deletes, then rows by COPY.

Inside one transaction of the caller, with foreign keys and triggers put aside, so that no cascade fires.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from wizard.databases.copying.chunks import Reading
from wizard.databases.copying.scope import Pair
from wizard.databases.copying.types import Coercer
from wizard.databases.postgres import record
from wizard.databases.postgres.target import Target
from wizard.databases.sqlite.changes import TableChange, changed_sql, missing_sql
from wizard.databases.sqlite.schema import Table, quote

DOOMED = sql.Identifier("pg_temp", "ashore_doomed")


@dataclass(frozen=True, slots=True)
class Carried:
    """Rows taken out of the target and rows put in, of all tables."""

    deleted: int
    written: int


def new_rows(reading: Reading, change: TableChange) -> Reading:
    """`reading` narrowed to the rows that are new or changed; all rows where the table goes whole.

    Needs a connection whose `main` is the new snapshot and whose `base` is the old one.
    """
    if change.whole:
        return reading
    table = reading.table
    wanted = f"({_row(table, 't')}) IN ({missing_sql(table, 'main', 'base')} UNION ALL {changed_sql(table)})"
    return replace(reading, where=f"{reading.where} AND {wanted}" if reading.where else wanted)


def _row(table: Table, alias: str) -> str:
    return ", ".join(f"{alias}.{quote(c)}" for c in table.primary_key)


def delete_old(
    cursor: psycopg.Cursor,
    target: Target,
    source: sqlite3.Connection,
    pair: Pair,
    change: TableChange,
    coercers: Sequence[tuple[int, Coercer]],
) -> int:
    """Delete from the target the rows that are gone or changed; returns how many were deleted.

    `coercers` are those of the key's columns, by place in the key.
    """
    name = target.table(pair.name)
    if change.whole:
        record.forget_images(cursor, target.run, pair.name)
        return cursor.execute(sql.SQL("DELETE FROM {}").format(name)).rowcount
    table = pair.source
    key = sql.SQL(", ").join(map(sql.Identifier, table.primary_key))
    cursor.execute(
        sql.SQL("CREATE TEMP TABLE ashore_doomed ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            key, name
        )
    )
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(DOOMED)) as copy:
        for row in source.execute(f"{missing_sql(table, 'base', 'main')} UNION ALL {changed_sql(table)}"):
            values = list(row)
            for place, carry in coercers:
                if values[place] is not None:
                    values[place] = carry(values[place])
            copy.write_row(values)
    same = sql.SQL(" AND ").join(
        sql.SQL("t.{} = d.{}").format(sql.Identifier(c), sql.Identifier(c)) for c in table.primary_key
    )
    deleted = cursor.execute(sql.SQL("DELETE FROM {} AS t USING {} AS d WHERE {}").format(name, DOOMED, same))
    cursor.execute(
        sql.SQL(
            "DELETE FROM ashore.before_image AS b USING {} AS d "
            "WHERE b.run = %s AND b.table_name = %s AND b.key::jsonb = to_jsonb(ARRAY[{}])"
        ).format(
            DOOMED,
            sql.SQL(", ").join(sql.SQL("d.{}::text").format(sql.Identifier(c)) for c in table.primary_key),
        ),
        (target.run, pair.name),
    )
    count = deleted.rowcount
    cursor.execute(sql.SQL("DROP TABLE {}").format(DOOMED))
    return count
