"""A whole `ashore run` of a sample project's database, as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from wizard.credentials import Secret

SECONDS = 120


@dataclass(frozen=True)
class End:
    """How it ended: exit code, the events, what stood on stderr."""

    exit_code: int
    events: tuple[dict[str, Any], ...]
    text: str

    @property
    def failures(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "failed"]


def run(project: Path, url: Secret, extra: str = "") -> End:
    """Move the project's SQLite database to `url`; state and answers lie beside the project."""
    answers = project.parent / "ashore.yml"
    answers.write_text(
        f"version: 1\nproject: {project}\ninterpreter: {sys.executable}\nstorage: []\npatch: skip\n"
        f"database:\n  provider: postgres\n  url: env:TARGET\n{extra}",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "wizard", "run", "-a", str(answers), "--yes", "--events",
         "--state-dir", str(project.parent / "state")],
        cwd=project,
        env=os.environ | {"TARGET": url.reveal()},
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    events = tuple(json.loads(line) for line in done.stdout.splitlines())
    return End(done.returncode, events, done.stderr)


def rows(url: Secret, query: str) -> list[tuple[Any, ...]]:
    """What the target answers."""
    with psycopg.connect(url.reveal()) as connection:
        return connection.execute(query.encode()).fetchall()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
