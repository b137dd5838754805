"""What the checks of a project look at: the scan, and the settings that the deployed app would see."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.checks.base import Item
from wizard.errors import UsageError
from wizard.frameworks.django import production
from wizard.frameworks.django.production import Production
from wizard.model import Evidence, Finding, Project
from wizard.scan import variables
from wizard.scan.tree import walk


@dataclass(frozen=True, slots=True)
class Seen:
    """`production` is None for another framework than Django; `unreadable` says why it could not be read.

    `declared` are variables whose names the platform's file lists, whether or not it holds the value.
    """

    project: Project
    production: Production | None
    unreadable: str
    declared: frozenset[str]

    def finding(self, code: str) -> Finding | None:
        """The first finding of the scan with this code."""
        return next((f for f in self.project.findings if f.code == code), None)

    def blind(self, code: str, title: str) -> Item:
        """The answer where the settings were not read."""
        names = ", ".join(f.name for f in self.project.frameworks)
        why = self.unreadable or (
            f"The settings of {names} are not read by this version."
            if names
            else "No framework was found in this folder."
        )
        return Item(code, title, "cannot-tell", why, "Look it up in the app's settings.")


def look(project: Project) -> Seen:
    """Read what the checks need. Offline; runs and writes nothing."""
    known, declared = variables.deployed(walk(project.root), project.platforms)
    django = next((f for f in project.frameworks if f.name == "django"), None)
    found, unreadable = None, ""
    if django is not None:
        try:
            found = production.read(project.root, django, known)
        except UsageError as error:
            unreadable = error.message
    return Seen(project, found, unreadable, declared)


def place_of(finding: Finding) -> Evidence | None:
    """Where a finding is, if it is somewhere."""
    return Evidence(finding.file, finding.line or 1) if finding.file else None
