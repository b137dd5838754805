"""Whether each value that a run rewrote in a database that stays is a rewrite of the value before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from wizard.context import Cancel
from wizard.verifying.array_rewrites import is_text_rewrite
from wizard.verifying.differences import Difference, Tally, readable, shorten
from wizard.verifying.target_reader import Connection

_BATCH = 500
_IMAGES = (
    "SELECT table_name, column_name, key, before, after FROM ashore.before_image WHERE run = %s "
    "AND (table_name, column_name, key) > (%s, %s, %s) ORDER BY 1, 2, 3 LIMIT %s"
)
_KEYS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_constraint p
CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute a ON a.attrelid = p.conrelid AND a.attnum = k.number
WHERE p.contype = 'p' AND p.conrelid = to_regclass(%s) ORDER BY k.place
"""


@dataclass(frozen=True, slots=True)
class KeptComparison:
    """What was compared. `newer` counts values that the app has changed or deleted since."""

    tables: int
    rows: int
    newer: int
    differences: tuple[Difference, ...]
    total: int


def compare_images(
    connection: Connection, *, run: str, public_bases: Sequence[str], cancel: Cancel
) -> KeptComparison:
    """Compare every before-image of `run` with what stands there now. Reads only. Raises Stopped."""
    tally, newer, last = Tally(), 0, ("", "", "")
    tables: set[str] = set()
    while True:
        cancel.check()
        images = connection.execute(_IMAGES, (run, *last, _BATCH)).fetchall()
        if not images:
            break
        for table, column, key, before, after in images:
            tables.add(table)
            tally.rows += 1
            now = _value(connection, table, column, json.loads(key))
            if now != after:
                newer += 1
            elif not is_text_rewrite(before, after, public_bases):
                left, right = shorten(before, after)
                detail = "more than links to stored files was changed"
                tally.add(Difference("rewrite", table, readable(key), column, left, right, detail))
        last = images[-1][:3]
    return KeptComparison(len(tables), tally.rows, newer, tuple(tally.kept), tally.total)


def _value(connection: Connection, label: str, column: str, key: list[Any]) -> str | None:
    """The value now as text; None where the row or the table is gone, or the value is NULL."""
    place = _place(connection, label)
    if place is None:
        return None
    quoted = place.as_string(connection)
    parts = connection.execute(_KEYS, (quoted,)).fetchall()
    if len(parts) != len(key):
        return None
    same = sql.SQL(" AND ").join(
        sql.SQL("{} = %s::{}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in parts
    )
    row = connection.execute(
        sql.SQL("SELECT {}::text FROM {} WHERE {}").format(sql.Identifier(column), place, same),
        [str(part) for part in key],
    ).fetchone()
    return None if row is None else row[0]


def _place(connection: Connection, label: str) -> sql.Identifier | None:
    """The table of a label: `table` in public, or `schema.table`; a name may hold dots of its own."""
    places = [("public", label)]
    places += [(label[:at], label[at + 1 :]) for at, sign in enumerate(label) if sign == "."]
    for schema, table in places:
        found = sql.Identifier(schema, table)
        row = connection.execute(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s",
            (schema, table),
        ).fetchone()
        if row is not None:
            return found
    return None
