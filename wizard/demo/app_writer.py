"""Writes the demo's Django project with its data: `prepare`."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from wizard.demo import data, samples
from wizard.demo.platform import migrate
from wizard.errors import UsageError

TEMPLATE = Path(__file__).parent / "app"
DATABASE = "db.sqlite3"
MEDIA = "media"


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A project as its author would have it on the platform's disk. Counts are of what lies there."""

    path: Path
    rows: int
    files: int
    bytes: int


def prepare(folder: Path, scale: float = 1.0) -> DemoProject:
    """Write the project into the new or empty `folder`: code, migrated database, rows and uploads.

    At `scale` 1.0: more than 20,000 rows and 300 files, one of 30 MB. Raises UsageError
    `demo-folder-not-empty`, StepFailed `demo-migrate` with the end of what Django said.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "demo-folder-not-empty",
            f"The folder {folder} is not empty; nothing was written.",
            "Name a new folder for the demo.",
        )
    write_code(folder)
    migrate(folder, {})
    files, total = samples.write(folder / MEDIA, scale)
    data.fill(folder / DATABASE, folder / MEDIA, scale)
    return DemoProject(folder, count_rows(folder / DATABASE), files, total)


def write_code(folder: Path) -> None:
    """The project's tracked files only."""
    shutil.copytree(
        TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "gitignore")
    )
    shutil.copyfile(TEMPLATE / "gitignore", folder / ".gitignore")  # a real one would hide files of ours


def count_rows(database: Path) -> int:
    """Rows of all tables of a SQLite file."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return sum(
            int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]) for (table,) in tables
        )
