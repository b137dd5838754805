"""What migrations put into the tables: digested once the schema stands, deleted when a table is loaded.

A table that holds anything but its seed was written by someone else, and is never cleared.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from wizard.databases.postgres.target import Target
from wizard.errors import UsageError


def digest(cursor: psycopg.Cursor, target: Target, table: str) -> tuple[int, bytes]:
    """(rows, SHA-256 of the rows' text forms in byte order) of a table's present content."""
    cursor.execute(
        sql.SQL(
            "SELECT count(*), sha256(convert_to(coalesce("
            "string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), ''), 'UTF8')) FROM {} AS t"
        ).format(target.table(table))
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0]), bytes(row[1])


def record_seeds(cursor: psycopg.Cursor, target: Target, tables: Iterable[str]) -> int:
    """Write the digest of each table's rows to `ashore.seed`; returns the seeded rows.

    Inside a transaction.
    """
    total = 0
    for table in tables:
        rows, value = digest(cursor, target, table)
        cursor.execute(
            "INSERT INTO ashore.seed (run, table_name, rows, digest) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (run, table_name) DO UPDATE SET rows = excluded.rows, digest = excluded.digest",
            (target.run, table, rows, value),
        )
        total += rows
    return total


def clear_seed(cursor: psycopg.Cursor, target: Target, table: str) -> None:
    """Lock the table, prove that it holds its recorded seed and nothing else, and delete that.

    Inside the transaction that loads the first chunk. Raises UsageError `table-not-seed`.
    """
    cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target.table(table)))
    cursor.execute(
        "SELECT rows, digest FROM ashore.seed WHERE run = %s AND table_name = %s", (target.run, table)
    )
    row = cursor.fetchone()
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(target.table(table)))
    counted = cursor.fetchone()
    assert counted is not None
    known = row is not None and counted[0] == row[0]
    if not known or (row is not None and row[0] and digest(cursor, target, table)[1] != bytes(row[1])):
        raise UsageError(
            "table-not-seed",
            f"The target's table {table} holds rows that neither the migrations nor this run wrote. "
            "They were left as they are.",
            "Stop what writes to the target, then use an empty database.",
        )
    if row is not None and row[0]:
        cursor.execute(sql.SQL("DELETE FROM {}").format(target.table(table)))


def forget_seed(cursor: psycopg.Cursor, target: Target, table: str) -> None:
    """The table is now empty and stays so until it is loaded again."""
    cursor.execute(
        "UPDATE ashore.seed SET rows = 0, digest = sha256('') WHERE run = %s AND table_name = %s",
        (target.run, table),
    )
