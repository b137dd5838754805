"""The torture database, migrated once a session by the engine in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.databases import torture
from wizard.credentials import Secret
from wizard.demo import embedded


@dataclass(frozen=True)
class Migration:
    """How a run of the command line ended, and what it left."""

    exit_code: int
    said: str
    url: Secret
    report: Mapping[str, Any]
    source: Path


def migrate(
    root: Path, url: Secret, decisions: Mapping[str, Mapping[str, str]], prelude: str = ""
) -> Migration:
    """`ashore run` on the folder `root`/project, which holds a SQLite file and nothing else.

    `prelude` is Python that the child runs first.
    """
    database = {
        "source": "data.sqlite3",
        "url": "env:TORTURE_TARGET",
        "schema": "derived",
        "decisions": decisions,
    }
    answers = {"version": 1, "project": "project", "database": database, "storage": []}
    (root / "ashore.yml").write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    done = ashore(root, url, ["run", "-a", str(root / "ashore.yml"), "--yes"], prelude)
    reports = list((root / "state").rglob("report.json"))
    report = json.loads(reports[0].read_text(encoding="utf-8")) if reports else {}
    return Migration(
        done.returncode, done.stdout + done.stderr, url, report, root / "project" / "data.sqlite3"
    )


def ashore(
    root: Path, url: Secret, command: list[str], prelude: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command of the engine in a process of its own, its state in `root`/state."""
    words = [*command, "--state-dir", str(root / "state")]
    start = f"import sys; sys.argv[1:] = {words!r}\n{prelude}\nfrom wizard.cli import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-P", "-c", start],
        cwd=root,
        env={**os.environ, "TORTURE_TARGET": url.reveal()},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def tortured(
    postgres_server: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Migration]:
    """The torture database after a whole run, its source still open and in WAL mode."""
    root = tmp_path_factory.mktemp("torture")
    (root / "project").mkdir()
    with closing(torture.build(root / "project" / "data.sqlite3")):
        yield migrate(root, postgres_server.database("torture"), torture.decisions())
