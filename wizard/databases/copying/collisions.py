"""Different texts that the target takes for the same: citext, collations that ignore case, padded char(n).

Only the server can tell. It is asked with a temporary table, in a transaction that is rolled back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

import psycopg
from psycopg import sql

from wizard.databases.copying.inexact import Inexact
from wizard.databases.copying.mixed import carrier
from wizard.databases.copying.orphans import Decisions
from wizard.databases.copying.scope import Pair
from wizard.databases.postgres.catalog import UniqueKey
from wizard.databases.sqlite.rowkeys import SHOWN, key_columns, key_text
from wizard.databases.sqlite.schema import quote
from wizard.model import Decision

_KEYS = sql.Identifier("pg_temp", "ashore_keys")


def judge_collisions(
    source: sqlite3.Connection,
    connection: psycopg.Connection,
    schema: str,
    pair: Pair,
    keys: Iterable[UniqueKey],
    decisions: Decisions,
    zone: str,
    check: Callable[[], None],
) -> list[Decision]:
    """Rows that differ at the source and collide under a unique key of the target. Leaves nothing behind."""
    found = []
    columns = {column.name: column for column in pair.columns}
    for key in keys:
        if not set(key.columns) <= columns.keys():
            continue
        if not any(columns[c].loose or columns[c].kind == "bpchar" for c in key.columns):
            continue
        rows = _collisions(source, connection, schema, pair, key, decisions, zone, check)
        if rows:
            found.append(
                Decision(
                    f"{pair.name}.{key.columns[0]}" if len(key.columns) == 1 else pair.name,
                    "not_unique",
                    f"{len(rows):,} values of {pair.name} ({', '.join(key.columns)}) are the same to the "
                    f"target's {key.name}. Correct them at the source.",
                    len(rows),
                    tuple(rows[:SHOWN]),
                    (),
                )
            )
    return found


def _collisions(
    source: sqlite3.Connection,
    connection: psycopg.Connection,
    schema: str,
    pair: Pair,
    key: UniqueKey,
    decisions: Decisions,
    zone: str,
    check: Callable[[], None],
) -> list[str]:
    """The keys of the second and later rows of each collision."""
    names = sql.SQL(", ").join(map(sql.Identifier, key.columns))
    carry = [
        carrier(column, decisions.get(f"{pair.name}.{column.name}", {}), zone)
        for name in key.columns
        for column in pair.columns
        if column.name == name
    ]
    shown = key_columns(pair.source)
    listed = ", ".join([*map(quote, key.columns), *shown])
    filled = " AND ".join(f"{quote(c)} IS NOT NULL" for c in key.columns)
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "CREATE TEMP TABLE ashore_keys AS SELECT {}, ''::text AS ashore_row FROM {} WITH NO DATA"
            ).format(names, sql.Identifier(schema, pair.name))
        )
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_KEYS)) as copy:
            query = f"SELECT {listed} FROM {quote(pair.name)} WHERE {filled}"
            for number, row in enumerate(source.execute(query)):
                if number % 4096 == 0:
                    check()
                try:
                    values = [c(v) for c, v in zip(carry, row, strict=False)]
                except Inexact:
                    continue  # named by another decision already
                copy.write_row([*values, key_text(pair.source, row[len(carry) :])])
        cursor.execute(
            sql.SQL(
                "SELECT ashore_row FROM (SELECT ashore_row, "
                "row_number() OVER (PARTITION BY {} ORDER BY ashore_row) AS place FROM {}) AS numbered "
                "WHERE place > 1 ORDER BY ashore_row"
            ).format(names, _KEYS)
        )
        return [str(row) for (row,) in cursor.fetchall()]
