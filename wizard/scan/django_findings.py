"""What the settings that a deployed Django app would see say: DEBUG, hosts, CORS, storages, pooling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wizard.frameworks.django.production import Production, Setting
from wizard.frameworks.django.settings import DjangoSettings
from wizard.model import Evidence, Finding
from wizard.scan.code import Code
from wizard.scan.pooler import POOLED
from wizard.scan.tree import Tree

_LOCAL = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "testserver")  # noqa: S104 (a name, not a bind)
_CORS = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
_REMOVED = ("DEFAULT_FILE_STORAGE", "STATICFILES_STORAGE")


def find(
    settings: DjangoSettings, production: Production, declared: frozenset[str], code: Code
) -> Iterator[Finding]:
    """`declared`: variables that the platform's file sets; what one of them decides is no finding."""
    debug, hosts = production.get("DEBUG"), production.get("ALLOWED_HOSTS")
    if not for_development(debug.place, code.tree):
        yield from _debug(debug, declared, code.tree)
    if not for_development(hosts.place, code.tree):
        yield from _hosts(hosts)
    apps = production.get("INSTALLED_APPS")
    if not isinstance(apps.value, list | tuple) or "corsheaders" in apps.value:
        yield from _cors(production)
    yield from _removed(settings, production)
    yield from _pooled(production, code)


def for_development(place: Evidence | None, tree: Tree) -> bool:
    """Whether the file is one of several settings, and not the one for production."""
    if place is None:
        return False
    folder, _, name = place.file.rpartition("/")
    if name not in ("local.py", "dev.py", "development.py", "test.py", "testing.py"):
        return False
    return any((tree.root / folder / other).is_file() for other in ("production.py", "prod.py", "deploy.py"))


def _debug(setting: Setting, declared: frozenset[str], tree: Tree) -> Iterator[Finding]:
    if not setting.known or not setting.value or setting.place is None:
        return
    lines = tree.text(setting.place.file).splitlines()
    line = lines[setting.place.line - 1] if setting.place.line <= len(lines) else ""
    literal = re.search(r"=\s*True\b", line) is not None and setting.settled
    if not literal and (any("DEBUG" in name for name in declared) or "not in os.environ" in line):
        return
    yield Finding(
        "debug-true",
        "warning",
        "DEBUG is on, whatever the environment says: error pages show settings and data to visitors."
        if literal
        else "DEBUG is on unless a variable turns it off: where it is forgotten, error pages show settings.",
        "Read it from the environment, with False as default.",
        setting.place.file,
        setting.place.line,
    )


def _hosts(setting: Setting) -> Iterator[Finding]:
    if not setting.settled or setting.place is None or not isinstance(setting.value, list | tuple):
        return
    hosts = [str(host) for host in setting.value]
    if "*" in hosts:
        yield Finding(
            "hosts-not-restricted",
            "warning",
            "ALLOWED_HOSTS holds `*`: a forged Host header gets into the links that the app sends.",
            "Name the app's own hosts, read from a variable.",
            setting.place.file,
            setting.place.line,
        )
    elif not any(host and host not in _LOCAL for host in hosts):
        yield Finding(
            "no-public-host",
            "info",
            "ALLOWED_HOSTS names no public host: with DEBUG off every visitor gets an error 400.",
            "Name the app's own hosts, read from a variable.",
            setting.place.file,
            setting.place.line,
        )


def _cors(production: Production) -> Iterator[Finding]:
    for name in _CORS:
        setting = production.get(name)
        if setting.settled and setting.value is True and setting.place is not None:
            credentials = production.get("CORS_ALLOW_CREDENTIALS").value is True
            yield Finding(
                "cors-any-origin",
                "warning",
                f"{name} is on: any site may read the app's answers"
                + (" in the name of a visitor who is logged in." if credentials else "."),
                "Name the front end in CORS_ALLOWED_ORIGINS instead.",
                setting.place.file,
                setting.place.line,
            )
            return


def _removed(settings: DjangoSettings, production: Production) -> Iterator[Finding]:
    version = settings.django_version
    if version is None or version < (5, 1):
        return
    for name in _REMOVED:
        setting = production.get(name)
        if setting.place is not None:
            what = (
                "Uploads go to the app's own disk" if name == "DEFAULT_FILE_STORAGE" else "It has no effect"
            )
            yield Finding(
                "storage-setting-removed",
                "error" if name == "DEFAULT_FILE_STORAGE" else "warning",
                f"Django {'.'.join(map(str, version[:2]))} no longer reads {name}. {what}, without a word.",
                'Name the backend in STORAGES["default"]["BACKEND"].'
                if name == "DEFAULT_FILE_STORAGE"
                else 'Name the backend in STORAGES["staticfiles"]["BACKEND"].',
                setting.place.file,
                setting.place.line,
            )


def _pooled(production: Production, code: Code) -> Iterator[Finding]:
    """Through a transaction pooler, server-side cursors (QuerySet.iterator) break."""
    databases = production.get("DATABASES")
    default: Any = databases.value.get("default") if isinstance(databases.value, Mapping) else None
    if isinstance(default, Mapping) and default.get("DISABLE_SERVER_SIDE_CURSORS"):
        return
    if any(b"DISABLE_SERVER_SIDE_CURSORS" in s.data for s in code.having((".py",), b"DISABLE_SERVER")):
        return
    place = None
    if isinstance(default, Mapping) and isinstance(default.get("HOST"), str):
        port = str(default.get("PORT") or "")
        if databases.place is not None and (port == "6543" or POOLED.search(f"@{default['HOST']}:{port}/")):
            place = databases.place
    if place is None:
        for source in (*code.environment, *code.having((".yaml", ".yml"), b"postgres")):
            match = POOLED.search(source.text)
            if match is not None:
                place = source.at(match.start(), source.text)
                break
    if place is not None:
        yield Finding(
            "pooler-misuse",
            "warning",
            "Django connects through a transaction pooler with server-side cursors on: .iterator() fails "
            "there with `cursor does not exist`.",
            "Set DISABLE_SERVER_SIDE_CURSORS to True in DATABASES, and use the direct host for migrations.",
            place.file,
            place.line,
        )
