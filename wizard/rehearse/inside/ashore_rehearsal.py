"""The project's settings, held to this machine. Loaded by Django in the project's interpreter.

ASHORE_SETTINGS names the project's module. ASHORE_EXPECT is `sqlite:FOLDER` (every database is a file below
it) or `postgres:PORT` (every database is on that loopback port): anything else ends the process before a
connection is made, so that no live database can be meant. Mail, caches and tasks stay in memory.
"""

import importlib
import os

_project = importlib.import_module(os.environ["ASHORE_SETTINGS"])
for _name in dir(_project):
    if _name.isupper():
        globals()[_name] = getattr(_project, _name)

_kind, _, _where = os.environ["ASHORE_EXPECT"].partition(":")


def _is_here(database):
    engine = str(database.get("ENGINE", ""))
    if _kind == "sqlite":
        name = os.path.realpath(str(database.get("NAME", "")))
        return "lite" in engine and name.startswith(os.path.realpath(_where) + os.sep)
    return str(database.get("HOST", "")) == "127.0.0.1" and str(database.get("PORT", "")) == _where


for _alias, _database in (globals().get("DATABASES") or {}).items():
    if not _is_here(_database):
        raise SystemExit(
            "the settings name a database that is not the rehearsal's own (" + _alias + "): "
            "they read it from a variable or a file that the copy has as well"
        )

ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = False
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
CACHES = {
    _alias: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": _alias}
    for _alias in (globals().get("CACHES") or {"default": None})
}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
