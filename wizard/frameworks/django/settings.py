"""What a Django project's settings say, read from the code without running it.

The settings module named by `wsgi.py` or `manage.py` is followed through its imports (star imports,
packages, django-split-settings) by the evaluator next door, as if no environment variable but those
in the project's `.env` were set: that is the configuration in which a SQLite file is in use.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from wizard.errors import UsageError
from wizard.frameworks.django import timezones, urls
from wizard.frameworks.django.evaluate import Evaluator, Kept, Scope, parse
from wizard.frameworks.django.values import UNKNOWN, EnvironPath
from wizard.frameworks.folders import relative
from wizard.frameworks.requirements import installed_version, package_version
from wizard.model import Evidence, Framework

SETTINGS = (
    "DATABASES",
    "MEDIA_ROOT",
    "MEDIA_URL",
    "INSTALLED_APPS",
    "STORAGES",
    "DEFAULT_FILE_STORAGE",
    "STATICFILES_STORAGE",
    "STATIC_URL",
    "SECRET_KEY",
    "DEBUG",
    "ROOT_URLCONF",
    "ALLOWED_HOSTS",
    "USE_TZ",
    "TIME_ZONE",
)
_USUAL_PARTS = ("production", "prod", "local", "development", "dev", "base", "settings")
ServesMedia = Literal["always", "debug", "never"]


@dataclass(frozen=True, slots=True)
class DjangoSettings:
    """What the settings say. Files are relative to the project root, paths absolute.

    `files`: every settings file read, the one that Django is told first. `where`: the assignment in
    force for each of SETTINGS that is assigned. `media_root` and `database_path` are None where not
    set or not understood. `database_engine` is the dotted name. `serves_media`: whether the root
    urls serve uploads always, only with DEBUG, or never; `serves_media_at` is where.
    `default_storage`: the dotted backend of uploads, None where Django's own default is in force.
    `naive_zone`: the zone in which the database's times without an offset are meant (`UTC`, or a name as
    in the IANA database), None where the code alone does not say.
    `secret_key_literal` and `debug_literal` (DEBUG = True): written into the code as such.
    """

    module: str
    files: tuple[str, ...]
    where: Mapping[str, Evidence]
    media_root: Path | None
    media_url: str | None
    database_engine: str | None
    database_path: Path | None
    django_version: tuple[int, ...] | None
    urls_file: str | None
    serves_media: ServesMedia
    serves_media_at: Evidence | None
    secret_key_literal: bool
    debug_literal: bool
    default_storage: str | None
    naive_zone: str | None

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database in use is SQLite (or SpatiaLite)."""
        return self.database_engine is not None and self.database_engine.endswith(("sqlite3", "spatialite"))


