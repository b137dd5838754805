"""One walk over the project: the names of its files, nothing opened but what looks like a database."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.folders import BUILT, NEVER_OWN, SQLITE_SUFFIXES, has_sqlite_magic

_OF_INTEREST = frozenset(
    {
        "manage.py",
        "package.json",
        "pyproject.toml",
        "pipfile",
        "poetry.lock",
        "uv.lock",
        "pipfile.lock",
        "render.yaml",
        "render.yml",
        "procfile",
        "app.json",
        "fly.toml",
        "railway.json",
        "railway.toml",
        "vercel.json",
        "dockerfile",
        "docker-compose.yml",
        "docker-compose.yaml",
        "compose.yml",
        "compose.yaml",
    }
)


@dataclass(frozen=True, slots=True)
class Tree:
    """The project's files by lower-case name, relative to `root` with forward slashes, nearest first.

    Only names that a detector asks for are kept, so that the size of the project does not matter.
    `databases` are files that begin as SQLite databases do.
    """

    root: Path
    names: dict[str, tuple[str, ...]]
    databases: tuple[str, ...]

    def named(self, *names: str) -> Iterator[str]:
        """The files of these names (lower case), nearest to the root first."""
        for name in names:
            yield from self.names.get(name, ())

    def text(self, file: str) -> str:
        """The file's text; empty where it cannot be read."""
        try:
            return (self.root / file).read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            return ""

    def folder(self, file: str) -> str:
        """The folder of `file`, relative to the root; "." for the root itself."""
        return file.rpartition("/")[0] or "."


def walk(root: Path) -> Tree:
    """Walk `root`, leaving out environments, caches, build output and what tools installed.

    Folders that git ignores are walked: that is where databases and uploads usually lie. Folders that
    cannot be entered are passed over; links to folders are not followed.
    """
    names: dict[str, list[str]] = {}
    databases: list[str] = []
    pending = deque([(os.fspath(root), "")])
    while pending:
        folder, prefix = pending.popleft()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        if prefix and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in sorted(entries, key=lambda e: e.name):
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if name not in NEVER_OWN and name not in BUILT:
                    pending.append((entry.path, f"{prefix}{name}/"))
                continue
            lower = name.lower()
            if lower in _OF_INTEREST or (lower.endswith(".txt") and "requirements" in prefix.lower() + lower):
                names.setdefault(lower, []).append(prefix + name)
            elif lower.endswith(SQLITE_SUFFIXES) and has_sqlite_magic(Path(entry.path)):
                databases.append(prefix + name)
    return Tree(root, {name: tuple(files) for name, files in names.items()}, tuple(databases))
