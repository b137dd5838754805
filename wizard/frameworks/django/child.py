"""Running Django in the project's own interpreter, in a copy of the project, with another database.

The child holds the lock's handle and ends when its stdin does, so it never outlives the engine. The
target's URL reaches it by one environment variable; neither its arguments nor any file hold it.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wizard.credentials import Secret
from wizard.errors import StepFailed, UsageError
from wizard.frameworks.base import Workshop
from wizard.frameworks.django import interpreter, paths, private

MARK = "\x1eashore "
TAIL_LINES = 40
_APPLYING = re.compile(r"\s*Applying (\S+?)\.\.\.")
_INSIDE = Path(__file__).parent / "inside"


@dataclass(frozen=True, slots=True)
class Job:
    """What the child shall do: `task` is migrate or revision. `copy` is the project's copy.

    `url` is the target (migrate), `applied` the file of applied migrations (revision), `driver` a folder
    with a PostgreSQL driver or None. Every line of Django's output goes to `line`, every message to `heard`.
    """

    task: str
    copy: Path
    module: str
    python: Path
    line: Callable[[str], None]
    heard: Callable[[Mapping[str, Any]], None]
    url: Secret | None = None
    driver: Path | None = None
    applied: Path | None = None


def run(workshop: Workshop, job: Job) -> None:
    """Run the job to its end. A stop asked for ends the child; what it had open is rolled back.

    Raises UsageError `unreadable-settings` where the project's settings or apps cannot be imported,
    StepFailed `migrate-failed` or `revision-failed` with Django's last words.
    """
    if job.url is not None:
        workshop.redactor.learn(job.url)
    tools = _tools(workshop.work)
    app = Path(os.path.normpath(job.copy / workshop.framework.path))
    environ = _environ(workshop, job, app, tools)
    root = workshop.project.root
    shown = private.mask((root, root / workshop.framework.path), app.joinpath(*job.module.split(".")[:-1]))
    inherited = (
        (workshop.lock_handle,) if workshop.lock_handle is not None and sys.platform != "win32" else ()
    )
    phase = "start"
    applying = None
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    child = subprocess.Popen(
        [str(job.python), str(tools / "ashore_child.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=app, env=environ, pass_fds=inherited,
    )  # fmt: skip
    try:
        for line in lines_of(child, workshop):
            if line.startswith(MARK):
                message = json.loads(line.removeprefix(MARK))
                phase = message.get("phase", phase)
                job.heard(message)
            else:
                if match := _APPLYING.match(line):
                    applying = match[1]
                tail.append(shown(workshop.redactor.text(line)))
                job.line(line)
        code = child.wait()
    finally:
        child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()
    if code != 0 or phase != "done":
        raise _failure(job, phase, code, [line for line in tail if line.strip()], applying)


def _tools(work: Path) -> Path:
    tools = work / "django"
    tools.mkdir(parents=True, exist_ok=True)
    for name in ("ashore_child.py", "ashore_overlay.py"):
        shutil.copyfile(_INSIDE / name, tools / name)
    return tools


def _environ(workshop: Workshop, job: Job, app: Path, tools: Path) -> dict[str, str]:
    own = {
        "task": job.task,
        "paths": [str(path) for path in paths.python_paths(app, job.module)],
        "driver": str(job.driver) if job.driver else None,
        "applied": str(job.applied) if job.applied else None,
    }
    environ = interpreter.environment() | {
        "ASHORE_JOB": json.dumps(own),
        "ASHORE_SETTINGS": job.module,
        "DJANGO_SETTINGS_MODULE": "ashore_overlay",
        "PGAPPNAME": workshop.application_name,
    }
    environ.pop("ASHORE_DATABASE_URL", None)
    if job.url is not None:
        environ["ASHORE_DATABASE_URL"] = job.url.reveal()
    return environ


def lines_of(child: subprocess.Popen[bytes], workshop: Workshop) -> Iterator[str]:
    """The child's lines as they come; between them, a stop that was asked for ends the wait."""
    lines: queue.Queue[str | None] = queue.Queue(maxsize=1000)
    left = threading.Event()
    assert child.stdout is not None
    threading.Thread(target=_read, args=(child.stdout, lines, left), daemon=True).start()
    try:
        while True:
            try:
                line = lines.get(timeout=0.2)
            except queue.Empty:
                if workshop.cancel.asked():
                    child.kill()
                    workshop.cancel.check()
                continue
            if line is None:
                return
            yield line
    finally:
        left.set()


def _read(pipe: IO[bytes], lines: queue.Queue[str | None], left: threading.Event) -> None:
    """Put the pipe's lines, then None; ends early where nobody listens any more. Closes the pipe."""

    def put(line: str | None) -> None:
        while not left.is_set():
            try:
                lines.put(line, timeout=0.2)
            except queue.Full:
                continue
            return

    with pipe:
        for raw in pipe:
            put(raw.decode("utf-8", errors="replace").rstrip("\r\n"))
            if left.is_set():
                return
    put(None)


def _failure(
    job: Job, phase: str, code: int, tail: list[str], applying: str | None
) -> StepFailed | UsageError:
    """What to tell. `applying` is the migration that Django began last."""
    last = tail[-1] if tail else f"exit code {code}"
    if phase in ("start", "settings", "apps"):
        what = "apps" if phase == "apps" else "settings"
        return UsageError(
            "unreadable-settings",
            f"The project's {what} cannot be imported by {job.python}: {last}",
            _import_hint(last),
        )
    if code < 0:
        last = f"The child was ended by signal {-code}."
    if job.task == "revision":
        return StepFailed(
            "revision-failed",
            f"The project's migrations cannot be read: {last}",
            "Run `python manage.py showmigrations` in the project; it should show the same error.",
        )
    if phase == "connect":
        return StepFailed(
            "migrate-failed",
            f"The project's own driver could not connect to the target: {last}",
            "Check the target's URL, and that it can be reached from here; then `ashore resume`.",
        )
    which = f"migration {applying}" if applying else "migrations"
    return StepFailed(
        "migrate-failed",
        f"The project's {which} failed on PostgreSQL: {last}\n  " + "\n  ".join(tail[-12:-1]),
        f"Correct {applying or 'it'} in the project (what only SQLite accepts is the usual cause), then "
        "`ashore resume`: migrations already applied stay. Or start anew on an empty database with "
        "`database.schema: derived`, which runs no migration.",
    )


def _import_hint(last: str) -> str:
    if "ModuleNotFoundError" in last or "ImportError" in last:
        return "Install the project's requirements into that environment, or name another `interpreter`."
    if (
        "KeyError" in last
        or "environment" in last.lower()
        or "UndefinedValue" in last
        or "Improperly" in last
    ):
        return "Set the environment variable that the settings ask for where ashore runs, and start again."
    return "Run `python manage.py check` in the project; it should show the same error."
