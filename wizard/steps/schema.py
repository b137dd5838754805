"""Builds the app's tables in the target, by the app's own migrations or derived from the SQLite schema.

State in `ashore.run`: provisioned → building → schema. What migrations seeded is digested at the end, in
the transaction that sets the last state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import psycopg
from psycopg import sql

from wizard.context import RunContext
from wizard.databases.copying.scope import pairs
from wizard.databases.derive import derive
from wizard.databases.postgres import catalog, record, seeds
from wizard.databases.postgres.target import Target, literal, open_target
from wizard.databases.sqlite.schema import open_readonly, quote, read_schema
from wizard.errors import NotAsPlanned, UsageError
from wizard.events import Warned
from wizard.frameworks.base import Workshop
from wizard.steps.provision import moves_database
from wizard.steps.workshop import bookkeeping, owner, workshop

name = "schema"
_HISTORIES = {
    "django_migrations": ("app", "name"),
    "alembic_version": ("version_num",),
    "_prisma_migrations": ("migration_name",),
}


def run(ctx: RunContext) -> str:
    """Make the tables, check them against the source, digest the seed. May be repeated after a kill.

    Raises UsageError `schema-mismatch`, NotAsPlanned `history-differs`, and what the migrations raise.
    """
    if not moves_database(ctx):
        return "no database moves"
    shop = workshop(ctx)
    with closing(open_readonly(ctx.snapshot_path)) as source, open_target(ctx) as target:
        state = record.get(target.connection, ctx.run)
        if state is None or state.state in (record.PROVISIONED, record.BUILDING):
            _build(ctx, target, source, shop)
        return _settle(ctx, target, source)


def _build(ctx: RunContext, target: Target, source: sqlite3.Connection, shop: Workshop | None) -> None:
    if shop is None:
        _derived(ctx, target, source)
        return
    with target.transaction() as cursor:
        record.set_state(cursor, ctx.run, record.BUILDING)
    kind = owner(ctx.project)
    assert kind is not None
    kind.build_schema(shop, ctx.database_url())


def _derived(ctx: RunContext, target: Target, source: sqlite3.Connection) -> None:
    """All of the derived schema in one transaction: after a kill all of it stands, or nothing."""
    derived = derive(read_schema(source), source)
    with target.transaction() as cursor:
        state = cursor.execute("SELECT state FROM ashore.run WHERE run = %s", (ctx.run,)).fetchone()
        if state is not None and state[0] == record.BUILDING:
            return
        cursor.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(target.schema)))
        for statement in (*derived.tables, *derived.after):
            cursor.execute(literal(statement))
        record.set_state(cursor, ctx.run, record.BUILDING)
    for note in derived.notes:
        ctx.emit(Warned("derived-schema", str(note)))


def _settle(ctx: RunContext, target: Target, source: sqlite3.Connection) -> str:
    """Check what stands, and write down the seed once."""
    skip = bookkeeping(ctx.project, ctx.answers)
    decisions = ctx.answers.database.decisions if ctx.answers.database is not None else {}
    found = pairs(read_schema(source), catalog.read_tables(target.connection, target.schema), skip, decisions)
    names = [pair.name for pair in found]
    _compare_histories(target, source, skip)
    seeded = 0
    with target.transaction() as cursor:
        state = cursor.execute("SELECT state FROM ashore.run WHERE run = %s", (ctx.run,)).fetchone()
        if state is not None and state[0] in (record.PROVISIONED, record.BUILDING):
            seeded = seeds.record_seeds(cursor, target, names)
            keys = catalog.read_foreign_keys(target.connection, target.schema)
            record.add_facts(
                cursor,
                ctx.run,
                {"foreign_keys": [[k.table, k.columns, k.parent, k.parent_columns] for k in keys]},
            )
            record.set_state(cursor, ctx.run, record.SEEDED)
    ctx.journal.put_many("schema", {"tables": names, "bookkeeping": list(skip), "schema": target.schema})
    return f"{len(names)} tables stand" + (f", {seeded} rows seeded by migrations" if seeded else "")


def _compare_histories(target: Target, source: sqlite3.Connection, tables: Sequence[str]) -> None:
    """The applied migrations of both sides are the same set."""
    for table in tables:
        columns = _HISTORIES.get(table)
        if columns is None:
            continue
        ours = _history_here(source, table, columns)
        theirs = _history_there(target.connection, target.schema, table, columns)
        if ours == theirs:
            continue
        missing = sorted(".".join(row) for row in ours - theirs)
        extra = sorted(".".join(row) for row in theirs - ours)
        said = [f"only at the source: {', '.join(missing[:6])}"] if missing else []
        said += [f"only in the target: {', '.join(extra[:6])}"] if extra else []
        raise NotAsPlanned(
            "history-differs",
            f"The migrations in {table} differ; {'; '.join(said)}. No row has been written.",
            "Apply the app's migrations at the source and commit them, then start a new run.",
        )


def _history_here(source: sqlite3.Connection, table: str, columns: Sequence[str]) -> set[tuple[str, ...]]:
    listed = ", ".join(map(quote, columns))
    try:
        rows = source.execute(f"SELECT {listed} FROM {quote(table)}").fetchall()
    except sqlite3.OperationalError as error:
        raise UsageError(
            "history-missing",
            f"The source has no table {table}: its tables were not made by the app's migrations.",
            "Set database.schema: derived.",
        ) from error
    return {tuple(map(str, row)) for row in rows}


def _history_there(
    connection: psycopg.Connection, schema: str, table: str, columns: Sequence[str]
) -> set[tuple[str, ...]]:
    statement = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table)
    )
    return {tuple(map(str, row)) for row in connection.execute(statement).fetchall()}
