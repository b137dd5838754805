"""Django settings as the deployed app sees them, as far as the code alone decides them.

The module that `wsgi.py` names is read twice without running it: once with only the variables that are
known to be set there, once as if every variable were set. What comes out the same both times is settled
by the code; the rest is decided by the environment. A local `.env` is left out: it is not deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wizard.errors import UsageError
from wizard.frameworks.django.evaluate import Evaluator
from wizard.frameworks.django.settings import module_file, named_modules
from wizard.frameworks.django.values import UNKNOWN
from wizard.frameworks.folders import relative
from wizard.model import Evidence, Framework


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `value` is what the known variables alone give, UNKNOWN where reading cannot tell.

    `settled`: the value is the same whatever variables are set. `place` is None where it is not assigned.
    """

    value: Any
    settled: bool
    place: Evidence | None

    @property
    def known(self) -> bool:
        """Whether the code alone gives a value where nothing more is set."""
        return self.value is not UNKNOWN


@dataclass(frozen=True, slots=True)
class Production:
    """The settings module `module` (dotted) of the deployed app."""

    module: str
    settings: Mapping[str, Setting]

    def get(self, name: str) -> Setting:
        """The setting; a settled None without a place where no file of the project assigns it."""
        return self.settings.get(name, Setting(None, True, None))


class _Everything(Mapping[str, str]):
    """An environment in which every variable is set: the known ones to their value."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        return "postgresql://user@host/database" if name.endswith(("URL", "URI", "DSN")) else "set"

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def read(root: Path, framework: Framework, known: Mapping[str, str]) -> Production:
    """The settings of the Django project in `root / framework.path`; `known` are variables set there.

    Raises UsageError `unreadable-settings`.
    """
    app = root / framework.path
    modules = [known["DJANGO_SETTINGS_MODULE"]] if "DJANGO_SETTINGS_MODULE" in known else []
    for module in (*modules, *named_modules(app)):
        file = module_file(app, module)
        if file is not None:
            break
    else:
        raise UsageError(
            "unreadable-settings",
            "The settings module of the deployed app was not found in the project.",
            "Check DJANGO_SETTINGS_MODULE in wsgi.py and manage.py.",
        )
    package = file.parent if file.name == "__init__.py" else file
    sources = (package.parents[len(module.split(".")) - 1], app)
    few = Evaluator(root, sources)
    few.environ = MappingProxyType(dict(known))
    scope = few.module(file)
    all_set = Evaluator(root, sources)
    all_set.environ = _Everything(known)
    other = all_set.module(file).names
    settings = {}
    for name in {n for n in (*scope.names, *other) if n.isupper()}:
        # A name that only one of the two readings assigns is Django's own default in the other.
        value, rival = scope.names.get(name), other.get(name)
        kept = scope.places.get(name)
        place = Evidence(relative(kept.file, root), kept.line) if kept is not None else None
        settings[name] = Setting(value, _whole(value) and _whole(rival) and value == rival, place)
    return Production(module, MappingProxyType(settings))


def _whole(value: Any) -> bool:
    """Whether nothing in `value` is unknown."""
    if isinstance(value, dict):
        return all(_whole(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(_whole(v) for v in value)
    return value is not UNKNOWN
