"""The project's settings with another default database. Loaded by Django in the project's interpreter.

Environment: ASHORE_SETTINGS names the project's module; ASHORE_DATABASE_URL is the target (absent: an
empty database in memory). The URL is taken out of the environment as soon as it is read.
"""

from __future__ import annotations

import importlib
import os
from urllib.parse import parse_qsl, unquote, urlsplit

_project = importlib.import_module(os.environ["ASHORE_SETTINGS"])
for _name in dir(_project):
    if _name.isupper():
        globals()[_name] = getattr(_project, _name)


def _target(url: str, current: str) -> dict[str, object]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    options.pop("application_name", None)  # PGAPPNAME says whose session it is
    options.setdefault("connect_timeout", "30")
    spatial = "gis" in current or "spatialite" in current
    return {
        "ENGINE": "django.contrib.gis.db.backends.postgis" if spatial else "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
    }


_theirs = dict(globals().get("DATABASES") or {})
_default = _theirs.get("default") or {}
_engine_now = str(_default.get("ENGINE", ""))
_url = os.environ.pop("ASHORE_DATABASE_URL", None)
DATABASES = {
    # An alias that is the same SQLite file under another name would not be the target.
    alias: value
    for alias, value in _theirs.items()
    if alias != "default" and not (value.get("NAME") == _default.get("NAME") and "lite" in _engine_now)
}
if _url:
    DATABASES["default"] = _target(_url, _engine_now)
else:
    DATABASES["default"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
