"""Puts the text before back, where nobody has changed the value since."""

from __future__ import annotations

import json

import psycopg
from psycopg import sql

from wizard.databases.postgres.target import Target
from wizard.references.apply import BATCH_ROWS
from wizard.references.columns import TextColumn, columns_everywhere, text_columns


def undo(target: Target, run: str) -> tuple[int, int]:
    """Restore the references that `run` rewrote; returns (restored, kept).

    A value is restored only where it is still what the rewrite made of it, and its before-image goes in
    the same transaction; values changed or deleted since are kept, with their before-image. May be repeated.
    """
    columns = text_columns(target.connection, target.schema) | columns_everywhere(target.connection)
    restored = kept = 0
    last = ("", "", "")
    while True:
        with target.transaction() as cursor:
            cursor.execute(
                "SELECT table_name, column_name, key FROM ashore.before_image WHERE run = %s "
                "AND (table_name, column_name, key) > (%s, %s, %s) "
                "ORDER BY table_name, column_name, key LIMIT %s",
                (run, *last, BATCH_ROWS),
            )
            rows = cursor.fetchall()
            if not rows:
                return restored, kept
            for table, name, key in rows:
                column = columns.get((table, name))
                if column is not None and _restore(cursor, run, column, key):
                    restored += 1
                else:
                    kept += 1
        last = rows[-1]


def _restore(cursor: psycopg.Cursor, run: str, column: TextColumn, key: str) -> bool:
    values = [str(part) for part in json.loads(key)]
    if not column.key or len(values) != len(column.key):
        return False
    image = sql.SQL(
        "(SELECT {} FROM ashore.before_image "
        "WHERE run = %s AND table_name = %s AND column_name = %s AND key = %s)"
    )
    place = (run, column.label, column.name, key)
    cursor.execute(
        sql.SQL("UPDATE {} SET {} = {}::{} WHERE ({}) = ({}) AND {} = {}").format(
            column.source,
            sql.Identifier(column.name),
            image.format(sql.Identifier("before")),
            column.cast,
            column.key_names(),
            column.key_parameters(),
            column.text,
            image.format(sql.Identifier("after")),
        ),
        (*place, *values, *place),
    )
    if cursor.rowcount != 1:
        return False
    cursor.execute(
        "DELETE FROM ashore.before_image "
        "WHERE run = %s AND table_name = %s AND column_name = %s AND key = %s",
        place,
    )
    return True
