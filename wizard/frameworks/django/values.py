"""The values that reading settings works with, beside plain Python ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit


class Unknown:
    """A value that reading alone cannot know. False in conditions is decided by the evaluator."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Dotted:
    """Something imported from outside the project, by its dotted name (`os.path.join`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a known value, not yet called."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class EnvironPath:
    """`environ.Path` of django-environ: called with parts it joins, minus n it goes up."""

    path: Path

    def up(self, steps: int) -> EnvironPath:
        path = self.path
        for _ in range(steps):
            path = path.parent
        return EnvironPath(path)

    def join(self, *parts: Any) -> EnvironPath:
        return EnvironPath(Path(os.path.normpath(self.path.joinpath(*map(str, parts)))))


@dataclass(frozen=True, slots=True)
class EnvironReader:
    """`environ.Env(NAME=(cast, default))` or `environs.Env()`: reads variables with declared defaults."""

    defaults: dict[str, Any] = field(default_factory=dict, hash=False)


_SCHEMES = {
    "sqlite": "django.db.backends.sqlite3",
    "sqlite3": "django.db.backends.sqlite3",
    "spatialite": "django.contrib.gis.db.backends.spatialite",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "psql": "django.db.backends.postgresql",
    "pgsql": "django.db.backends.postgresql",
    "postgis": "django.contrib.gis.db.backends.postgis",
    "mysql": "django.db.backends.mysql",
    "mysql2": "django.db.backends.mysql",
}


def database_of_url(url: Any) -> Any:
    """ENGINE and NAME of a database URL, as dj-database-url and django-environ read it."""
    if not isinstance(url, str) or ":" not in url:
        return UNKNOWN
    parts = urlsplit(url)
    engine = _SCHEMES.get(parts.scheme)
    if engine is None:
        return UNKNOWN
    if parts.scheme.startswith(("sqlite", "spatialite")):
        name = unquote((parts.netloc + parts.path).removeprefix("/"))
        return {"ENGINE": engine, "NAME": name or ":memory:"}
    return {"ENGINE": engine, "NAME": unquote(parts.path.lstrip("/"))}
