"""The project's own Python with SQLAlchemy, and a PostgreSQL driver for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import UsageError
from wizard.events import Warned
from wizard.frameworks.base import Workshop
from wizard.frameworks.django import driver as drivers
from wizard.frameworks.django.interpreter import SECONDS, absolute, candidates, environment

_PROBE = """
import importlib.util, json, sys
from importlib.metadata import PackageNotFoundError, version
def of(*names):
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            pass
print(json.dumps({
    "sqlalchemy": of("sqlalchemy"), "alembic": of("alembic"), "flask_migrate": of("flask-migrate"),
    "psycopg": of("psycopg"), "psycopg2": of("psycopg2", "psycopg2-binary"),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that has SQLAlchemy. Versions are None where a package is not installed.

    `borrowed`: it is the one that runs ashore, since the project has none of its own.
    """

    path: Path
    sqlalchemy: str
    alembic: str | None
    flask_migrate: str | None
    psycopg: str | None
    psycopg2: str | None
    borrowed: bool

    @property
    def modern(self) -> bool:
        """Whether SQLAlchemy knows psycopg 3 (since 2.0)."""
        return int(self.sqlalchemy.split(".")[0]) >= 2


def find(workshop: Workshop) -> Interpreter:
    """The project's interpreter, looked for as Django's is; a borrowed one is said in a warning.

    Raises UsageError `interpreter-missing`, `sqlalchemy-missing`.
    """
    root = workshop.project.root
    if workshop.interpreter is not None:
        path = absolute(root, workshop.interpreter)
        found = _probe(path)
        if found is None:
            raise UsageError(
                "interpreter-missing",
                f"The interpreter {workshop.interpreter} does not run.",
                "Give `interpreter` in the answers the path of the project's python.",
            )
        if found.get("sqlalchemy") is None:
            raise _missing(f"The interpreter {workshop.interpreter} has no SQLAlchemy.")
        return _interpreter(path, found, borrowed=False)
    tried: list[str] = []
    for path in candidates(root, Path(os.path.normpath(root / workshop.framework.path))):
        found = _probe(path)
        if found is not None and found.get("sqlalchemy") is not None:
            return _interpreter(path, found, borrowed=False)
        tried.append(str(path))
    found = _probe(Path(sys.executable))
    if found is None or found.get("sqlalchemy") is None:
        looked = f" (tried: {', '.join(tried)})" if tried else ""
        raise _missing(f"No Python with SQLAlchemy was found for the project{looked}.")
    ours = _interpreter(Path(sys.executable), found, borrowed=True)
    workshop.emit(
        Warned(
            "interpreter-borrowed",
            f"The project has no environment of its own here: its tables are made with {ours.path} "
            f"(SQLAlchemy {ours.sqlalchemy}).",
        )
    )
    return ours


def driver(interpreter: Interpreter, work: Path) -> tuple[Path | None, str]:
    """(a folder to put last on the child's path or None, SQLAlchemy's name of the driver).

    Never installs into the user's environment. Raises StepFailed `driver-missing`.
    """
    if interpreter.modern and interpreter.psycopg is not None:
        return None, "postgresql+psycopg"
    if interpreter.psycopg2 is not None:
        return None, "postgresql+psycopg2"
    package = "psycopg[binary]>=3.1.8" if interpreter.modern else "psycopg2-binary<2.10"
    name = "postgresql+psycopg" if interpreter.modern else "postgresql+psycopg2"
    return drivers.install(interpreter.path, work, package), name


def _missing(said: str) -> UsageError:
    return UsageError(
        "sqlalchemy-missing",
        f"{said} Nothing was written.",
        "Make an environment beside the project: `python -m venv .venv && .venv/bin/pip install -r "
        "requirements.txt`, or name one with `interpreter` in the answers. Without it, set "
        "`database.schema: derived`.",
    )


def _interpreter(path: Path, found: dict[str, str | None], *, borrowed: bool) -> Interpreter:
    return Interpreter(
        path,
        found["sqlalchemy"] or "",
        found["alembic"],
        found["flask_migrate"],
        found["psycopg"],
        found["psycopg2"],
        borrowed,
    )


def _probe(path: Path) -> dict[str, str | None] | None:
    """The versions of what the interpreter at `path` has, or None where it does not run."""
    try:
        child = subprocess.run(
            [str(path), "-c", _PROBE],
            capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, env=environment(),
            cwd=path.parent,
        )  # fmt: skip
        answer = json.loads(child.stdout.strip().splitlines()[-1]) if child.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None
    return answer if isinstance(answer, dict) else None
