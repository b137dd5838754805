"""The Python files of an app, where a generated module belongs among them, and how they import it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.folders import BUILT, NEVER_OWN
from wizard.model import Instruction
from wizard.patchers.base import NotUnderstood
from wizard.patchers.python_source import PythonSource

_MAX_BYTES = 1_000_000
# How the modules that ashore put there begin: they are no code of the app.
GENERATED = (b'"""One database API: PostgreSQL when DATABASE_URL', b'"""Uploaded files: in a bucket when ')
_TESTS = ("tests", "test", "migrations", "alembic")


@dataclass(frozen=True)
class Code:
    """The parsed files by path from the root, and what cannot be parsed."""

    sources: Mapping[str, PythonSource]
    unreadable: tuple[Instruction, ...]


def paths(app: AppFolder, suffix: str) -> Iterator[str]:
    """Every file of the app that ends in `suffix`, relative to the root, in order."""
    top = app.root / app.folder
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".")
            and f not in NEVER_OWN
            and f not in BUILT
            and not os.path.exists(os.path.join(folder, f, "pyvenv.cfg"))  # noqa: PTH110, PTH118
        )
        for name in sorted(files):
            if name.endswith(suffix):
                whole = os.path.relpath(os.path.join(folder, name), app.root)  # noqa: PTH118
                yield whole.replace(os.sep, "/")


def read_code(app: AppFolder, mentions: tuple[bytes, ...]) -> Code:
    """The app's Python files; those that cannot be read count where they hold one of `mentions`."""
    sources: dict[str, PythonSource] = {}
    unreadable: list[Instruction] = []
    for path in paths(app, ".py"):
        if (app.root / path).stat().st_size > _MAX_BYTES or set(path.split("/")[:-1]) & set(_TESTS):
            continue
        data = app.read(path) or b""
        if data.startswith(GENERATED):
            continue
        try:
            sources[path] = PythonSource(data)
        except NotUnderstood as error:
            if any(word in data for word in mentions):
                unreadable.append(error.instruction(path, ""))
    return Code(sources, tuple(unreadable))


@dataclass(frozen=True)
class Home:
    """Where a generated module or package stands: `folder`, and `package` where it lies inside one."""

    app: AppFolder
    folder: str
    relative: bool

    def path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, name))

    def statement(self, user: str, module: str) -> tuple[str, str]:
        """(module, statement) by which the file `user` imports `module`."""
        if not self.relative:
            return module, f"import {module}"
        depth = len(posixpath.relpath(posixpath.dirname(user) or ".", self.folder or ".").split("/"))
        same = posixpath.normpath(posixpath.dirname(user) or ".") == posixpath.normpath(self.folder or ".")
        dots = "." if same else "." * (depth + 1)
        return dots, f"from {dots} import {module}"


def home(app: AppFolder, code: Code, users: list[str]) -> Home:
    """A place that every one of `users` can import from: beside them, or at the top of their package."""
    folders = {posixpath.dirname(u) for u in users}
    common = (
        posixpath.commonpath(sorted(f or "." for f in folders)) if len(folders) > 1 else next(iter(folders))
    )
    top = common if common != "." else ""
    package = _package(app, top)
    if package is not None and _imported_as_package(code, package, users):
        return Home(app, package, True)
    if len(folders) > 1:
        top = app.folder
    return Home(app, top, False)


def _package(app: AppFolder, folder: str) -> str | None:
    found = None
    while folder and (app.root / folder / "__init__.py").is_file():
        found, folder = folder, posixpath.dirname(folder)
    return found


def _imported_as_package(code: Code, package: str, users: list[str]) -> bool:
    name = posixpath.basename(package)
    for path, source in code.sources.items():
        inside = path == package or path.startswith(package + "/")
        for node in source.statements:
            text = source.text(node)
            if inside and text.startswith("from ."):
                return True
            if text.startswith((f"from {name} ", f"from {name}.", f"import {name}")):
                return True
    return any(posixpath.basename(u) == "__init__.py" for u in users)
