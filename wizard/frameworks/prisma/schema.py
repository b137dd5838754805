"""Building the tables of a Prisma project in PostgreSQL, with its migrations noted as Prisma notes them.

No Node and none of Prisma's engines are needed. Every migration and its record are one transaction, so a
repetition after a kill goes on where the last one ended.
"""

from __future__ import annotations

import uuid

import psycopg
from psycopg import sql

from wizard.credentials import Secret
from wizard.databases.postgres.connect import connect, translate
from wizard.databases.postgres.target import literal
from wizard.errors import StepFailed
from wizard.events import Progress
from wizard.frameworks.base import Workshop
from wizard.frameworks.prisma import history
from wizard.frameworks.prisma.history import Migration
from wizard.frameworks.prisma.layout import BOOKKEEPING
from wizard.frameworks.prisma.revision import columns

_HISTORY = f"""CREATE TABLE IF NOT EXISTS {BOOKKEEPING} (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
)"""


def build_schema(workshop: Workshop, url: Secret) -> None:
    """Make the tables in the database behind `url`. Raises StepFailed `migrate-failed`, Stopped."""
    layout, schema = history.layout_of(workshop)
    migrations = history.for_target(workshop, layout, schema)
    noted = layout.migrations is not None
    connection = connect(url, workshop.application_name)
    try:
        with connection.transaction():
            if noted:
                connection.execute(_HISTORY)
                done = {
                    str(name) for (name,) in connection.execute(f"SELECT migration_name FROM {BOOKKEEPING}")
                }
            else:
                done = _standing(connection, tuple(columns(schema)), migrations)
        for number, migration in enumerate(migrations, 1):
            workshop.cancel.check()
            if migration.name not in done:
                _apply(connection, migration, noted)
            workshop.emit(Progress("schema", "", number, len(migrations), "migrations", migration.name))
    finally:
        connection.close()


def _standing(
    connection: psycopg.Connection, tables: tuple[str, ...], migrations: list[Migration]
) -> set[str]:
    """All migrations where a table stands: without a record, they were made in one transaction."""
    for table in tables:
        name = sql.Identifier(table).as_string(connection)
        if connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() != (None,):
            return {migration.name for migration in migrations}
    return set()


def _apply(connection: psycopg.Connection, migration: Migration, noted: bool) -> None:
    """Run one migration and note it, in one transaction."""
    try:
        with connection.transaction():
            connection.execute(literal(migration.sql.decode("utf-8-sig")))
            if noted:
                connection.execute(
                    f"INSERT INTO {BOOKKEEPING} (id, checksum, finished_at, migration_name, "
                    "applied_steps_count) VALUES (%s, %s, now(), %s, 1)",
                    (str(uuid.uuid4()), migration.checksum, migration.name),
                )
    except psycopg.OperationalError as error:
        raise translate(error) from error
    except psycopg.Error as error:
        raise StepFailed(
            "migrate-failed",
            f"The migration {migration.name} failed on PostgreSQL: {error.diag.message_primary}. Nothing of "
            "it stands in the target.",
            "Correct it in the project, then `ashore resume`. Or start anew on an empty database with "
            "`database.schema: derived`.",
        ) from error
