"""Neon's API v2 (https://api-docs.neon.tech): projects, their operations, connection strings.

A project is one PostgreSQL server; its first database is what a run fills.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from wizard.answers import CreateDatabase
from wizard.errors import StepFailed, UsageError
from wizard.providers.base import Kept, Made, Urls, poll
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Neon",
    base="https://console.neon.tech/api/v2",
    scopes="it must be a personal or organization API key that may create projects",
    home="Account settings, API keys",
    message=lambda data: str(data["message"]),
    untouched=(423, 429, 503),
)
POSTGRES_VERSION = 17
DATABASE = "app"
ROLE = "app_owner"
PROJECT_SECONDS = 300.0
PAGE = 100
_FAILED = ("failed", "error", "cancelled", "cancelling")


class Neon:
    """Implements `Databases`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def make(self, wanted: CreateDatabase) -> Made:
        """Raises UsageError `region-unknown`, `several-organizations`, Refused `plan-limit`."""
        org = self._organization()
        for project in self._projects(org, wanted.name):
            if project.get("name") == wanted.name:
                return Made(self._api.text(project, "id"), found=True)
        body: dict[str, Any] = {
            "name": wanted.name,
            "pg_version": POSTGRES_VERSION,
            "branch": {"database_name": DATABASE, "role_name": ROLE},
        }
        if org is not None:
            body["org_id"] = org
        if wanted.region is not None:
            body["region_id"] = self._region(wanted.region)
        made = self._api.call("POST", "/projects", body={"project": body})
        return Made(self._api.text(made, "project", "id"), found=False)

    def urls(self, id: str) -> Urls:
        """The direct URL for the wizard, the pooled one for the app, of the default branch's database.

        Raises StepFailed `provider-slow`, `database-failed`.
        """
        poll(lambda: self._settled(id), "The project at Neon", PROJECT_SECONDS, self._api.wait, 1.0)
        branches = self._api.items(self._api.get(f"/projects/{_part(id)}/branches"), "branches")
        branch = next((b for b in branches if isinstance(b, dict) and b.get("default")), None)
        branch_id = self._api.text(branch, "id")
        path = f"/projects/{_part(id)}/branches/{_part(branch_id)}/databases"
        databases = self._api.items(self._api.get(path), "databases")
        chosen = next((d for d in databases if isinstance(d, dict) and d.get("name") == DATABASE), None)
        chosen = chosen or (databases[0] if databases else None)
        name, role = self._api.text(chosen, "name"), self._api.text(chosen, "owner_name")
        found = {
            pooled: self._api.secret(
                self._api.get(
                    f"/projects/{_part(id)}/connection_uri",
                    branch_id=branch_id,
                    database_name=name,
                    role_name=role,
                    pooled="true" if pooled else "false",
                ),
                "uri",
            )
            for pooled in (False, True)
        }
        return Urls(wizard=found[False], app=found[True])

    def kept(self, name: str) -> Kept | None:
        """Neon keeps the history of a project: it can be put back to any moment of it."""
        listed = self._projects(self._organization(), name)
        found = next((p for p in listed if p.get("name") == name), None)
        if found is None:
            return None
        seconds, limit = found.get("history_retention_seconds"), found.get("branch_logical_size_limit_bytes")
        hours = seconds / 3600 if isinstance(seconds, int) else 0.0
        limit = limit if isinstance(limit, int) and limit > 0 else None
        if not hours:
            return Kept("off", "Neon keeps no history of this project.", limit=limit)
        return Kept("on", f"Neon can put it back to any moment of the last {hours:g} hours.", limit=limit)

    def reached_by(self, id: str, service: str | None) -> bool:
        """The pooled host is reached from everywhere."""
        return True

    def _settled(self, project: str) -> bool | None:
        """Whether no operation of the project is under way; a kill forgets their ids, the list does not."""
        operations = self._api.items(
            self._api.get(f"/projects/{_part(project)}/operations", limit=PAGE), "operations"
        )
        states = [self._api.text(operation, "status") for operation in operations]
        if any(state in ("scheduling", "running") for state in states):
            return None
        # Newest first: an older failure that was made good later does not matter.
        if states and states[0] in _FAILED:
            raise StepFailed(
                "database-failed", f"Neon's last operation on the project {states[0]}.", "Look at its page."
            )
        return True

    def _organization(self) -> str | None:
        """The only organization of the token, None where it has none."""
        found = self._api.find("/users/me/organizations")
        listed = self._api.items(found, "organizations") if found is not None else []
        if len(listed) > 1:
            raise UsageError(
                "several-organizations",
                f"This token reaches {len(listed)} organizations of Neon; it is not known which is meant.",
                "Use an API key of the one organization.",
            )
        return self._api.text(listed[0], "id") if listed else None

    def _projects(self, org: str | None, name: str) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._api.get("/projects", limit=PAGE, search=name, org_id=org, cursor=cursor)
            found = self._api.items(page, "projects")
            yield from (project for project in found if isinstance(project, dict))
            if len(found) < PAGE:
                return
            cursor = self._api.text(page, "pagination", "cursor")

    def _region(self, wanted: str) -> str:
        regions = self._api.items(self._api.get("/regions"), "regions")
        known = [self._api.text(region, "region_id") for region in regions]
        if wanted not in known:
            raise UsageError(
                "region-unknown",
                f"Neon has no region {wanted}; nothing was made.",
                f"Write one of {', '.join(sorted(known))} at database.create.region.",
            )
        return wanted


def _part(text: str) -> str:
    return quote(text, safe="")
