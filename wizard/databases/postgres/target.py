"""The target as a run sees it: a session, the run's epoch, and transactions behind the fence.

An epoch is the number of an execution. Every execution raises it in `ashore.run`, ends the sessions of
older ones, and each transaction checks it under lock: what an older execution still tries, fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import PASSING, connect, translate
from wizard.errors import ConnectionLost, Refused, StepFailed, UsageError

BACKEND_SECONDS = 30.0
SYNCED = "snapshot"  # the fact that names the snapshot which the cut-over brought the target to
REOPENS = 8


def application_name(run: str, epoch: int) -> str:
    """What every session of an execution calls itself, children's included."""
    return f"ashore:{run}:{epoch}"


class Target:
    """An open target. `schema` holds the app's tables. Not safe for use by several threads."""

    def __init__(
        self, url: Secret, run: str, epoch: int, schema: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.run = run
        self.epoch = epoch
        self.schema = schema
        self._url = url
        self._wait = wait
        self.connection = connect(url, self.application_name, sleep=wait)

    @property
    def application_name(self) -> str:
        return application_name(self.run, self.epoch)

    def table(self, name: str) -> sql.Identifier:
        """The app's table `name`, qualified and quoted."""
        return sql.Identifier(self.schema, name)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor]:
        """A transaction that this execution alone may make; yields its cursor.

        Raises StepFailed `fenced` where another execution took the run over; nothing is written then.
        """
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute("SELECT epoch FROM ashore.run WHERE run = %s FOR UPDATE", (self.run,))
            self._check(cursor.fetchone())
            yield cursor

    def check_fence(self) -> None:
        """Raises StepFailed `fenced` where another execution took the run over."""
        self._check(
            self.connection.execute("SELECT epoch FROM ashore.run WHERE run = %s", (self.run,)).fetchone()
            if record.exists(self.connection)
            else None
        )

    def _check(self, row: tuple[int] | None) -> None:
        if row is None or row[0] != self.epoch:
            raise StepFailed(
                "fenced",
                "Another execution of this run has taken over the target; this one has stopped writing.",
                "Look for ashore on another machine. `ashore resume` takes the run back.",
            )

    def reopen(self) -> None:
        """A new session of the same epoch after the old one was lost.

        Tries a bounded number of times with growing pauses. Raises ConnectionLost, or Refused where the
        server answers and says no.
        """
        self.connection.close()
        for attempt in range(REOPENS):
            try:
                self.connection = connect(self._url, self.application_name, attempts=1)
                return
            except Refused as error:
                if error.code not in PASSING:
                    raise
            self._wait(min(0.25 * 2**attempt, 8.0))
        raise ConnectionLost(
            "database-lost",
            "The connection to the database was lost and could not be made again.",
            "What was committed stands. `ashore resume` goes on from there.",
        )

    def close(self) -> None:
        self.connection.close()


@contextmanager
def open_target(ctx: RunContext) -> Iterator[Target]:
    """The target of this run, closed at the end.

    The first open of an engine process raises the epoch and ends older sessions of the run; the
    journal's fact ("engine", "epoch") keeps it for later opens. Raises UsageError `record-missing` where
    the run has no record (provision makes it), StepFailed `fenced`, and what `connect` raises. Errors of
    the server inside the block come out as `connect.translate` makes them.
    """
    url = ctx.database_url()
    known = ctx.journal.get("engine", "epoch")
    if known is None:
        epoch, schema = take_over(ctx, url)
        ctx.journal.put_many("engine", {"schema": schema, "epoch": epoch})
    else:
        epoch, schema = int(known), str(ctx.journal.get("engine", "schema"))
    target = Target(url, ctx.run, epoch, schema, ctx.cancel.wait)
    try:
        target.check_fence()
        yield target
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        target.close()


def take_over(ctx: RunContext, url: Secret) -> tuple[int, str]:
    """Raise the run's epoch and end the sessions of older executions; returns (epoch, schema)."""
    connection = connect(url, f"ashore:{ctx.run}:start", sleep=ctx.cancel.wait)
    try:
        found = record.get(connection, ctx.run)
        if found is None:
            raise UsageError(
                "record-missing",
                "The target holds no record of this run: the database was replaced, or another run took it "
                "over.",
                "Check the connection string, or start a new run.",
            )
        end_sessions(connection, ctx.run, None, ctx.cancel.wait)
        row = connection.execute(
            "UPDATE ashore.run SET epoch = epoch + 1 WHERE run = %s RETURNING epoch", (ctx.run,)
        ).fetchone()
        if row is None:
            raise StepFailed("fenced", "Another run took this record over.", "Start a new run.")
        end_sessions(connection, ctx.run, int(row[0]), ctx.cancel.wait)
        return int(row[0]), str(found.facts["schema"])
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def sessions(connection: psycopg.Connection, run: str, below: int | None = None) -> list[int]:
    """The server pids of other sessions of `run`; with `below`, only of smaller epochs."""
    prefix = f"ashore:{run}:"
    rows = connection.execute(
        "SELECT pid, application_name FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND starts_with(application_name, %s)",
        (prefix,),
    ).fetchall()
    found = []
    for pid, name in rows:
        epoch = name[len(prefix) :]
        if below is None or (epoch.isdigit() and int(epoch) < below):
            found.append(int(pid))
    return found


def end_sessions(
    connection: psycopg.Connection, run: str, below: int | None, wait: Callable[[float], None]
) -> None:
    """Terminate older sessions of `run` and wait until they are gone.

    Raises StepFailed `session-stuck` after 30 seconds, Refused `database-rights` where they belong to
    another role.
    """
    deadline = time.monotonic() + BACKEND_SECONDS
    while pids := sessions(connection, run, below):
        if time.monotonic() > deadline:
            raise StepFailed(
                "session-stuck",
                f"An earlier execution's session ({pids[0]}) does not end on the server.",
                "Wait a minute, then `ashore resume`.",
            )
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", (pids,))
        wait(0.05)


def current_schema(connection: psycopg.Connection) -> str:
    """The schema in which the app's unqualified tables are made."""
    row = connection.execute("SELECT coalesce(current_schema(), 'public')").fetchone()
    assert row is not None
    return str(row[0])


def literal(text: str) -> LiteralString:
    """SQL that came from the server's own catalog, executed as it is."""
    return text
