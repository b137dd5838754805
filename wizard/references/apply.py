"""Rewrites references in the target, a batch a transaction, with the text before in the same transaction.

A row that this run has rewritten already has a before-image and is passed over, so that the work may be
repeated after a kill at any point.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from wizard.context import Cancel
from wizard.databases.postgres.target import Target
from wizard.references.columns import TextColumn

BATCH_ROWS = 500
BATCH_BYTES = 8 << 20


@dataclass
class Applied:
    """`values` changed now, with `references` in them; `too_long` would not fit and stay as they are."""

    values: int = 0
    references: int = 0
    too_long: int = 0


Change = Callable[[str], tuple[str, int]]


def apply_change(
    target: Target,
    column: TextColumn,
    needles: Sequence[str],
    change: Change,
    cancel: Cancel,
    progress: Callable[[int], None] = lambda rows: None,
) -> Applied:
    """Rewrite the texts of one column, whose table has a primary key: `change` gives (new text, references in
    it), and one of `needles` stands in every text that it changes. `progress` gets rows looked at.

    Raises StepFailed `fenced`, Stopped, and what the server says.
    """
    done = Applied()
    last: tuple[str, ...] | None = None
    while True:
        cancel.check()
        with target.transaction() as cursor:
            keys = _next_keys(cursor, column, needles, last)
            if not keys:
                return done
            known = _recorded(cursor, target.run, column, keys)
            for key in keys:
                if key_json(key) not in known:
                    _one(cursor, target.run, column, key, change, done)
        last = keys[-1]
        progress(len(keys))


def key_json(key: Sequence[str]) -> str:
    """A row's key as `ashore.before_image` holds it."""
    return json.dumps(list(key), ensure_ascii=False)


def _next_keys(
    cursor: psycopg.Cursor, column: TextColumn, needles: Sequence[str], last: tuple[str, ...] | None
) -> list[tuple[str, ...]]:
    """Keys of the next rows that hold the prefix at all: at most 500, and about 8 MB of text."""
    after = sql.SQL("")
    if last is not None:
        after = sql.SQL("AND ({}) > ({})").format(column.key_names(), column.key_parameters())  # type: ignore[assignment]
    query = sql.SQL(
        "SELECT octet_length({text}), {keys} FROM {table} "
        "WHERE ({holds}) {after} ORDER BY {names} LIMIT {limit}"
    ).format(
        holds=sql.SQL(" OR ").join([sql.SQL("strpos({}, %s) > 0").format(column.text)] * len(needles)),
        text=column.text,
        keys=column.key_text(),
        table=column.source,
        after=after,
        names=column.key_names(),
        limit=sql.Literal(BATCH_ROWS),
    )
    cursor.execute(query, (*needles, *(last or ())))
    keys: list[tuple[str, ...]] = []
    size = 0
    for length, *key in cursor.fetchall():
        size += length
        if keys and size > BATCH_BYTES:
            break
        keys.append(tuple(key))
    return keys


def _recorded(
    cursor: psycopg.Cursor, run: str, column: TextColumn, keys: Sequence[tuple[str, ...]]
) -> set[str]:
    cursor.execute(
        "SELECT key FROM ashore.before_image "
        "WHERE run = %s AND table_name = %s AND column_name = %s AND key = ANY(%s)",
        (run, column.label, column.name, [key_json(k) for k in keys]),
    )
    return {str(row[0]) for row in cursor.fetchall()}


def _one(
    cursor: psycopg.Cursor,
    run: str,
    column: TextColumn,
    key: tuple[str, ...],
    change: Change,
    done: Applied,
) -> None:
    where = sql.SQL("({}) = ({})").format(column.key_names(), column.key_parameters())
    cursor.execute(
        sql.SQL("SELECT {} FROM {} WHERE {} FOR UPDATE").format(column.text, column.source, where), key
    )
    row = cursor.fetchone()
    if row is None or row[0] is None:
        return
    before = str(row[0])
    after, count = change(before)
    if after == before:
        return
    if column.limit is not None and len(after) > column.limit:
        done.too_long += 1
        return
    cursor.execute(
        sql.SQL("UPDATE {} SET {} = %s::{} WHERE {} AND {} = %s RETURNING {}").format(
            column.source, sql.Identifier(column.name), column.cast, where, column.text, column.text
        ),
        (after, *key, before),
    )
    stored = cursor.fetchone()
    if stored is None:
        return
    # What the server shows of it is recorded: jsonb may order its keys anew.
    cursor.execute(
        "INSERT INTO ashore.before_image (run, table_name, column_name, key, before, after) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (run, column.label, column.name, key_json(key), before, stored[0]),
    )
    done.values += 1
    done.references += count
