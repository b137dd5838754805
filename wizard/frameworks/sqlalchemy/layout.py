"""Where a project keeps its Alembic migrations and its SQLAlchemy models. Reads text; imports nothing."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.folders import BUILT, NEVER_OWN
from wizard.model import Framework

BOOKKEEPING = "alembic_version"
MAX_BYTES = 1_000_000
_TESTS = frozenset({"test", "tests", "testing"})
_MODEL = re.compile(
    r"^\s+__tablename__\b|\bdb\.Table\(|\(\s*\w+\.Model\s*[,)]|^class .*\btable\s*=\s*True", re.M
)
_TABLE = re.compile(r"\bTable\(\s*[\"'\w]")
_LIBRARY = re.compile(r"^\s*(?:from|import)\s+(?:sqlalchemy|sqlmodel|flask_sqlalchemy)\b", re.M)
_IMPORT = re.compile(r"^\s*(?:from\s+([A-Za-z_]\w*)[\w.]*\s+import|import\s+([A-Za-z_]\w*))", re.M)
_MAKER = re.compile(r"\bFlask\(")
_VARIABLE = re.compile(r"\b(?=\w*(?:database|db|sql|postgres|pg))(\w*(?:url|uri|dsn))\b", re.I)
_FLASK_MIGRATE = re.compile(r"\bcurrent_app\b")
_MULTI = re.compile(r"\bSQLALCHEMY_BINDS\b")


@dataclass(frozen=True, slots=True)
class Migrations:
    """A folder of Alembic migrations. `folder` holds env.py and `versions`; `ini` may be absent.

    Both are relative to the app's folder (forward slashes). `flask`: env.py takes the engine from the app.
    """

    folder: str
    ini: str | None
    flask: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """What one app has. `models` are modules with tables: (folder to import from, dotted name), both relative
    to the app's folder. `roots` are folders to import from, `makers` modules that make a Flask app.
    `variables` may name the database; `binds`: Flask-SQLAlchemy's further databases are configured.
    """

    migrations: Migrations | None
    models: tuple[tuple[str, str], ...]
    roots: tuple[str, ...]
    makers: tuple[str, ...]
    variables: tuple[str, ...]
    binds: bool


def owns_schema(root: Path, framework: Framework) -> bool:
    """Whether the app has migrations of Alembic or models of SQLAlchemy."""
    found = read(Path(os.path.normpath(root / framework.path)))
    return found.migrations is not None or bool(found.models)


def bookkeeping(root: Path, framework: Framework) -> tuple[str, ...]:
    """`alembic_version`, where the app has migrations."""
    found = read(Path(os.path.normpath(root / framework.path)))
    return (BOOKKEEPING,) if found.migrations is not None else ()


def read(app: Path) -> Layout:
    """The layout of the app in the folder `app`."""
    files = list(_python_files(app))
    imported: Counter[str] = Counter()
    models: list[str] = []
    environments: list[str] = []
    makers: list[str] = []
    variables = {"DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL", "DATABASE_URI"}
    binds = used = False
    for name in files:
        text = _text(app / name)
        imported.update({a or b for a, b in _IMPORT.findall(text)})
        variables.update(v.upper() for v in _VARIABLE.findall(text))
        binds = binds or _MULTI.search(text) is not None
        if _MAKER.search(text) and not _is_test(name):
            makers.append(name)
        library = _LIBRARY.search(text) is not None
        used = used or library
        folder, _, base = name.rpartition("/")
        if base == "env.py" and (app / folder / "versions").is_dir() and "alembic" in text:
            environments.append(folder)
        elif _MODEL.search(text) or (library and _TABLE.search(text)):
            models.append(name)
    migrations = _migrations(app, environments)
    taken = tuple(f"{folder}/" for folder in environments)
    modules = tuple(
        dict.fromkeys(
            _module(name, imported)
            for name in models
            if used and not name.startswith(taken) and not _is_test(name)
        )
    )
    apps = [_module(name, imported) for name in makers]
    places = [root for root, _ in (*modules, *apps)]
    roots = tuple(dict.fromkeys([*places, ".", *(["src"] if (app / "src").is_dir() else [])]))
    named = tuple(name for _, name in apps)
    return Layout(migrations, modules, roots, named, tuple(sorted(variables)), binds)


def _migrations(app: Path, environments: list[str]) -> Migrations | None:
    """The nearest folder of migrations, with the alembic.ini that names it."""
    for folder in sorted(environments, key=lambda f: (f.count("/"), f)):
        flask = _FLASK_MIGRATE.search(_text(app / folder / "env.py")) is not None
        above = [folder, *(p.as_posix() for p in Path(folder).parents)]
        ini = next((f"{f}/alembic.ini" for f in above if (app / f / "alembic.ini").is_file()), None)
        return Migrations(folder, os.path.normpath(ini).replace(os.sep, "/") if ini else None, flask)
    return None


def _module(name: str, imported: Counter[str]) -> tuple[str, str]:
    """(folder, dotted name) of the module in the file `name`, as the project's own imports call it."""
    parts = name.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    for start in range(len(parts)):
        if imported[parts[start]]:
            return "/".join(parts[:start]) or ".", ".".join(parts[start:])
    return "/".join(parts[:-1]) or ".", parts[-1]


def _is_test(name: str) -> bool:
    *folders, base = name.split("/")
    return bool(_TESTS & set(folders)) or base.startswith("test_") or base in ("conftest.py", "setup.py")


def _python_files(app: Path) -> Iterator[str]:
    """Relative names of the app's Python files, sorted by folder; environments and builds left out."""
    for folder, inner, names in os.walk(app):
        inner[:] = sorted(
            d for d in inner if d not in NEVER_OWN and d not in BUILT and not _is_environment(f"{folder}/{d}")
        )
        place = os.path.relpath(folder, app).replace(os.sep, "/")
        for name in sorted(names):
            if name.endswith(".py"):
                yield name if place == "." else f"{place}/{name}"


def _is_environment(folder: str) -> bool:
    return (Path(folder) / "pyvenv.cfg").is_file()


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            return ""
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
