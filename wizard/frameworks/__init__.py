"""Every framework that ashore can build the schema of and edit, by name."""

from __future__ import annotations

from wizard.frameworks.base import FrameworkKind
from wizard.frameworks.django import Django

FRAMEWORKS: tuple[FrameworkKind, ...] = (Django(),)


def framework(name: str) -> FrameworkKind | None:
    """The framework called `name`, or None where ashore only recognises it."""
    return next((kind for kind in FRAMEWORKS if kind.name == name), None)
