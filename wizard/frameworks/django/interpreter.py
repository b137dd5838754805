"""Finding the project's own Python, and asking it what it has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import UsageError
from wizard.frameworks.folders import is_environment

SECONDS = 60
_ENVIRONMENTS = (".venv", "venv", "env", ".env", "virtualenv")
_MANAGERS = (
    ("poetry.lock", ("poetry", "env", "info", "-p")),
    ("Pipfile", ("pipenv", "--venv")),
)
_PROBE = """
import importlib, json, sys
def version(name):
    try:
        return str(importlib.import_module(name).__version__)
    except ImportError:
        return None
print(json.dumps({
    "python": list(sys.version_info[:3]), "django": version("django"),
    "psycopg": version("psycopg"), "psycopg2": version("psycopg2"),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can import Django. `psycopg` and `psycopg2` are versions, None where not importable.

    `borrowed`: it is the one that runs ashore, since the project has none of its own.
    """

    path: Path
    python: tuple[int, ...]
    django: str
    psycopg: str | None
    psycopg2: str | None
    borrowed: bool

    @property
    def django_version(self) -> tuple[int, int]:
        major, minor = [*self.django.split("."), "0"][:2]
        return int(major), int("".join(c for c in minor if c.isdigit()) or 0)


def find(root: Path, app: Path, answer: str | None) -> Interpreter:
    """The project's interpreter: the answer, an environment beside the project, a manager's, else ours.

    Raises UsageError `interpreter-missing` where the answer does not run, `django-missing` where no
    Python found can import Django.
    """
    if answer is not None:
        path = absolute(root, answer)
        found = probe(path)
        if found is None:
            raise UsageError(
                "interpreter-missing",
                f"The interpreter {answer} does not run.",
                "Give `interpreter` in the answers the path of the project's python.",
            )
        if found.get("django") is None:
            raise UsageError(
                "django-missing",
                f"The interpreter {answer} cannot import Django.",
                "Install the project's requirements into its environment, or name another interpreter.",
            )
        return _interpreter(path, found, borrowed=False)
    tried: list[str] = []
    for path in candidates(root, app):
        found = probe(path)
        if found is not None and found.get("django") is not None:
            return _interpreter(path, found, borrowed=False)
        tried.append(str(path))
    ours = Path(sys.executable)
    found = probe(ours)
    if found is not None and found.get("django") is not None:
        return _interpreter(ours, found, borrowed=True)
    looked = f" (tried: {', '.join(tried)})" if tried else ""
    raise UsageError(
        "django-missing",
        f"No Python with Django was found for the project{looked}.",
        "Make one beside the project: `python -m venv .venv && .venv/bin/pip install -r requirements.txt`, "
        "or name it with `interpreter` in the answers.",
    )


def probe(path: Path) -> dict[str, object] | None:
    """What the interpreter at `path` has, or None where it does not run. Writes no bytecode."""
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


def environment() -> dict[str, str]:
    """This process's environment for a child that is another Python: no bytecode, no foreign home."""
    environ = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
    }
    return environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _interpreter(path: Path, found: dict[str, object], *, borrowed: bool) -> Interpreter:
    def text(name: str) -> str | None:
        value = found.get(name)
        return value if isinstance(value, str) else None

    python = found.get("python")
    numbers = tuple(int(n) for n in python) if isinstance(python, list) else ()
    return Interpreter(path, numbers, text("django") or "", text("psycopg"), text("psycopg2"), borrowed)


def absolute(root: Path, answer: str) -> Path:
    """The answer `interpreter` as a path: relative to the project, or a command that PATH knows."""
    given = Path(answer).expanduser()
    if given.is_absolute() or len(given.parts) > 1:
        return Path(os.path.normpath(root / given))
    return Path(shutil.which(answer) or root / given)


def _python_in(environment: Path) -> Path | None:
    for name in ("bin/python", "bin/python3", "Scripts/python.exe"):
        if (environment / name).is_file():
            return environment / name
    return None


def candidates(root: Path, app: Path) -> Iterator[Path]:
    """Interpreters of the environments in the app's folder and its parents up to the repository."""
    folder = app
    while True:
        named = [folder / name for name in _ENVIRONMENTS]
        others = sorted(Path(e.path) for e in os.scandir(folder) if e.is_dir() and Path(e.path) not in named)
        for place in [*named, *others]:
            if is_environment(place) and (python := _python_in(place)) is not None:
                yield python
        for mark, command in _MANAGERS:
            if (folder / mark).is_file() and shutil.which(command[0]):
                yield from _managed(folder, command)
        if folder == folder.parent or (folder / ".git").exists() or len(folder.parts) <= 2:
            return
        if folder == root and not any((p / ".git").exists() for p in root.parents):
            return
        folder = folder.parent


def _managed(folder: Path, command: tuple[str, ...]) -> Iterator[Path]:
    try:
        child = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    lines = child.stdout.strip().splitlines()
    if child.returncode == 0 and lines and (python := _python_in(Path(lines[-1]))) is not None:
        yield python
