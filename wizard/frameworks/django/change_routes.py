"""Several storages at once: logos in the database, the rest in a bucket. The project gets a storage class
that asks the right one, and each has its own entry in STORAGES."""

from __future__ import annotations

import json
import posixpath

from wizard.frameworks.django.change_code import STATICFILES, value_lines
from wizard.frameworks.django.change_settings import (
    Addition,
    Refusal,
    named_kind,
    place_storage,
    prefix_refusal,
    storages_shape,
)
from wizard.frameworks.django.change_site import Site, Version
from wizard.frameworks.django.change_storages import DISK, IMPORT_OS, TABLE
from wizard.frameworks.django.change_table import settings_package
from wizard.model import Edit, Need, Splice
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.python_source import statements_check
from wizard.storages.routing import glob

MODULE = "routed_storage"
CLASS = "RoutedStorage"
FILES = "django.core.files.storage.FileSystemStorage"
WIDTH = 88
_REASON = "uploads go to several storages: the class that asks the right one"
CODE = '''"""Keeps each upload in the storage that takes its name and size."""

import re

from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.deconstruct import deconstructible


@deconstructible
class RoutedStorage(Storage):
    """`routes` name storages of STORAGES in order, each with the names that it takes
    and how many bytes. What none takes stays in MEDIA_ROOT."""

    def __init__(self, routes=()):
        self.routes = routes

    def _candidates(self, name):
        """Who may have the name, with the most bytes each takes; the last takes any."""
        name = str(name).replace("\\\\", "/")
        found = []
        for route in self.routes:
            if re.fullmatch(route["pattern"], name, re.DOTALL):
                found.append((storages[route["storage"]], route.get("max_size")))
                if "max_size" not in route:
                    return found
        return [*found, (FileSystemStorage(), None)]

    def holding(self, name):
        """The storage that has the file; where none has, the one that takes any size."""
        *limited, (last, _) = self._candidates(name)
        return next((one for one, _ in limited if one.exists(name)), last)

    def _open(self, name, mode="rb"):
        return self.holding(name).open(name, mode)

    def _save(self, name, content):
        size = getattr(content, "size", None)
        for storage, most in self._candidates(name):
            if most is None or (size is not None and size <= most):
                break
        return storage._save(name, content)

    def exists(self, name):
        return any(storage.exists(name) for storage, _ in self._candidates(name))

    def delete(self, name):
        self.holding(name).delete(name)

    def size(self, name):
        return self.holding(name).size(name)

    def get_modified_time(self, name):
        return self.holding(name).get_modified_time(name)

    def path(self, name):
        return self.holding(name).path(name)

    def url(self, name):
        return self.holding(name).url(name)

    def listdir(self, path):
        folders, files = set(), set()
        names = {route["storage"] for route in self.routes}
        for storage in [*(storages[name] for name in names), FileSystemStorage()]:
            try:
                inner = storage.listdir(path)
            except FileNotFoundError:
                continue
            folders.update(inner[0])
            files.update(inner[1])
        return sorted(folders), sorted(files)
'''
SERVE = '''"""Serves uploads: from the database, or by sending the browser on to their bucket."""

import re

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponseRedirect
from django.urls import re_path
from django.views.decorators.http import require_safe


@require_safe
def media_file(request, path):
    """Answer with the file's bytes, or with its current address, which may expire."""
    if "\\\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise Http404("No such file.")
    try:
        storage = default_storage.holding(path)
        address = storage.url(path)
        if address.startswith(settings.MEDIA_URL):
            kind = None
            if hasattr(storage, "content_type"):
                kind = storage.content_type(path)
            return FileResponse(storage.open(path), content_type=kind)
    except (OSError, SuspiciousOperation, ValueError) as error:
        raise Http404("No such file.") from error
    response = HttpResponseRedirect(address)
    # Shorter than a signed address lives.
    response["Cache-Control"] = "private, max-age=300"
    return response


media_urls = []
media_path = settings.MEDIA_URL.lstrip("/")
routed = settings.STORAGES["default"]["BACKEND"].endswith(".RoutedStorage")
if routed and media_path and "://" not in media_path:
    media_urls = [re_path(rf"^{re.escape(media_path)}(?P<path>.+)$", media_file)]
'''


def apart(storages: list[Need]) -> bool:
    """Whether these needs ask for more than one default storage can do by itself."""
    return len(storages) > 1 or any(n.match != "**" or n.max_size is not None for n in storages)


def problem(site: Site, storages: list[Need]) -> str | None:
    """Why these storages cannot be used side by side, or None."""
    if storages_shape(site) == "older":
        return "ashore knows how to use several storages from Django 4.2 on, where STORAGES names them."
    if len({need.source for need in storages if need.source}) > 1:
        return "the storages are for different folders, and Django has one MEDIA_ROOT."
    greedy = next((n for n in storages if n.match == "**" and n.max_size is None), storages[-1])
    if greedy != storages[-1]:
        return f"the rule for {greedy.backend} takes every file before a later one is asked."
    settings: dict[str, list[str]] = {}
    for need in storages:
        if need.backend == DISK:
            continue
        kind = named_kind(site, need)
        if kind.one_a_project and settings.setdefault(kind.module, kind.before(need)) != kind.before(need):
            return f"{kind.module} has settings for one account and prefix only."
    return None


