"""What the checks of a project look at: the scan, and the settings that the deployed app would see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.checks.base import Item
from wizard.errors import UsageError
from wizard.frameworks.django import production
from wizard.frameworks.django.production import Production
from wizard.model import Evidence, Finding, Project
from wizard.scan.platforms import listed, load_yaml
from wizard.scan.tree import Tree, walk

# What a platform sets for every app. The values do not matter, except that they are there.
_PLATFORM_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "render": {"RENDER": "true", "RENDER_EXTERNAL_HOSTNAME": "my-app.onrender.com"},
    "fly": {"FLY_APP_NAME": "my-app"},
    "railway": {"RAILWAY_ENVIRONMENT": "production"},
    "heroku": {"DYNO": "web.1"},
    "vercel": {"VERCEL": "1", "VERCEL_ENV": "production"},
}


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
    known, declared = _variables(walk(project.root))
    for platform in project.platforms:
        known = {**_PLATFORM_VARIABLES.get(platform.name, {}), **known}
    django = next((f for f in project.frameworks if f.name == "django"), None)
    found, unreadable = None, ""
    if django is not None:
        try:
            found = production.read(project.root, django, known)
        except UsageError as error:
            unreadable = error.message
    return Seen(project, found, unreadable, frozenset(declared | known.keys()))


def place_of(finding: Finding) -> Evidence | None:
    """Where a finding is, if it is somewhere."""
    return Evidence(finding.file, finding.line or 1) if finding.file else None


def _variables(tree: Tree) -> tuple[dict[str, str], set[str]]:
    """Variables of the first web service in render.yaml: those with a value, and the names of all."""
    for file in tree.named("render.yaml", "render.yml"):
        services = listed(load_yaml(tree, file)[0], "services")
        web = next((s for s in services if s.get("type", "web") == "web"), None)
        if web is not None:
            entries = [v for v in listed(web, "envVars") if isinstance(v.get("key"), str)]
            known = {str(v["key"]): _text(v["value"]) for v in entries if v.get("value") is not None}
            return known, {str(v["key"]) for v in entries}
    return {}, set()


def _text(value: object) -> str:
    """A YAML scalar as the platform would hand it to the app."""
    return str(value).lower() if isinstance(value, bool) else str(value)
