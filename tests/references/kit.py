"""A run with a database and an uploads folder, its snapshot taken, the target's tables filled by hand."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg

from wizard.answers import Answers, DatabaseAnswers, StorageRule
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases.postgres.claim import prepare_record
from wizard.databases.postgres.target import open_target
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Plan, Project, Store
from wizard.sources import inventory
from wizard.state import State

BASE = "https://files.example.com/"


def rule(**changes: object) -> StorageRule:
    options = {
        "bucket": "bucket",
        "endpoint": "http://127.0.0.1:9",
        "access_key": "env:K",
        "secret_key": "env:S",
    }
    made = StorageRule(
        provider="s3-compatible", source="media", access="public", public_url=BASE, options=options
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def make(
    tmp_path: Path,
    files: Sequence[str],
    script: str = "",
    url: Secret | None = None,
    rules: Sequence[StorageRule] = (),
) -> tuple[RunContext, list[Event]]:
    """A context with `files` inventoried and the snapshot made by the SQL `script`."""
    root = tmp_path / "app"
    for name in files:
        path = root / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (root / "media").mkdir(parents=True, exist_ok=True)
    folder = State.open(tmp_path / "state", root, {}).new_run(root)
    with closing(sqlite3.connect(folder.snapshots / "base.sqlite3")) as connection:
        connection.executescript(script)
    redactor = Redactor()
    events: list[Event] = []
    stores = (Store("sqlite", "db.sqlite3"), Store("uploads", "media"))
    ctx = RunContext(
        project=Project(root, stores=stores),
        answers=Answers(
            project=root,
            database=DatabaseAnswers(source="db.sqlite3", url="env:TARGET"),
            storage=tuple(rules) or (rule(),),
        ),
        plan=Plan(1, str(root), "", "fingerprint", ()),
        folder=folder,
        journal=Journal(folder.journal),
        vault=Vault(redactor, environ={"TARGET": url.reveal()} if url else {}),
        redactor=redactor,
        emit=events.append,
        cancel=Cancel(),
    )
    inventory.take(ctx)
    return ctx, events


def fill(ctx: RunContext, url: Secret, ddl: str, tables: Sequence[str]) -> None:
    """Make the record and the tables in the target and copy the snapshot's rows as they are."""
    prepare_record(ctx)
    with closing(sqlite3.connect(ctx.snapshot_path)) as source, psycopg.connect(url.reveal()) as target:
        target.execute(ddl.encode())
        for table in tables:
            for row in source.execute(f'SELECT * FROM "{table}"'):
                marks = ", ".join(["%s"] * len(row))
                target.execute(f'INSERT INTO "{table}" VALUES ({marks})'.encode(), row)
    with open_target(ctx):
        pass


def rows(url: Secret, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.reveal()) as connection:
        return connection.execute(query.encode()).fetchall()
