"""A copy of the project's code for its own tools to run in, so that the user's tree is never touched.

Data stores, uploads, environments, version control and big files stay out. `.env` files are linked,
not copied: settings can read them, and no second copy of their secrets comes to lie in the run's folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wizard.context import Cancel
from wizard.frameworks.folders import (
    NEVER_OWN,
    SIDE_SUFFIXES,
    SQLITE_SUFFIXES,
    has_sqlite_magic,
    is_environment,
)
from wizard.model import Project

MAX_BYTES = 5_000_000


@contextmanager
def project_copy(project: Project, work: Path, cancel: Cancel) -> Iterator[Path]:
    """A fresh copy at `work / "project"`, removed at the end; what a kill left there is removed first."""
    target = work / "project"
    remove(target)
    data = {os.path.normpath(project.root / store.path) for store in project.stores}
    above = work / ".env"
    try:
        _copy(project.root, target, data, cancel, set())
        if (project.root.parent / ".env").is_file():  # settings may read the one of the repository
            _link(project.root.parent / ".env", above)
        yield target
    finally:
        remove(target)
        above.unlink(missing_ok=True)


def remove(target: Path) -> None:
    """Delete the copy, if it stands. Links in it are removed, not followed."""
    if target.exists():
        shutil.rmtree(target)


def _copy(source: Path, target: Path, data: set[str], cancel: Cancel, seen: set[str]) -> None:
    """Copy one folder. `data`: absolute paths left out; `seen`: real paths entered (link cycles)."""
    cancel.check()
    real = os.path.realpath(source)
    if real in seen:
        return
    seen = seen | {real}
    target.mkdir(parents=True)
    with os.scandir(source) as entries:
        for entry in entries:
            path = Path(entry.path)
            if os.path.normpath(path) in data:
                continue
            if entry.is_dir():
                if entry.name not in NEVER_OWN and not is_environment(path):
                    _copy(path, target / entry.name, data, cancel, seen)
            elif entry.name == ".env" or entry.name.startswith(".env."):
                _link(path, target / entry.name)
            elif entry.is_file() and _is_code(path, entry):
                shutil.copyfile(path, target / entry.name)


def _link(source: Path, link: Path) -> None:
    link.unlink(missing_ok=True)
    with suppress(OSError):  # no links here: the settings then ask for the variables they miss
        link.symlink_to(os.path.realpath(source))


def _is_code(path: Path, entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    if name.endswith(SIDE_SUFFIXES) or entry.stat().st_size > MAX_BYTES:
        return False
    return not (name.endswith(SQLITE_SUFFIXES) and has_sqlite_magic(path))
