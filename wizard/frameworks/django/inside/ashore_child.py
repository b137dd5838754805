"""Run in the project's interpreter, in a copy of the project: `migrate`, or list the code's migrations.

It ends with the engine, however that dies: the engine holds the other end of stdin. Lines that begin
with MARK are messages to the engine, one JSON object each; all else is Django's own output.
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

MARK = "\x1eashore "


def say(**message: object) -> None:
    sys.stdout.write(MARK + json.dumps(message) + "\n")
    sys.stdout.flush()


def die_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would abort the interpreter's shutdown
        pass
    os._exit(1)


def set_up() -> None:
    """Import the settings and the apps; the engine learns in which of both it failed."""
    say(phase="settings")
    import django
    from django.conf import settings

    len(settings.INSTALLED_APPS)  # the first use of a setting imports the module
    say(phase="apps")

    django.setup()


def record_in_the_same_transaction() -> None:
    """Run a migration's deferred SQL before its transaction ends.

    Django records a migration inside its transaction only where no deferred SQL is left
    (`MigrationExecutor.apply_migration`); otherwise a kill between the two commits would leave tables
    that no record knows, and the next `migrate` would fail on them.
    """
    from django.db.migrations.migration import Migration

    apply = Migration.apply

    def apply_all(self: Any, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        state = apply(self, project_state, schema_editor, collect_sql=collect_sql)
        if schema_editor.atomic_migration and not collect_sql:
            while schema_editor.deferred_sql:
                schema_editor.execute(schema_editor.deferred_sql.pop(0), None)
        return state

    Migration.apply = apply_all


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    say(phase="connect")
    connection.ensure_connection()
    say(phase="migrate")
    record_in_the_same_transaction()
    executor = MigrationExecutor(connection)
    say(total=len(executor.migration_plan(executor.loader.graph.leaf_nodes())))
    call_command("migrate", interactive=False, verbosity=1, run_syncdb=True, no_color=True)


def revision(applied_file: str) -> None:
    """Compare the migrations in `applied_file` (JSON, [[app, name], …]) with the code's."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    say(phase="revision")
    applied = [tuple(pair) for pair in json.loads(Path(applied_file).read_text(encoding="utf-8"))]
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for app, name in applied:
        recorder.record_applied(app, name)
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(map(tuple, migration.replaces))
    installed = {config.label for config in apps.get_app_configs()}
    foreign = [key for key in applied if key not in known]
    say(
        missing=sorted(key for key in loader.graph.nodes if key not in loader.applied_migrations),
        unknown=sorted(key for key in foreign if key[0] in installed),
        history=sorted(
            {
                key
                for node in loader.graph.nodes
                for key in (node, *map(tuple, loader.disk_migrations[node].replaces))
            }
        ),
        tables=sorted(connection.introspection.django_table_names(only_existing=False)),
        removed=sorted({key[0] for key in foreign if key[0] not in installed}),
    )


def main() -> None:
    threading.Thread(target=die_with_parent, daemon=True).start()
    job = json.loads(os.environ.pop("ASHORE_JOB"))
    here = str(Path(__file__).resolve().parent)
    # The copy comes first, as `python manage.py` has it; our own folder and the driver come last.
    sys.path[:] = [p for p in sys.path if str(Path(p).resolve()) != here]
    sys.path[:0] = job["paths"]
    sys.path.append(here)
    if job["driver"]:
        sys.path.append(job["driver"])
    set_up()
    if job["task"] == "migrate":
        migrate()
    else:
        revision(job["applied"])
    say(phase="done")


main()
