"""What every part of a Django change looks at: the project's files, its settings, the Django it deploys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.app_folder import AppFolder, app_folder
from wizard.frameworks.django.settings import DjangoSettings, read
from wizard.frameworks.requirements import package_version
from wizard.model import Framework, Need
from wizard.patchers.base import NotUnderstood
from wizard.patchers.requirements import chain
from wizard.patchers.toml_file import load

NEWEST = (9, 9)
Version = tuple[int, ...]


@dataclass(frozen=True)
class Site(AppFolder):
    """A Django project about to be changed."""

    settings: DjangoSettings
    version: Version


def open_site(root: Path, framework: Framework) -> Site:
    """The site of `framework`. Raises UsageError `unreadable-settings`."""
    folder = app_folder(root, framework).folder
    settings = read(root, framework)
    return Site(root, folder, settings, _deployed(root, folder, settings, framework))


def _deployed(root: Path, folder: str, settings: DjangoSettings, framework: Framework) -> Version:
    """The newest Django that a deploy may install: a pin or lock, the cap of a range, else the newest.

    A range is not its lower bound: `Django>=4.1` installs a Django that knows no DEFAULT_FILE_STORAGE,
    and files would land on the local disk without a word.
    """
    folders = tuple(dict.fromkeys((root / folder, root)))
    found = package_version(folders, "django")
    if found is None:
        return settings.django_version or _numbers(framework.version or "") or NEWEST
    if found.exact and found.version:
        return _numbers(found.version) or NEWEST
    return newest_allowed(_specifier(found.file))


def _specifier(file: Path) -> str:
    """The version text beside Django in a file, "" where none."""
    try:
        if file.suffix == ".toml" or file.name == "Pipfile":
            values = load(file.read_bytes())
            listed = values.get("project", {}).get("dependencies", [])
            poetry = values.get("tool", {}).get("poetry", {}).get("dependencies", {})
            table = {k.lower(): v for k, v in {**poetry, **values.get("packages", {})}.items()}
            value = table.get("django", "")
            texts = [str(value.get("version", "")) if isinstance(value, dict) else str(value)]
            return next((t[6:] for t in listed if re.match(r"django(?![\w-])", t, re.I)), texts[0])
        data = file.read_bytes()
        for package in chain(file.name, lambda _: data, lambda _, other: other)[file.name].packages:
            if package.name == "django":
                return package.rest
    except (OSError, NotUnderstood):
        return ""
    return ""


def newest_allowed(specifier: str) -> Version:
    """The newest version inside a specifier's cap, as a tuple to compare with; NEWEST where it has none."""
    caps: list[Version] = []
    for operator, text in re.findall(r"(===?|~=|<=|<|\^|~)\s*v?(\d+(?:\.\d+)*)", specifier):
        numbers = _numbers(text)
        if operator in ("==", "===", "<="):
            caps.append(numbers)
        elif operator == "<":
            last = len(numbers) - 1
            while last > 0 and numbers[last] == 0:
                last -= 1
            caps.append((*numbers[:last], numbers[last] - 1, 99))
        elif operator == "^":
            caps.append((numbers[0], 99))
        else:
            caps.append((*numbers[: max(len(numbers) - 1, 1)], 99))
    return min(caps, default=NEWEST)


def _numbers(text: str) -> Version:
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def pick(needs: tuple[Need, ...], kind: str, backends: Iterable[str]) -> list[Need]:
    """The needs of one kind and of any of `backends`, each once."""
    known = frozenset(backends)
    return list(dict.fromkeys(n for n in needs if n.kind == kind and n.backend in known))
