"""Builds the app's tables in the target, by the app's own migrations or derived from the SQLite schema.

State in `ashore.run`: provisioned → building → schema. What migrations seeded is digested before the last
state is set.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace

import psycopg
from psycopg import sql

from wizard.context import RunContext
from wizard.databases.copying.scope import pairs
from wizard.databases.derive import derive
from wizard.databases.derive_keys import Statement
from wizard.databases.postgres import catalog, record, seeds
from wizard.databases.postgres.target import Target, literal, open_target
from wizard.databases.sqlite.schema import open_readonly, quote, read_schema
from wizard.errors import NotAsPlanned, UsageError
from wizard.events import Warned
from wizard.frameworks.base import Workshop
from wizard.frameworks.flask.manners import manners
from wizard.steps import moves
from wizard.steps.provision import moves_database
from wizard.steps.workshop import bookkeeping, owner, workshop

name = "schema"
_VISITORS = ("anon", "authenticated")
_AT_ONCE = 200  # tables or statements a transaction: each holds locks, of which a server has a few thousand
_HISTORIES = {
    "django_migrations": ("app", "name"),
    "alembic_version": ("version_num",),
    "_prisma_migrations": ("migration_name",),
}


def run(ctx: RunContext) -> str:
    """Make the tables, check them against the source, digest the seed. May be repeated after a kill.

    Raises UsageError `schema-mismatch`, NotAsPlanned `history-differs`, and what the migrations raise.
    """
    if (way := moves.of(ctx)) is not None:
        return way.schema(ctx)
    if not moves_database(ctx):
        return "no database moves"
    shop = workshop(ctx)
    with closing(open_readonly(ctx.snapshot_path)) as source, open_target(ctx) as target:
        state = record.get(target.connection, ctx.run)
        if state is None or state.state in (record.PROVISIONED, record.BUILDING):
            _build(ctx, target, source, shop)
        close_to_web(target)
        return _settle(ctx, target, source)


def close_to_web(target: Target) -> None:
    """Take this role's tables from the roles that Supabase's web interface lends to every visitor.

    There a table in `public` can be read by all who know the project's public key, unless its rights are
    revoked (Supabase, "Securing your API"). Elsewhere those roles do not exist. Safe to repeat.
    """
    found = target.connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(_VISITORS),)
    ).fetchall()
    owned = [t for t in catalog.read_tables(target.connection, target.schema).values() if t.owned]
    if not found or not owned:
        return
    roles = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
    with target.transaction() as cursor:
        for table in owned:
            cursor.execute(sql.SQL("REVOKE ALL ON TABLE {} FROM {}").format(target.table(table.name), roles))


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
    """The derived schema, in transactions of a bounded number of statements: a server's locks are bounded.

    The record says after each how many statements stand, and what the server would not take; the state is set
    with the last. After a kill the same statements are derived again from the frozen snapshot.
    """
    decisions = ctx.answers.database.decisions if ctx.answers.database is not None else {}
    derived = derive(read_schema(source), source, decisions, manners=manners(ctx.project))
    said = {one.why for one in derived.left}
    ctx.journal.put("schema", "notes", [note for note in derived.notes if note not in said])
    known = record.get(target.connection, ctx.run)
    if known is None or known.state == record.BUILDING:
        return
    if derived.citext and not _has_citext(target):
        raise UsageError(
            "citext-not-available",
            "The decision `nocase: citext` needs the extension citext, which this server does not offer to "
            "this role. No table was made.",
            "Decide `lower_index` or `binary` instead, or use a server with citext.",
        )
    statements: tuple[str | Statement, ...] = (*derived.tables, *derived.after)
    digest = hashlib.sha256(repr(statements).encode()).hexdigest()
    begun, done = known.facts.get("derived", (digest, 0))
    if begun != digest:
        raise NotAsPlanned(
            "schema-half-made",
            "Some of the tables were made for another snapshot of the source, before that run was lost. "
            "No row was copied.",
            "Start anew with `ashore run` on an empty database.",
        )
    left = known.facts.get("left") or [asdict(one) for one in derived.left]
    while True:
        ctx.cancel.check()
        part = statements[done : done + _AT_ONCE]
        with target.transaction() as cursor:
            schemas = [sql.Identifier(target.schema)]
            if derived.citext:
                schemas.append(_citext_home(cursor, schemas[0]))
            cursor.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.SQL(", ").join(schemas)))
            for statement in part:
                left += _execute(target, cursor, statement)
            done += len(part)
            record.add_facts(cursor, ctx.run, {"derived": [digest, done], "left": left})
            if done == len(statements):
                record.set_state(cursor, ctx.run, record.BUILDING)
                break
    for note in derived.notes:
        ctx.emit(Warned("derived-schema", str(note)))


def _execute(target: Target, cursor: psycopg.Cursor, statement: str | Statement) -> list[dict[str, str]]:
    """Run one statement; what the target lacks where the server would not take it."""
    if isinstance(statement, str):
        cursor.execute(literal(statement))
        return []
    try:
        with target.connection.transaction():
            cursor.execute(literal(statement.sql))
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as error:
        why = f"{statement.left.why} The server says: {error.diag.message_primary}."
        return [asdict(replace(statement.left, why=why))]
    return []


def _citext_home(cursor: psycopg.Cursor, schema: sql.Identifier) -> sql.Identifier:
    """The schema of the extension citext, made in `schema` where it is missing."""
    cursor.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS citext SCHEMA {}").format(schema))
    row = cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'citext'")
    (home,) = row.fetchone() or ("public",)
    return sql.Identifier(home)


def _has_citext(target: Target) -> bool:
    """Whether citext stands already, or may be made by this role (it is a trusted extension)."""
    row = target.connection.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citext') OR EXISTS ("
        "SELECT 1 FROM pg_available_extension_versions v WHERE v.name = 'citext' AND (v.trusted AND "
        "has_database_privilege(current_database(), 'CREATE') OR (SELECT rolsuper FROM pg_roles "
        "WHERE rolname = current_user)))"
    ).fetchone()
    return bool(row and row[0])


def _settle(ctx: RunContext, target: Target, source: sqlite3.Connection) -> str:
    """Check what stands, and write down the seed once."""
    skip = bookkeeping(ctx.project, ctx.answers)
    decisions = ctx.answers.database.decisions if ctx.answers.database is not None else {}
    found = pairs(read_schema(source), catalog.read_tables(target.connection, target.schema), skip, decisions)
    names = [pair.name for pair in found]
    _compare_histories(ctx, target, source, skip)
    seeded = _digest_seeds(ctx, target, names)
    with target.transaction() as cursor:
        state = cursor.execute("SELECT state FROM ashore.run WHERE run = %s", (ctx.run,)).fetchone()
        if state is not None and state[0] in (record.PROVISIONED, record.BUILDING):
            keys = catalog.read_foreign_keys(target.connection, target.schema)
            record.add_facts(
                cursor,
                ctx.run,
                {"foreign_keys": [[k.table, k.columns, k.parent, k.parent_columns] for k in keys]},
            )
            record.set_state(cursor, ctx.run, record.SEEDED)
    known = record.get(target.connection, ctx.run)
    left = (known.facts.get("left") or []) if known is not None else []
    ctx.journal.put_many(
        "schema", {"tables": names, "bookkeeping": list(skip), "schema": target.schema, "left": left}
    )
    return f"{len(names)} tables stand" + (f", {seeded} rows seeded by migrations" if seeded else "")


def _digest_seeds(ctx: RunContext, target: Target, names: Sequence[str]) -> int:
    """Digest what stands in each table, while nothing has been loaded; returns the seeded rows."""
    known = record.get(target.connection, ctx.run)
    if known is None or known.state not in (record.PROVISIONED, record.BUILDING):
        return 0
    seeded = 0
    for start in range(0, len(names), _AT_ONCE):
        ctx.cancel.check()
        with target.transaction() as cursor:
            seeded += seeds.record_seeds(cursor, target, names[start : start + _AT_ONCE])
    return seeded


def _compare_histories(
    ctx: RunContext, target: Target, source: sqlite3.Connection, tables: Sequence[str]
) -> None:
    """The target's applied migrations are those of the code that the preflight judged.

    It compared the source with that code, too; the source may keep rows of apps that are gone, or of
    migrations that were squashed. Without its word both sides must be the same set.
    """
    expected = ctx.journal.get("preflight", "history")
    for table in tables:
        columns = _HISTORIES.get(table)
        if columns is None:
            continue
        ours = _history_here(source, table, columns)
        if expected is not None:
            ours = {tuple(map(str, row)) for row in expected}
        theirs = _history_there(target.connection, target.schema, table, columns)
        if ours == theirs:
            continue
        missing = sorted(".".join(row) for row in ours - theirs)
        extra = sorted(".".join(row) for row in theirs - ours)
        said = [f"not in the target: {', '.join(missing[:6])}"] if missing else []
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
