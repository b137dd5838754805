"""What is at risk: frameworks, platforms, stores and findings, read from the project's files.

Offline; nothing of the project is imported or run, nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wizard.errors import UsageError
from wizard.frameworks.django import production
from wizard.frameworks.django.settings import DjangoSettings, read
from wizard.model import Finding, Framework, Project
from wizard.scan import (
    code_findings,
    deploy_findings,
    django_findings,
    findings,
    frameworks,
    frontend,
    platforms,
    pooler,
    secrets,
    sqlite_sql,
    variables,
)
from wizard.scan.code import Code
from wizard.scan.code import read as read_code
from wizard.scan.git_index import read as read_index
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
    code = read_code(tree)
    platforms_seen = tuple(hosting.platform for hosting in hostings)
    environ, declared = variables.deployed(tree, platforms_seen)
    held, odd = stores(code, settings, hostings, seen, environ)
    index = read_index(root)
    of_render = tuple(findings.of_render(tree))
    free = any(finding.code == "free-database-expires" for finding in of_render)
    names = frozenset(platform.name for platform in platforms_seen)
    found = [
        *unreadable,
        *odd,
        *of_render,
        *deploy_findings.find(code, held, free),
        *(findings.of_settings(tree, settings, held) if settings else ()),
        *_deployed_django(root, django, settings, environ, declared, code),
        *findings.of_git(index, held),
        *findings.of_requirements(tree, django, settings),
        *secrets.find(code, index, frozenset(settings.files if settings else ()), declared),
        *code_findings.find(code, deploy_findings.commands(tree), names),
        *pooler.find(code),
        *frontend.find(code),
        *(sqlite_sql.find(code) if any(store.kind == "sqlite" for store in held) else ()),
    ]
    if not code.complete:
        found.append(
            Finding(
                "code-not-all-read",
                "info",
                f"The project holds more code than a scan reads: {len(code.sources):,} files were read, "
                "those nearest to its root.",
                "Point ashore at the folder of the app itself.",
            )
        )
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    return Project(root, seen, platforms_seen, held, tuple(found))


def _settings(root: Path, django: Framework | None) -> tuple[DjangoSettings | None, tuple[Finding, ...]]:
    if django is None:
        return None, ()
    try:
        return read(root, django), ()
    except UsageError as error:
        file = django.evidence[0].file if django.evidence else None
        return None, (Finding(error.code, "error", error.message, error.hint, file),)


def _deployed_django(
    root: Path,
    django: Framework | None,
    settings: DjangoSettings | None,
    environ: Mapping[str, str],
    declared: frozenset[str],
    code: Code,
) -> tuple[Finding, ...]:
    """What the settings of the deployed app say; nothing where they cannot be read."""
    if django is None or settings is None:
        return ()
    try:
        seen = production.read(root, django, environ)
    except UsageError:
        return ()
    return tuple(django_findings.find(settings, seen, declared, code))
