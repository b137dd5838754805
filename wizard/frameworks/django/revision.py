"""Comparing the migrations applied at the source with those in the code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wizard.errors import StepFailed
from wizard.events import Warned
from wizard.frameworks.base import Revision, Workshop
from wizard.frameworks.django import child, settings
from wizard.frameworks.django.project_copy import project_copy
from wizard.frameworks.django.schema import interpreter_of

MIGRATE = "python manage.py migrate"
SHOW = "python manage.py showmigrations"


def revision(workshop: Workshop, snapshot: Path) -> Revision:
    """The code's migrations against the rows of the snapshot's `django_migrations`.

    Squashed migrations count as applied where all that they replace are. Rows of apps that are no longer
    installed are leftovers: named in a warning, not in `unknown`. The child sees an empty database in
    memory, never the user's. Raises as `build_schema` does, and StepFailed `revision-failed`.
    """
    applied = workshop.work / "applied.json"
    applied.write_text(json.dumps(applied_migrations(snapshot)), encoding="utf-8")
    module = settings.read(workshop.project.root, workshop.framework).module
    python = interpreter_of(workshop)
    answer: dict[str, Any] = {}

    def heard(message: Mapping[str, Any]) -> None:
        answer.update(message)

    with project_copy(workshop.project, workshop.work, workshop.cancel) as copy:
        job = child.Job("revision", copy, module, python.path, lambda line: None, heard, applied=applied)
        child.run(workshop, job)
    if answer["removed"]:
        workshop.emit(
            Warned(
                "removed-app-migrations",
                "The source records migrations of apps that are no longer installed: "
                f"{', '.join(answer['removed'])}. No migration builds their tables in the target.",
            )
        )
    missing = tuple(f"{app}.{name}" for app, name in answer["missing"])
    unknown = tuple(f"{app}.{name}" for app, name in answer["unknown"])
    command = SHOW if unknown and not missing else MIGRATE
    history = tuple((str(app), str(name)) for app, name in answer["history"])
    return Revision(missing, unknown, command, tuple(answer["tables"]), history)


def applied_migrations(snapshot: Path) -> list[tuple[str, str]]:
    """The (app, name) pairs in the snapshot's `django_migrations`, in order; empty without such a table.

    Raises StepFailed `snapshot-unreadable`.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(snapshot))}?mode=ro&immutable=1", uri=True)
        try:
            found = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'django_migrations'"
            ).fetchone()
            if found is None:
                return []
            rows = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StepFailed(
            "snapshot-unreadable",
            f"The snapshot's django_migrations cannot be read: {error}.",
            "`ashore run` again takes a new snapshot.",
        ) from error
    return [(str(app), str(name)) for app, name in rows]
