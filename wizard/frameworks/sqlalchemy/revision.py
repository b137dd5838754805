"""Comparing the source's alembic_version with the code's migrations, or its tables with the code's models."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from wizard.errors import StepFailed, UsageError
from wizard.frameworks.base import Revision, Workshop
from wizard.frameworks.django.project_copy import project_copy
from wizard.frameworks.sqlalchemy import child, interpreter
from wizard.frameworks.sqlalchemy.layout import BOOKKEEPING, Layout, read


def revision(workshop: Workshop, snapshot: Path) -> Revision:
    """The code's heads against the snapshot's `alembic_version`; without migrations, the models' tables.

    The child sees an empty database in memory, never the user's. Raises UsageError `revision-mismatch` where
    the source records no migration at all, `unreadable-models`, and what `child.run` raises.
    """
    layout = layout_of(workshop)
    python = interpreter.find(workshop)
    migrations = layout.migrations
    applied = applied_revisions(snapshot) if migrations is not None else ()
    if migrations is not None and not applied:
        stamp = "flask db stamp head" if migrations.flask else "alembic stamp head"
        raise UsageError(
            "revision-mismatch",
            f"The code has migrations in {migrations.folder}, but the database records none as applied: its "
            "tables were made without them. Nothing was written.",
            f"Where the tables match the migrations, note that with `{stamp}`, then start again. "
            "Or set `database.schema: derived`, which makes the tables as they are.",
        )
    task: child.Task = "revision" if migrations is not None else "metadata"
    with project_copy(workshop.project, workshop.work, workshop.cancel) as copy:
        answer = child.run(workshop, child.Job(task, copy, layout, python.path, applied=applied))
    if migrations is None:
        return Revision((), (), "", tuple(answer["tables"]), ())
    heads = tuple((str(head),) for head in answer["heads"])
    tool = "flask db" if migrations.flask else "alembic"
    unknown = tuple(map(str, answer["unknown"]))
    missing = () if unknown else tuple(map(str, answer["missing"]))
    last = "heads" if len(heads) > 1 else "head"
    command = (
        f"{tool} history"
        if unknown
        else f"{tool} upgrade" + ("" if tool == "flask db" and len(heads) == 1 else f" {last}")
    )
    return Revision(missing, unknown, command, None, heads)


def layout_of(workshop: Workshop) -> Layout:
    """The app's layout. Raises UsageError `several-databases-bound`."""
    found = read(Path(os.path.normpath(workshop.project.root / workshop.framework.path)))
    if found.binds:
        raise UsageError(
            "several-databases-bound",
            "The app divides its tables among several databases (SQLALCHEMY_BINDS); which of them belong to "
            "this one cannot be told from outside. Nothing was written.",
            "Set `database.schema: derived`: the tables are then made from the SQLite database itself.",
        )
    return found


def applied_revisions(snapshot: Path) -> tuple[str, ...]:
    """The rows of the snapshot's `alembic_version`; empty without such a table.

    Raises StepFailed `snapshot-unreadable`.
    """
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(snapshot))}?mode=ro&immutable=1", uri=True)
        ) as connection:
            found = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (BOOKKEEPING,)
            ).fetchone()
            if found is None:
                return ()
            rows = connection.execute(f"SELECT version_num FROM {BOOKKEEPING} ORDER BY 1").fetchall()
    except sqlite3.Error as error:
        raise StepFailed(
            "snapshot-unreadable",
            f"The snapshot's {BOOKKEEPING} cannot be read: {error}.",
            "`ashore run` again takes a new snapshot.",
        ) from error
    return tuple(str(name) for (name,) in rows)
