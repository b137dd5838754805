"""A move from one PostgreSQL to another by the command line, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from wizard.credentials import Secret


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int
    said: str


@dataclass(frozen=True)
class World:
    """A project folder that holds nothing, answers beside it, the two databases."""

    root: Path
    source: Secret
    target: Secret

    def answer(self, **more: Any) -> None:
        """Write the answers; `more` goes below `database`."""
        database = {"source": "env:OLD_DATABASE_URL", "url": "env:NEW_DATABASE_URL", **more}
        answers = {"version": 1, "project": "project", "database": database, "storage": [], "patch": "skip"}
        (self.root / "project").mkdir(exist_ok=True, parents=True)
        (self.root / "ashore.yml").write_text(json.dumps(answers), encoding="utf-8")

    def ashore(self, *words: str, state: str = "state") -> Ended:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "wizard", *words, "--state-dir", str(self.root / state)],
            cwd=self.root / "project",
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=240,
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def environ(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "OLD_DATABASE_URL": self.source.reveal(),
            "NEW_DATABASE_URL": self.target.reveal(),
        }

    def run(self, state: str = "state") -> Ended:
        return self.ashore("run", "-a", str(self.root / "ashore.yml"), "--yes", state=state)


def execute(url: Secret, script: str) -> None:
    """Run a script, statements separated by semicolons."""
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(script.encode())


def rows(url: Secret, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query.encode()).fetchall()
