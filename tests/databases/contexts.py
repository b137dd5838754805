"""A run context for tests of the database steps: a project with one SQLite file, a real target."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg

from wizard.answers import Answers, DatabaseAnswers
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases.postgres import catalog, record, seeds
from wizard.databases.postgres.target import open_target
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Plan, Project, Store, TableCount
from wizard.state import State
from wizard.steps import schema

RUN = "20260101-000000-abcdef"


class Events(list[Event]):
    """What the engine told."""


def context(
    tmp_path: Path,
    url: Secret,
    tables: str,
    *,
    decisions: Mapping[str, Mapping[str, str]] | None = None,
    run: str = RUN,
    allow_nonempty: bool = False,
) -> RunContext:
    """A fresh run whose snapshot is made by the SQL script `tables`; the target is `url`."""
    root = tmp_path / "project"
    root.mkdir(exist_ok=True, parents=True)
    folder = State.open(tmp_path / "state", root, {}).new_run(root, run)
    snapshot = folder.snapshots / "base.sqlite3"
    with closing(sqlite3.connect(snapshot)) as connection:
        connection.executescript(tables)
        connection.commit()
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    redactor = Redactor()
    events = Events()
    database = DatabaseAnswers(
        source="db.sqlite3",
        url="env:TARGET",
        schema="derived",
        decisions=decisions or {},
        allow_nonempty=allow_nonempty,
    )
    return RunContext(
        project=Project(root, stores=(Store("sqlite", "db.sqlite3"),)),
        answers=Answers(project=root, database=database),
        plan=Plan(1, str(root), "", "fingerprint", (), tuple(TableCount(n, 0) for n in names)),
        folder=folder,
        journal=Journal(folder.journal),
        vault=Vault(redactor, environ={"TARGET": url.reveal()}),
        redactor=redactor,
        emit=events.append,
        cancel=Cancel(),
    )


def new_process(ctx: RunContext) -> RunContext:
    """The same run as a later process sees it: the runner forgets the execution at its start."""
    ctx.journal.forget("engine", "epoch")
    return dataclasses.replace(ctx, cancel=Cancel())


def build(ctx: RunContext, ddl: str) -> None:
    """Stand in for the app's migrations: run `ddl` in the target, then do what step `schema` does after."""
    with open_target(ctx) as target:
        with target.transaction() as cursor:
            cursor.execute(ddl.encode())
            record.set_state(cursor, ctx.run, record.BUILDING)
        with closing(sqlite3.connect(ctx.snapshot_path)) as source:
            schema._settle(ctx, target, source)


def rows(url: Secret, query: str) -> list[tuple[object, ...]]:
    """What a query says on the target, in a session of its own."""
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query.encode()).fetchall()


def execute(url: Secret, statement: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(statement.encode())


__all__ = ["RUN", "build", "catalog", "context", "execute", "new_process", "rows", "seeds"]
