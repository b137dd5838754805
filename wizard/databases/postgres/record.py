"""The run's own record in the target: schema `ashore`. It, not the journal, says what was loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

SCHEMA = "ashore"
TABLES = ("run", "progress", "saved_object", "seed", "before_image", "original")

PROVISIONED = "provisioned"
BUILDING = "building"
SEEDED = "schema"
DONE = "done"

_DDL = """
CREATE SCHEMA IF NOT EXISTS ashore;
CREATE TABLE IF NOT EXISTS ashore.run (
    run text PRIMARY KEY, project text, source text, epoch bigint NOT NULL DEFAULT 0, state text,
    created timestamptz DEFAULT now(), facts jsonb DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS ashore.progress (
    run text, table_name text, chunk bigint, low text, high text, rows bigint, digest bytea, epoch bigint,
    PRIMARY KEY (run, table_name, chunk)
);
CREATE TABLE IF NOT EXISTS ashore.saved_object (
    run text, kind text, table_name text, name text, definition text, facts jsonb,
    restored boolean DEFAULT false, PRIMARY KEY (run, kind, table_name, name)
);
CREATE TABLE IF NOT EXISTS ashore.seed (
    run text, table_name text, rows bigint, digest bytea, PRIMARY KEY (run, table_name)
);
CREATE TABLE IF NOT EXISTS ashore.before_image (
    run text, table_name text, column_name text, key text, before text, after text,
    PRIMARY KEY (run, table_name, column_name, key)
);
CREATE TABLE IF NOT EXISTS ashore.original (
    run text, path text, bytes bytea, PRIMARY KEY (run, path)
);
"""


@dataclass(frozen=True, slots=True)
class Run:
    """The row of one run. `source` is the source's identity (see `claim.source_id`)."""

    run: str
    project: str
    source: str
    epoch: int
    state: str
    facts: Mapping[str, Any]


def exists(connection: psycopg.Connection) -> bool:
    """Whether the record stands in this database."""
    row = connection.execute("SELECT to_regclass('ashore.run') IS NOT NULL").fetchone()
    return bool(row and row[0])


def create_schema(cursor: psycopg.Cursor) -> None:
    """Make the record's tables where they are missing. Called inside a transaction."""
    cursor.execute(_DDL)


def get(connection: psycopg.Connection, run: str) -> Run | None:
    """The row of `run`, or None."""
    if not exists(connection):
        return None
    row = connection.execute(
        "SELECT run, project, source, epoch, state, facts FROM ashore.run WHERE run = %s", (run,)
    ).fetchone()
    return None if row is None else Run(*row)


def insert(cursor: psycopg.Cursor, run: Run) -> None:
    """Add the row of a run. Called inside a transaction."""
    cursor.execute(
        "INSERT INTO ashore.run (run, project, source, epoch, state, facts) VALUES (%s, %s, %s, %s, %s, %s)",
        (run.run, run.project, run.source, run.epoch, run.state, json.dumps(dict(run.facts))),
    )


def set_state(cursor: psycopg.Cursor, run: str, state: str) -> None:
    """Note how far the run has come. Called inside a transaction."""
    cursor.execute("UPDATE ashore.run SET state = %s WHERE run = %s", (state, run))


def add_facts(cursor: psycopg.Cursor, run: str, facts: Mapping[str, Any]) -> None:
    """Add or replace keys of the run's facts."""
    cursor.execute(
        "UPDATE ashore.run SET facts = facts || %s::jsonb WHERE run = %s", (json.dumps(dict(facts)), run)
    )


def drop_fact(cursor: psycopg.Cursor, run: str, key: str) -> None:
    """Take one key out of the run's facts."""
    cursor.execute("UPDATE ashore.run SET facts = facts - %s::text WHERE run = %s", (key, run))


def forget_images(cursor: psycopg.Cursor, run: str, table: str) -> None:
    """Drop the before-images of a table whose rows are written anew, as the source has them."""
    cursor.execute("DELETE FROM ashore.before_image WHERE run = %s AND table_name = %s", (run, table))


def forget_chunks(cursor: psycopg.Cursor, run: str, table: str, rows: int) -> None:
    """The table of now `rows` rows no longer consists of the chunks that were loaded: one chunk without
    bounds and with no source's digest stands for them, which a run that adopts the record loads again."""
    cursor.execute("DELETE FROM ashore.progress WHERE run = %s AND table_name = %s", (run, table))
    cursor.execute(
        "INSERT INTO ashore.progress (run, table_name, chunk, rows, digest, epoch) "
        "SELECT run, %s, 0, %s, '', epoch FROM ashore.run WHERE run = %s",
        (table, rows, run),
    )


def rename(cursor: psycopg.Cursor, old: str, new: str) -> None:
    """Give the whole record of run `old` to run `new`: the older execution no longer finds its row."""
    for table in TABLES:
        cursor.execute(
            sql.SQL("UPDATE {} SET run = %s WHERE run = %s").format(sql.Identifier(SCHEMA, table)), (new, old)
        )


def remove(connection: psycopg.Connection, run: str) -> None:
    """Take the record of `run` out of the target; the last one takes the schema `ashore` with it.

    One transaction. Only tables that `create_schema` made are dropped; the schema stays where it holds
    anything else.
    """
    if not exists(connection):
        return
    with connection.transaction(), connection.cursor() as cursor:
        for table in TABLES:
            name = sql.Identifier(SCHEMA, table)
            cursor.execute(sql.SQL("DELETE FROM {} WHERE run = %s").format(name), (run,))
        left = cursor.execute("SELECT count(*) FROM ashore.run").fetchone()
        if left is not None and left[0] == 0:
            for table in TABLES:
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(SCHEMA, table)))
            others = cursor.execute(
                "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s",
                (SCHEMA,),
            ).fetchone()
            if others is None:
                cursor.execute("DROP SCHEMA ashore")


def find_adoptable(connection: psycopg.Connection, source: str) -> str | None:
    """The newest unfinished run on this source, or None. Writes nothing."""
    if not exists(connection):
        return None
    row = connection.execute(
        "SELECT run FROM ashore.run WHERE source = %s AND state <> %s ORDER BY created DESC LIMIT 1",
        (source, DONE),
    ).fetchone()
    return None if row is None else str(row[0])
