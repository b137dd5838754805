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
from wizard.references.files import Files
from wizard.references.locate import MediaUrl
from wizard.references.rewrite import rewrite

BATCH_ROWS = 500
BATCH_BYTES = 8 << 20


@dataclass
class Applied:
    """`values` changed now, with `references` in them; `too_long` would not fit and stay as they are."""

    values: int = 0
    references: int = 0
    too_long: int = 0


def apply(
    target: Target,
    column: TextColumn,
    files: Files,
    media: MediaUrl,
    cancel: Cancel,
    progress: Callable[[int], None] = lambda rows: None,
) -> Applied:
    """Rewrite the references in one column, whose table has a primary key. `progress` gets rows looked at.

    Raises StepFailed `fenced`, Stopped, and what the server says.
    """
    done = Applied()
    last: tuple[str, ...] | None = None
    while True:
        cancel.check()
        with target.transaction() as cursor:
            keys = _next_keys(cursor, column, media, last)
            if not keys:
                return done
            known = _recorded(cursor, target.run, column, keys)
            for key in keys:
                if key_json(key) not in known:
                    _one(cursor, target.run, column, key, files, media, done)
        last = keys[-1]
        progress(len(keys))


def key_json(key: Sequence[str]) -> str:
    """A row's key as `ashore.before_image` holds it."""
    return json.dumps(list(key), ensure_ascii=False)


def _next_keys(
    cursor: psycopg.Cursor, column: TextColumn, media: MediaUrl, last: tuple[str, ...] | None
) -> list[tuple[str, ...]]:
    """Keys of the next rows that hold the prefix at all: at most 500, and about 8 MB of text."""
    after = sql.SQL("")
    if last is not None:
        after = sql.SQL("AND ({}) > ({})").format(column.key_names(), column.key_parameters())  # type: ignore[assignment]
    query = sql.SQL(
        "SELECT octet_length({text}), {keys} FROM {table} "
        "WHERE (strpos({text}, %s) > 0 OR strpos({text}, %s) > 0) {after} ORDER BY {names} LIMIT {limit}"
    ).format(
        text=column.text,
        keys=column.key_text(),
        table=column.source,
        after=after,
        names=column.key_names(),
        limit=sql.Literal(BATCH_ROWS),
    )
    cursor.execute(query, (*media.needles(), *(last or ())))
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
        (run, column.table, column.name, [key_json(k) for k in keys]),
    )
    return {str(row[0]) for row in cursor.fetchall()}


def _one(
    cursor: psycopg.Cursor,
    run: str,
    column: TextColumn,
    key: tuple[str, ...],
    files: Files,
    media: MediaUrl,
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
    after, count = rewrite(before, media, files.known, files.address, files.own)
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
        (run, column.table, column.name, key_json(key), before, stored[0]),
    )
    done.values += 1
    done.references += count