def change_module(site: Site) -> list[Edit]:
    """The storage class's module; none where it stands already. Raises NotUnderstood where another does."""
    folder, _ = settings_package(site)
    path = posixpath.join(folder, f"{MODULE}.py")
    present = site.read(path)
    if present is None:
        return [assemble(path, None, [Splice(0, 0, CODE, _REASON)], statements_check([CODE]))]
    if present.replace(b"\r\n", b"\n") != CODE.encode():
        raise NotUnderstood(f"{path} exists already and is not the module ashore would write.")
    return []


def routed_settings(
    site: Site, storages: list[Need], packages: dict[str, Version | None]
) -> Addition | Refusal | None:
    """The lines that put the class and every storage into STORAGES. `packages` are pinned versions."""
    _, dotted = settings_package(site)
    module = f"{dotted}.{MODULE}" if dotted else MODULE
    shape = storages_shape(site)
    aliases = _aliases(storages)
    entries = {"default": _default(f"{module}.{CLASS}", storages, aliases)}
    if shape == "whole":
        entries["staticfiles"] = [f'    "BACKEND": "{STATICFILES}",']
    imports = [IMPORT_OS]
    blocks: list[list[str]] = []
    for need, alias in aliases.items():
        if need.backend != DISK:
            kind = named_kind(site, need)
            imports += kind.imports
            blocks.append(kind.before(need))
        entries[alias] = _entry(site, need, packages, 8 if shape == "whole" else 4)
    lines = _condition(_switches(storages))
    for number, block in enumerate(blocks):
        if block not in blocks[:number]:
            lines += [f"    {line}" if line else "" for line in block]
    lines += _whole(entries) if shape == "whole" else _items(entries)
    reason = "each upload goes to the first storage that takes its name and size; without them, as now"
    wanted = Addition("", (), lines, tuple(dict.fromkeys(imports)), reason)
    bad = next((n for n in storages if n.prefix and not n.prefix.endswith("/")), None)
    if bad is not None:
        return prefix_refusal(site, bad, wanted)
    return place_storage(site, wanted, module, (), _switches(storages), shape)


def _switch(need: Need) -> str:
    """The variable that says that the storage is in use."""
    return need.variable("path" if need.backend == DISK else "bucket") or ""


def _switches(storages: list[Need]) -> tuple[str, ...]:
    """Any of these set turns the storages on: those of the buckets, or the database's where there is none."""
    own = [n for n in storages if n.backend != TABLE] or storages
    return tuple(dict.fromkeys(map(_switch, own)))


def _place(need: Need) -> tuple[object, ...]:
    return need.backend, need.roles, need.access, need.prefix


def _aliases(storages: list[Need]) -> dict[Need, str]:
    """One name in STORAGES for each place, in the rules' order, by the first need that speaks of it."""
    places: dict[tuple[object, ...], Need] = {}
    for need in storages:
        places.setdefault(_place(need), need)
    return {need: f"uploads-{number}" for number, need in enumerate(places.values(), 1)}


def _default(backend: str, storages: list[Need], aliases: dict[Need, str]) -> list[str]:
    by_place = {_place(need): alias for need, alias in aliases.items()}
    lines = [f'    "BACKEND": "{backend}",', '    "OPTIONS": {', '        "routes": [']
    for need in storages:
        pattern = json.dumps(glob(need.match).pattern, ensure_ascii=False)
        lines += [
            "            {",
            f'                "storage": "{by_place[_place(need)]}",',
            f'                "pattern": {pattern},',
        ]
        if need.max_size is not None:
            lines.append(f'                "max_size": {need.max_size},')
        lines.append("            },")
    return [*lines, "        ],", "    },"]


def _entry(site: Site, need: Need, packages: dict[str, Version | None], depth: int) -> list[str]:
    """The inside of one entry; `depth` is the column of the entry itself: a line's room depends on it."""
    if need.backend == DISK:
        return [
            f'    "BACKEND": "{FILES}",',
            '    "OPTIONS": {',
            f'        "location": os.environ["{need.variable("path")}"],',
            "    },",
        ]
    kind = named_kind(site, need)
    lines = [f'    "BACKEND": "{kind.backend(site.version, packages.get("django-storages"))}",']
    options = kind.options(need, need.prefix.strip("/"))
    if options:
        lines.append('    "OPTIONS": {')
        for option in options:
            inner = value_lines(f'{" " * (depth + 8)}"{option.name}": ', option.value, ",")
            lines += [line[depth:] for line in inner]
        lines.append("    },")
    return lines


def _whole(entries: dict[str, list[str]]) -> list[str]:
    lines = ["    STORAGES = {"]
    for alias, entry in entries.items():
        lines += [f'        "{alias}": {{', *(f"        {line}" for line in entry), "        },"]
    return [*lines, "    }"]


def _items(entries: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    for alias, entry in entries.items():
        lines += [f'    STORAGES["{alias}"] = {{', *(f"    {line}" for line in entry), "    }"]
    return lines


def _condition(names: tuple[str, ...]) -> list[str]:
    tests = [f'os.environ.get("{name}")' for name in names]
    one = f"if {' or '.join(tests)}:"
    if len(one) <= WIDTH:
        return [one]
    return ["if (", f"    {tests[0]}", *(f"    or {test}" for test in tests[1:]), "):"]
