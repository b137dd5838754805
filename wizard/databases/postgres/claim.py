"""Claims a target for a run: its record is made in an empty database, or an unfinished one is adopted."""

from __future__ import annotations

import hashlib

import psycopg

from wizard.context import RunContext
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect, parse, translate
from wizard.databases.postgres.probe import DIRECT_HOST, foreign_tables, is_pooler
from wizard.databases.postgres.target import SYNCED, current_schema, end_sessions, sessions
from wizard.errors import Refused, StepFailed, UsageError


def source_id(fingerprint: str, project_name: str) -> str:
    """The identity of a source across machines: its schema's fingerprint and the project folder's name."""
    return hashlib.sha256(f"{fingerprint}\n{project_name}".encode()).hexdigest()


def prepare_record(ctx: RunContext) -> str:
    """Make this run's record in the target, or adopt an unfinished one of the same source.

    Returns `made`, `kept` or `adopted`. Emptiness is judged and recorded in the transaction that makes the
    record. Raises UsageError `target-not-empty`, `run-elsewhere`; Refused `database-pooler`.
    """
    url = ctx.database_url()
    if is_pooler(parse(url)):
        raise Refused(
            "database-pooler",
            "This is the address of a transaction pooler; loading needs a session of its own.",
            DIRECT_HOST,
        )
    source = source_id(ctx.plan.source_fingerprint, ctx.project.root.name)
    connection = connect(url, f"ashore:{ctx.run}:start", sleep=ctx.cancel.wait)
    try:
        if record.get(connection, ctx.run) is not None:
            return "kept"
        old = record.find_adoptable(connection, source)
        if old is not None:
            _refuse_live(connection, old)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM ashore.run WHERE run = %s FOR UPDATE", (old,))
                if cursor.fetchone() is None:
                    raise StepFailed(
                        "fenced", "Another run took this record over just now.", "Try again in a moment."
                    )
                record.rename(cursor, old, ctx.run)
                record.add_facts(cursor, ctx.run, {"adopted_from": old})
                # The snapshots that the lost execution synced to are not in this state folder.
                record.drop_fact(cursor, ctx.run, SYNCED)
            # What it began between our look and the renaming, its migrations for one, ends here.
            end_sessions(connection, old, None, ctx.cancel.wait)
            return "adopted"
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('ashore.run', 0))")
            newer = record.find_adoptable(connection, source)
            if newer is not None:
                raise _elsewhere(newer)
            before = foreign_tables(connection)
            _refuse_filled(ctx, before, current_schema(connection))
            record.create_schema(cursor)
            facts = {"schema": current_schema(connection), "tables_before": before}
            record.insert(
                cursor, record.Run(ctx.run, ctx.project.root.name, source, 0, record.PROVISIONED, facts)
            )
        return "made"
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def _refuse_live(connection: psycopg.Connection, old: str) -> None:
    if sessions(connection, old):
        raise _elsewhere(old)


def _elsewhere(run: str) -> UsageError:
    return UsageError(
        "run-elsewhere",
        f"Run {run} of this project is at work on this database now, started from another place.",
        "Let it finish, or stop it there; then try again. Nothing has been written.",
    )


def _refuse_filled(ctx: RunContext, before: list[str], schema: str) -> None:
    database = ctx.answers.database
    allowed = database is not None and database.allow_nonempty
    ours = {table.name for table in ctx.plan.tables}
    clash = [name for name in before if name.partition(".")[2] in ours and name.partition(".")[0] == schema]
    if not before or (allowed and not clash):
        return
    named = clash if allowed else before
    listed = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    raise UsageError(
        "target-not-empty",
        f"The target database is not empty: it holds {listed}. Nothing has been written.",
        "Name an empty database."
        if allowed
        else "Name an empty database, or set database.allow_nonempty where none of its tables is the app's.",
    )
