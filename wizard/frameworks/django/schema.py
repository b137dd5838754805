"""Building the tables of a Django project in PostgreSQL with its own migrations.

Runs in a copy with a settings overlay (`inside/ashore_overlay.py`); the user's tree, environment and
database are not touched. Each atomic migration and its record are one transaction, so a repetition
after a kill goes on where the last one ended.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wizard.credentials import Secret
from wizard.events import Progress, Warned
from wizard.frameworks.base import Workshop
from wizard.frameworks.django import child, settings
from wizard.frameworks.django.driver import driver
from wizard.frameworks.django.interpreter import Interpreter, find
from wizard.frameworks.django.project_copy import project_copy

_APPLIED = re.compile(r"^\s*Applying (\S+?)\.\.\.")


class _Watch:
    """Turns the child's lines into progress of the step `schema`."""

    def __init__(self, workshop: Workshop) -> None:
        self._emit = workshop.emit
        self._done = 0
        self._total: int | None = None

    def line(self, line: str) -> None:
        match = _APPLIED.match(line)
        if match is not None and "OK" in line:
            self._done += 1
            self._emit(Progress("schema", "", self._done, self._total, "migrations", match.group(1)))

    def heard(self, message: Mapping[str, Any]) -> None:
        if "total" in message:
            self._total = int(message["total"])
            self._emit(Progress("schema", "", 0, self._total, "migrations"))


def build_schema(workshop: Workshop, url: Secret) -> None:
    """Apply the project's migrations to the database behind `url` (a session connection).

    Raises UsageError `unreadable-settings`, `interpreter-missing`, `django-missing`; StepFailed
    `driver-missing`, `migrate-failed`; Stopped where a stop was asked for.
    """
    module = settings.read(workshop.project.root, workshop.framework).module
    python = interpreter_of(workshop)
    folder = driver(python, workshop.work)
    watch = _Watch(workshop)
    with project_copy(workshop.project, workshop.work, workshop.cancel) as copy:
        job = child.Job("migrate", copy, module, python.path, watch.line, watch.heard, url=url, driver=folder)
        child.run(workshop, job)


def interpreter_of(workshop: Workshop) -> Interpreter:
    """The project's interpreter; one that is not its own is said in a warning."""
    root = workshop.project.root
    app = Path(os.path.normpath(root / workshop.framework.path))
    python = find(root, app, workshop.interpreter)
    if python.borrowed:
        workshop.emit(
            Warned(
                "interpreter-borrowed",
                f"The project has no environment of its own here: its migrations run with {python.path} "
                f"(Django {python.django}).",
            )
        )
    return python