def read(root: Path, framework: Framework) -> DjangoSettings:
    """The settings of the Django project in `root / framework.path`.

    Where `wsgi.py` and `manage.py` name different modules, the one whose SQLite file is here counts, else
    the deployed one (wsgi). Where the module named is only a package for several, chosen by the
    environment, its usual parts are read. Raises UsageError `unreadable-settings` where no settings module is
    named or found, or a file of it cannot be parsed.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100 (links are kept as they are)
    app = Path(os.path.normpath(root / framework.path))
    candidates = named_modules(app)
    if not candidates:
        raise UsageError(
            "unreadable-settings",
            "No settings module is named in manage.py, wsgi.py or asgi.py.",
            "Set DJANGO_SETTINGS_MODULE in manage.py, as `django-admin startproject` writes it.",
        )
    read_all = [_read(root, app, *found) for found in _found(app, candidates)]
    if not any("DATABASES" in settings.where for settings in read_all):
        parts = [f"{module}.{part}" for module in candidates for part in _USUAL_PARTS]
        read_all += [_read(root, app, *found) for found in _found(app, parts)]
    if not read_all:
        raise UsageError(
            "unreadable-settings",
            f"The settings module {candidates[0]} has no file in the project.",
            "Check DJANGO_SETTINGS_MODULE in manage.py and wsgi.py.",
        )
    here = (s for s in read_all if s.uses_sqlite and s.database_path and s.database_path.is_file())
    deployed = (s for s in read_all if "DATABASES" in s.where)
    return next(here, None) or next(deployed, None) or read_all[-1]


def _found(app: Path, modules: Iterable[str]) -> Iterator[tuple[str, Path]]:
    for module in modules:
        file = module_file(app, module)
        if file is not None:
            yield module, file


def named_modules(app: Path) -> tuple[str, ...]:
    """Dotted settings modules named by wsgi.py, asgi.py and manage.py, the deployed one first."""
    entries = [*sorted(app.glob("*/wsgi.py")), *sorted(app.glob("*/*/wsgi.py")), app / "wsgi.py"]
    entries += [*sorted(app.glob("*/asgi.py")), app / "asgi.py", app / "manage.py"]
    names: list[str] = []
    for entry in entries:
        if entry.is_file():
            names += _named_in(app, entry)
    return tuple(dict.fromkeys(names))


def _named_in(app: Path, entry: Path) -> Iterator[str]:
    evaluator = Evaluator(app, ())
    scope = Scope(entry)
    for node in ast.walk(parse(entry, app)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="setdefault"), args=[ast.Constant("DJANGO_SETTINGS_MODULE"), value]
            ):
                pass
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant("DJANGO_SETTINGS_MODULE"))], value=value
            ):
                pass
            case ast.Import() | ast.ImportFrom():
                evaluator.statement(node, scope)
                continue
            case _:
                continue
        name = evaluator.value(value, scope)
        if isinstance(name, str):
            yield name


def module_file(app: Path, module: str) -> Path | None:
    """The file of a dotted module under `app`, `app/src` or a folder directly below, or None."""
    parts = module.split(".")
    places = [app, app / "src"]
    places += [Path(e.path) for e in sorted(os.scandir(app), key=lambda e: e.name) if e.is_dir()]
    for place in places:
        base = place.joinpath(*parts)
        for file in (base.with_name(base.name + ".py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None


def _read(root: Path, app: Path, module: str, file: Path) -> DjangoSettings:
    package = file.parent if file.name == "__init__.py" else file
    sources = package.parents[len(module.split(".")) - 1]
    evaluator = Evaluator(root, (sources, app))
    scope = evaluator.module(file)
    values = scope.names
    kept = {name: evaluator.kept[name][-1] for name in SETTINGS if evaluator.kept.get(name)}
    where = {
        name: Evidence(relative(k.file, root), k.line) for name, k in scope.places.items() if name in SETTINGS
    }
    database = _default_database(values.get("DATABASES", UNKNOWN))
    if not _is_sqlite(database):
        # A branch not taken (`if DEBUG:` …) may hold the SQLite that is really in use.
        for other in evaluator.kept.get("DATABASES", ()):
            alternative = _default_database(other.value)
            path = _database_path(alternative, app)
            if _is_sqlite(alternative) and path is not None and (database is None or path.is_file()):
                database = alternative
                where["DATABASES"] = Evidence(relative(other.file, root), other.line)
                break
    media_root = _path(values.get("MEDIA_ROOT"), app)
    if media_root is None:
        media_root = next(
            (p for k in evaluator.kept.get("MEDIA_ROOT", ()) if (p := _path(k.value, app)) is not None), None
        )
    media_url = values.get("MEDIA_URL")
    urlconf = values.get("ROOT_URLCONF")
    urls_path = module_file(app, urlconf) if isinstance(urlconf, str) else None
    serves, serves_line = urls.serves_media(urls_path, root) if urls_path else ("never", 0)
    urls_file = relative(urls_path, root) if urls_path else None
    engine = database.get("ENGINE") if database else None
    return DjangoSettings(
        module=module,
        files=tuple(relative(f, root) for f in evaluator.files),
        where=MappingProxyType(where),
        media_root=media_root,
        media_url=media_url if isinstance(media_url, str) else None,
        database_engine=engine if isinstance(engine, str) else None,
        database_path=_database_path(database, app),
        django_version=django_version(root, app),
        urls_file=urls_file,
        serves_media=serves,
        serves_media_at=Evidence(urls_file, serves_line) if urls_file and serves != "never" else None,
        secret_key_literal=_literal(kept.get("SECRET_KEY"), str),
        debug_literal=_literal(kept.get("DEBUG"), bool) and values.get("DEBUG") is True,
        default_storage=_default_storage(values),
        naive_zone=timezones.naive_zone(values, database, version_bounds(root, app)),
    )


def django_version(root: Path, app: Path) -> tuple[int, ...] | None:
    """Django's version: an exact pin or lock file, else what is installed beside it, else a lower bound."""
    return version_bounds(root, app)[0]


def version_bounds(root: Path, app: Path) -> tuple[tuple[int, ...] | None, bool]:
    """(Django's version as `django_version` gives it, whether it is exact and not only a lower bound)."""
    folders = tuple(dict.fromkeys((app, app.parent if app != root else root, root)))
    pinned = package_version(folders, "django")
    text = pinned.version if pinned and pinned.exact else None
    text = text or installed_version(folders, "django")
    if text is not None:
        return _numbers(text), True
    return (_numbers(pinned.version) if pinned and pinned.version else None), False


def _numbers(text: str) -> tuple[int, ...] | None:
    numbers: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers) or None


def _literal(kept: Kept | None, kind: type) -> bool:
    return (
        kept is not None
        and isinstance(kept.node, ast.Constant)
        and isinstance(kept.node.value, kind)
        and bool(kept.node.value)
    )


def _default_storage(values: Mapping[str, Any]) -> str | None:
    storages = values.get("STORAGES")
    default = storages.get("default") if isinstance(storages, dict) else None
    backend = default.get("BACKEND") if isinstance(default, dict) else values.get("DEFAULT_FILE_STORAGE")
    return backend if isinstance(backend, str) else None


def _default_database(databases: Any) -> dict[str, Any] | None:
    default = databases.get("default") if isinstance(databases, dict) else None
    return default if isinstance(default, dict) and default else None


def _is_sqlite(database: dict[str, Any] | None) -> bool:
    return database is not None and str(database.get("ENGINE", "")).endswith(("sqlite3", "spatialite"))


def _database_path(database: dict[str, Any] | None, app: Path) -> Path | None:
    if database is None or not _is_sqlite(database):
        return None
    name = database.get("NAME")
    if isinstance(name, str) and (":memory:" in name or name.startswith("file:")):
        return None
    return _path(name, app)


def _path(value: Any, app: Path) -> Path | None:
    """An absolute path; a relative one counts from the app's folder, where its server is started."""
    if isinstance(value, EnvironPath):
        value = value.path
    if not isinstance(value, str | Path) or not str(value):
        return None
    return Path(os.path.normpath(app / value))
