"""The checks of a project's folder: one file each, `check(seen)` returning one item."""

from __future__ import annotations

from collections.abc import Callable

from wizard.checks.base import Checklist, Item
from wizard.checks.project import (
    backups,
    build,
    committed,
    cors,
    database,
    debug,
    expiry,
    files,
    hosts,
    media,
    secret_key,
    variables,
)
from wizard.checks.project.seen import Seen, look
from wizard.model import Project

CHECKS: tuple[Callable[[Seen], Item], ...] = (
    database.check,
    expiry.check,
    backups.check,
    files.check,
    media.check,
    committed.check,
    variables.check,
    secret_key.check,
    debug.check,
    hosts.check,
    cors.check,
    build.check,
)


def run(project: Project) -> Checklist:
    """Every check of the scanned project. Offline; reads only."""
    seen = look(project)
    return Checklist(project.root.name, tuple(check(seen) for check in CHECKS))
