"""One walk over the project: the names of its files, nothing opened but what looks like a database."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.folders import BUILT, NEVER_OWN, SQLITE_SUFFIXES, has_sqlite_magic, is_environment

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
        "netlify.toml",
        ".gitignore",
    }
)
CODE_SUFFIXES = (".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")
_OTHER_SUFFIXES = (".sh", ".prisma", ".yml", ".yaml")
_KEPT_SUFFIXES = frozenset((*CODE_SUFFIXES, *_OTHER_SUFFIXES))
_TESTS = frozenset(
    {
        "test",
        "tests",
        "testing",
        "__tests__",
        "__mocks__",
        "e2e",
        "spec",
        "fixtures",
        "cypress",
        "vendor",
        "examples",
        "docs",
        "samples",
    }
)
_TEST_FILE = re.compile(r"(?:test_.*|.*_test|tests|conftest)\.py|.*\.(?:test|spec|stories|min|bundle|d)\.\w+")
_DATA = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".svg",
        ".pdf",
        ".mp4",
        ".mp3",
        ".webm",
        ".pyc",
        ".css",
        ".html",
    }
)
_PLAIN = re.compile(r"/?([\w.-]+)/?")


@dataclass(frozen=True, slots=True)
class Tree:
    """The project's files by lower-case name, relative to `root` with forward slashes, nearest first.

    Only names that a detector asks for are kept, so that the size of the project does not matter.
    `databases` are files that begin as SQLite databases do. `code` are files of code, scripts, schemas and
    YAML, without tests and without folders that git ignores; `environment` those like `.env`.
    """

    root: Path
    names: dict[str, tuple[str, ...]]
    databases: tuple[str, ...]
    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

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
    code: list[str] = []
    environment: list[str] = []
    ignored = _ignored(root)
    pending = deque([(os.fspath(root), "", True)])
    while pending:
        folder, prefix, own = pending.popleft()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        if prefix and is_environment(folder):
            continue
        entries.sort(key=_name)
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if name not in NEVER_OWN and name not in BUILT:
                    inner = own and name not in ignored and name.lower() not in _TESTS
                    pending.append((entry.path, f"{prefix}{name}/", inner))
                continue
            lower = name.lower()
            suffix = lower[lower.rfind(".") :]
            if suffix in _DATA:
                continue
            if lower in _OF_INTEREST or (suffix == ".txt" and "requirements" in prefix.lower() + lower):
                names.setdefault(lower, []).append(prefix + name)
            elif suffix in SQLITE_SUFFIXES and has_sqlite_magic(Path(entry.path)):
                databases.append(prefix + name)
            elif lower.startswith(".env") or suffix == ".env" or lower.endswith(".env.example"):
                environment.append(prefix + name)
            elif own and suffix in _KEPT_SUFFIXES and not _TEST_FILE.fullmatch(lower):
                code.append(prefix + name)
    found = {name: tuple(files) for name, files in names.items()}
    return Tree(root, found, tuple(databases), tuple(code), tuple(environment))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _ignored(root: Path) -> frozenset[str]:
    """Names of folders that the root's .gitignore leaves out whole; longer patterns do not count."""
    try:
        text = (root / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    found = (_PLAIN.fullmatch(line.strip()) for line in text.splitlines())
    return frozenset(match[1] for match in found if match)
