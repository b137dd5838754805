"""One consistent copy of the database on this machine, with the digests of every table in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from wizard.backup import digests
from wizard.backup.layout import DatabaseFacts
from wizard.backup.people import Sheets
from wizard.backup.sources import Database, PostgresSource, SqliteSource
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.databases.postgres import pgtools
from wizard.databases.postgres.connect import connect, translate
from wizard.databases.sqlite import snapshot
from wizard.errors import StepFailed

SQLITE, POSTGRES = "database.sqlite3", "database.dump"
APPLICATION = "ashore:backup"


def take(source: Database, folder: Path, cancel: Cancel, sheets: Sheets | None) -> tuple[Path, DatabaseFacts]:
    """Copy the database into `folder`, check the copy, digest it. Raises AshoreError."""
    match source:
        case SqliteSource():
            return _sqlite(source, folder / SQLITE, cancel, sheets)
        case PostgresSource():
            return _postgres(source, folder / POSTGRES, cancel, sheets)


def _sqlite(
    source: SqliteSource, target: Path, cancel: Cancel, sheets: Sheets | None
) -> tuple[Path, DatabaseFacts]:
    snapshot.take(source.path, target, cancel=cancel)
    return target, digests.sqlite_facts(target, cancel, sheets)


def _postgres(
    source: PostgresSource, target: Path, cancel: Cancel, sheets: Sheets | None
) -> tuple[Path, DatabaseFacts]:
    """pg_dump reads the very snapshot of the transaction that the digests are taken in."""
    with session(source.url) as connection:
        program = pgtools.find("pg_dump", connection.info.server_version)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        left_out = digests.schemas(connection)[1]
        arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"]
        arguments += [f"--snapshot={row[0] if row else ''}"]
        arguments += [f'--exclude-schema="{name}"' for name in left_out]
        pgtools.run(program, arguments, source.url, cancel)
        facts = digests.postgres_facts(connection, cancel, sheets)
        facts = replace(facts, tool=pgtools.version_of(program) * 10000)
        connection.execute("COMMIT")
    if not any(table.columns and table.name != "(sequences)" for table in facts.tables):
        raise StepFailed(
            "database-empty",
            f"The database behind {source.shown} holds no table; no backup was made of nothing.",
            "Where the app's data has not moved there yet, name where it lies: --database db.sqlite3.",
        )
    return target, facts


@contextmanager
def session(url: Secret) -> Iterator[psycopg.Connection]:
    """A connection whose losses are told as ashore's own errors."""
    with closing(connect(url, APPLICATION)) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            told = translate(error)
            raise type(told)(told.code, told.message, "Then give the same command again.") from error
