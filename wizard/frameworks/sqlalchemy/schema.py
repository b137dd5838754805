"""Building the tables of a Flask or FastAPI project in PostgreSQL: its migrations, else its models.

Runs in a copy of the project; the user's tree, environment and database are not touched. Alembic runs all
migrations in one transaction where the database can (PostgreSQL does), and so are the models' tables made,
so a kill leaves nothing half made and a repetition is safe.
"""

from __future__ import annotations

from wizard.credentials import Secret
from wizard.frameworks.base import Workshop
from wizard.frameworks.django.project_copy import project_copy
from wizard.frameworks.sqlalchemy import child, interpreter
from wizard.frameworks.sqlalchemy.revision import layout_of


def build_schema(workshop: Workshop, url: Secret) -> None:
    """Make the tables in the database behind `url` (a session connection).

    Raises UsageError `unreadable-models`, `interpreter-missing`, `sqlalchemy-missing`; StepFailed
    `driver-missing`, `migrate-failed`; Stopped where a stop was asked for.
    """
    layout = layout_of(workshop)
    python = interpreter.find(workshop)
    folder, name = interpreter.driver(python, workshop.work)
    task: child.Task = "migrate" if layout.migrations is not None else "create"
    with project_copy(workshop.project, workshop.work, workshop.cancel) as copy:
        job = child.Job(task, copy, layout, python.path, url=child.target_url(url, name), driver=folder)
        child.run(workshop, job)
