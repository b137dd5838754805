"""Carries over what changed between two snapshots of the source: deletes, then rows by COPY.

Inside one transaction of the caller, with foreign keys and triggers put aside, so that no cascade fires.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from wizard.databases.copying.chunks import Reading
from wizard.databases.copying.scope import Pair
from wizard.databases.copying.types import Coercer
from wizard.databases.postgres import record
from wizard.databases.postgres.target import Target
from wizard.databases.sqlite.changes import TableChange, changed_sql, missing_sql
from wizard.databases.sqlite.schema import Table, quote
from wizard.errors import NotAsPlanned

DOOMED = sql.Identifier("pg_temp", "ashore_doomed")


Version = tuple[int, int]


def versions(cursor: psycopg.Cursor, target: Target, tables: Iterable[str]) -> dict[str, Version]:
    """By table: its rows, and the sum of the transactions that wrote them. Any later write changes one of
    the two, whoever makes it; vacuum and freezing change neither."""
    found = {}
    for table in tables:
        cursor.execute(
            sql.SQL("SELECT count(*), coalesce(sum(xmin::text::bigint), 0) FROM {}").format(
                target.table(table)
            )
        )
        row = cursor.fetchone()
        assert row is not None
        found[table] = (int(row[0]), int(row[1]))
    return found


def require_unchanged(cursor: psycopg.Cursor, target: Target, seen: Mapping[str, Version]) -> None:
    """Lock the tables against writers, and see that nobody wrote to them since `versions` looked.

    Raises NotAsPlanned `target-changed`: what someone else wrote must not be deleted.
    """
    for table in sorted(seen):
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target.table(table)))
    now = versions(cursor, target, seen)
    changed = [table for table in seen if now[table] != seen[table]]
    if changed:
        raise NotAsPlanned(
            "target-changed",
            f"Something else wrote to {', '.join(changed)} in the target just now. Nothing more was written.",
            "Find out what writes to the target; the source is unchanged. Then `ashore resume`.",
        )


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
