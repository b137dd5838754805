"""Comparing the source with the code: Prisma's migrations by name, and the columns with schema.prisma."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from wizard.errors import UsageError
from wizard.frameworks.base import Revision, Workshop
from wizard.frameworks.prisma import history, relations
from wizard.frameworks.prisma.layout import BOOKKEEPING
from wizard.frameworks.prisma.parse import Schema


def revision(workshop: Workshop, snapshot: Path) -> Revision:
    """The migrations of the code against the snapshot's; where they agree, the columns of every table.

    Raises UsageError `revision-mismatch` where the code has migrations and the source records none,
    `unreadable-prisma-schema`; StepFailed `snapshot-unreadable`.
    """
    layout, schema = history.layout_of(workshop)
    tables = columns(schema)
    future = history.for_target(workshop, layout, schema)
    noted = tuple((migration.name,) for migration in future)
    if layout.migrations is not None:
        done = history.applied(snapshot)
        if not done:
            raise UsageError(
                "revision-mismatch",
                "The code has Prisma migrations, but the database records none as applied: its tables were "
                "made without them. Nothing was written.",
                "Where the tables match the migrations, note that with `npx prisma migrate resolve --applied "
                "NAME` for each and start again. Or set `database.schema: derived`.",
            )
        names = [migration.name for migration in history.in_code(layout)]
        missing = tuple(name for name in names if name not in done)
        unknown = tuple(name for name in done if name not in names)
        if missing or unknown:
            command = "npx prisma migrate status" if unknown else "npx prisma migrate deploy"
            return Revision(missing, unknown, command)
    missing, unknown = _drift(snapshot, tables)
    command = "npx prisma migrate dev" if layout.migrations is not None else "npx prisma db push"
    return Revision(missing, unknown, command, tuple(tables), noted if layout.migrations else ())


def columns(schema: Schema) -> dict[str, tuple[str, ...]]:
    """{table: columns} as schema.prisma names them."""
    found = {m.table: tuple(f.column for f in relations.stored(schema, m)) for m in schema.models}
    return found | {pair.table: ("A", "B") for pair in relations.many_to_many(schema)}


def _drift(snapshot: Path, tables: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(tables and columns of the code that the source lacks, columns of the source that the code lacks)."""
    missing: list[str] = []
    unknown: list[str] = []
    with closing(sqlite3.connect(f"file:{quote(str(snapshot))}?mode=ro&immutable=1", uri=True)) as connection:
        for table, wanted in tables.items():
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
            there = [str(name) for (name,) in rows]
            if not there:
                missing.append(table)
                continue
            missing += [f"{table}.{column}" for column in wanted if column not in there]
            unknown += [f"{table}.{column}" for column in there if column not in wanted]
    return tuple(missing), tuple(name for name in unknown if not name.startswith(BOOKKEEPING))
