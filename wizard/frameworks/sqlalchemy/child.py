"""Running the project's Alembic or its SQLAlchemy models in the project's own interpreter, in a copy.

As with Django: the child holds the lock's handle and ends when its stdin does. The target's URL reaches it by
one environment variable; what the project itself reads is a placeholder, whose engine is made the target's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from wizard.credentials import Secret
from wizard.errors import StepFailed, UsageError
from wizard.frameworks.base import Workshop
from wizard.frameworks.django import private
from wizard.frameworks.django.child import MARK, TAIL_LINES, lines_of
from wizard.frameworks.django.interpreter import environment
from wizard.frameworks.sqlalchemy.layout import Layout

Task = Literal["revision", "metadata", "migrate", "create"]
PLACEHOLDER = "postgresql://ashore@localhost/ashore"
_INSIDE = Path(__file__).parent / "inside"
_DERIVED = "Or set `database.schema: derived`: ashore then makes the tables from the SQLite database itself."


@dataclass(frozen=True, slots=True)
class Job:
    """What the child shall do in `copy`. `url` is the target with SQLAlchemy's name of the `driver` in front.

    `applied` are the revisions in the source's alembic_version, `driver` a folder with a driver or None.
    """

    task: Task
    copy: Path
    layout: Layout
    python: Path
    url: Secret | None = None
    driver: Path | None = None
    applied: tuple[str, ...] = ()


def target_url(url: Secret, driver: str) -> Secret:
    """`url` as SQLAlchemy wants it: another scheme, and no application_name (PGAPPNAME says it)."""
    parts = urlsplit(url.reveal())
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "application_name"]
    return Secret(urlunsplit((driver, parts.netloc, parts.path, urlencode(query), "")))


def run(workshop: Workshop, job: Job) -> Mapping[str, Any]:
    """Run the job to its end; what the child said. A stop asked for ends it; what it had open is rolled back.

    Raises UsageError `unreadable-models` where the project's modules cannot be imported, StepFailed
    `migrate-failed` or `revision-failed` with the project's last words.
    """
    if job.url is not None:
        workshop.redactor.learn(job.url)
    tools = workshop.work / "sqlalchemy"
    tools.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_INSIDE / "ashore_tables.py", tools / "ashore_tables.py")
    app = Path(os.path.normpath(job.copy / workshop.framework.path))
    root = workshop.project.root
    shown = private.mask((root, root / workshop.framework.path), app)
    inherited = (
        (workshop.lock_handle,) if workshop.lock_handle is not None and sys.platform != "win32" else ()
    )
    answer: dict[str, Any] = {"phase": "start"}
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    child = subprocess.Popen(
        [str(job.python), str(tools / "ashore_tables.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=app, env=_environ(workshop, job, app), pass_fds=inherited,
    )  # fmt: skip
    try:
        for line in lines_of(child, workshop):
            if line.startswith(MARK):
                answer.update(json.loads(line.removeprefix(MARK)))
            else:
                tail.append(shown(workshop.redactor.text(line)))
        code = child.wait()
    finally:
        child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()
    if code != 0 or answer["phase"] != "done":
        raise _failure(job, str(answer["phase"]), code, [line for line in tail if line.strip()])
    return answer


def _environ(workshop: Workshop, job: Job, app: Path) -> dict[str, str]:
    layout = job.layout
    migrations = layout.migrations
    own = {
        "task": job.task,
        "copy": str(job.copy),
        "app": str(app),
        "paths": [os.path.normpath(app / root) for root in layout.roots],
        "models": [name for _, name in layout.models],
        "makers": list(layout.makers),
        "folder": migrations.folder if migrations else None,
        "ini": migrations.ini if migrations else None,
        "flask": migrations.flask if migrations else False,
        "applied": list(job.applied),
        "driver": str(job.driver) if job.driver else None,
    }
    environ = environment() | dict.fromkeys(layout.variables, PLACEHOLDER)
    environ |= {"ASHORE_JOB": json.dumps(own), "PGAPPNAME": workshop.application_name}
    environ.pop("ASHORE_DATABASE_URL", None)
    if job.url is not None:
        environ["ASHORE_DATABASE_URL"] = job.url.reveal()
    return environ


def _failure(job: Job, phase: str, code: int, tail: list[str]) -> StepFailed | UsageError:
    last = tail[-1] if tail else f"exit code {code}"
    if code < 0:
        last = f"The child was ended by signal {-code}."
    where = [line.strip() for line in tail if line.strip().startswith('File "')]
    if phase in ("start", "imports"):
        return UsageError(
            "unreadable-models",
            f"The project's modules cannot be imported by {job.python}: {last}"
            + (f" ({where[-1]})" if where else ""),
            f"{_import_hint(last)} {_DERIVED}",
        )
    if job.task == "revision":
        return StepFailed(
            "revision-failed",
            f"The project's migrations cannot be read: {last}",
            f"`alembic history` (`flask db history`) should show the same error. {_DERIVED}",
        )
    if phase == "connect":
        return StepFailed(
            "migrate-failed",
            f"The project's own driver could not connect to the target: {last}",
            "Check the target's URL, and that it can be reached from here; then `ashore resume`.",
        )
    what = "migrations" if job.task == "migrate" else "models"
    return StepFailed(
        "migrate-failed",
        f"The project's {what} failed on PostgreSQL: {last}\n  " + "\n  ".join(tail[-14:-1]),
        "Nothing of them stands in the target. Correct them in the project (what only SQLite accepts is the "
        "usual cause: a boolean's default of 0, a date function), then `ashore resume`. Or start anew with "
        "`database.schema: derived`, which needs neither.",
    )


def _import_hint(last: str) -> str:
    if "ModuleNotFoundError" in last or "ImportError" in last:
        return "Install the project's requirements into that environment, or name another `interpreter`."
    if "KeyError" in last or "ValidationError" in last or "environment" in last.lower():
        return "Set the environment variable that the code asks for where ashore runs, and start again."
    return "Import them in the project's own shell; it should show the same error."
