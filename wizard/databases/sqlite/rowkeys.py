"""Names rows for people: by primary key, else by rowid."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wizard.databases.sqlite.schema import Table, quote

SHOWN = 5


def key_columns(table: Table) -> tuple[str, ...]:
    """SQL expressions that name a row of `table`; empty where only its contents do."""
    if table.primary_key:
        return tuple(map(quote, table.primary_key))
    taken = {c.name.lower() for c in table.columns}
    alias = next((a for a in ("rowid", "oid", "_rowid_") if a not in taken), None)
    return (alias,) if table.has_rowid and alias else ()


def key_text(table: Table, values: Sequence[object]) -> str:
    """`values` of `key_columns` as one text. Bytes are shown as UTF-8, what is not with U+FFFD."""
    shown = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]
    return ", ".join(shown) if table.primary_key else f"rowid {', '.join(shown)}"


def first_keys(connection: sqlite3.Connection, table: Table, condition: str) -> tuple[str, ...]:
    """Up to five keys of the rows that fulfil `condition`."""
    columns = key_columns(table)
    if not columns:
        return ()
    factory = connection.text_factory
    connection.text_factory = bytes
    try:
        rows = connection.execute(
            f"SELECT {', '.join(columns)} FROM {quote(table.name)} WHERE {condition} LIMIT {SHOWN}"
        ).fetchall()
    finally:
        connection.text_factory = factory
    return tuple(key_text(table, row) for row in rows)
