"""Folders that hold no code or data of the project: what walks and copies leave out."""

from __future__ import annotations

import os
from pathlib import Path

NEVER_OWN = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        "bower_components",
        "site-packages",
        ".tox",
        ".nox",
        ".eggs",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".idea",
        ".vscode",
    }
)
"""Made by tools, whatever the project."""

BUILT = frozenset({"build", "dist", ".next", ".nuxt", ".output", ".svelte-kit", "target"})
"""Output of builds: not looked into by the scan, though a package of the project may bear such a name."""

SQLITE_SUFFIXES = (".sqlite3", ".sqlite", ".db", ".db3", ".s3db")
SIDE_SUFFIXES = ("-wal", "-shm", "-journal")
SQLITE_MAGIC = b"SQLite format 3\x00"


def is_environment(folder: str | Path) -> bool:
    """Whether `folder` is a Python virtual environment (PEP 405: it holds pyvenv.cfg)."""
    return os.path.isfile(os.path.join(folder, "pyvenv.cfg"))  # noqa: PTH113, PTH118 (called for every folder)


def has_sqlite_magic(path: Path) -> bool:
    """Whether the file begins as a SQLite database does. False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(16) == SQLITE_MAGIC
    except OSError:
        return False


def relative(path: Path, root: Path) -> str:
    """`path` relative to `root` with forward slashes, or absolute where it lies outside."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()
