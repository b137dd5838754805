"""What is at risk: frameworks, platforms, stores and findings, read from the project's files.

Offline; nothing of the project is imported or run, nothing is written.
"""

from __future__ import annotations

import os
from pathlib import Path

from wizard.errors import UsageError
from wizard.frameworks.django.settings import DjangoSettings, read
from wizard.model import Finding, Framework, Project
from wizard.scan import findings, frameworks, platforms
from wizard.scan.stores import stores
from wizard.scan.tree import walk

_ORDER = ("error", "warning", "info")


def scan(root: Path) -> Project:
    """Everything that can be seen of the project in the folder `root`.

    Raises UsageError `no-such-folder`.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100 (links are kept as they are)
    if not root.is_dir():
        raise UsageError(
            "no-such-folder", f"{root} is not a folder.", "Name the folder that holds the app's code."
        )
    tree = walk(root)
    seen = tuple(found for detect in frameworks.DETECTORS for found in detect(tree))
    hostings = tuple(found for detect in platforms.DETECTORS for found in detect(tree))
    django = next((framework for framework in seen if framework.name == "django"), None)
    settings, unreadable = _settings(root, django)
    held, odd = stores(tree, settings, hostings)
    found = [
        *unreadable,
        *odd,
        *findings.of_render(tree),
        *(findings.of_settings(settings, held) if settings else ()),
        *findings.of_git(tree, held),
        *findings.of_requirements(tree, django, settings),
    ]
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    return Project(root, seen, tuple(hosting.platform for hosting in hostings), held, tuple(found))


def _settings(root: Path, django: Framework | None) -> tuple[DjangoSettings | None, tuple[Finding, ...]]:
    if django is None:
        return None, ()
    try:
        return read(root, django), ()
    except UsageError as error:
        file = django.evidence[0].file if django.evidence else None
        return None, (Finding(error.code, "error", error.message, error.hint, file),)
