"""Every framework that ashore can build the schema of and edit, by name."""

from __future__ import annotations

from wizard.frameworks.base import FrameworkKind
from wizard.frameworks.django import Django
from wizard.frameworks.fastapi import FastApi
from wizard.frameworks.flask import Flask
from wizard.frameworks.nestjs import Express, NestJs

FRAMEWORKS: tuple[FrameworkKind, ...] = (
    Django(),
    Flask(),
    FastApi(),
    NestJs(),
    Express(),
)


def framework(name: str) -> FrameworkKind | None:
    """The framework called `name`, or None where ashore only recognises it."""
    return next((kind for kind in FRAMEWORKS if kind.name == name), None)
