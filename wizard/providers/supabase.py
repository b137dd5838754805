"""Supabase's Management API v1 (https://api.supabase.com/api/v1): organizations, projects, poolers, buckets.

The pooler's host is asked for, never built: it depends on when the project was made. The direct host
speaks IPv6 only, so both the wizard and the app get the session pooler, which keeps a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from wizard.answers import CreateDatabase
from wizard.credentials import Secret
from wizard.errors import StepFailed, UsageError
from wizard.providers.base import Kept, Made, Urls, poll
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Supabase",
    base="https://api.supabase.com",
    scopes="it must be a personal access token that may read and write projects and their database",
    home="Account, Access Tokens",
    message=lambda data: str(data["message"]),
)
PROJECT_SECONDS = 900.0
SESSION_PORT = 5432
REGION = "us-east-1"
_FAILED = ("INIT_FAILED", "REMOVED", "RESTORE_FAILED", "PAUSE_FAILED", "GOING_DOWN")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of Supabase Storage. It can be listed here, not created."""

    name: str
    public: bool


class Supabase:
    """Implements `Databases`. Projects are made with a password of the caller's, since the API never shows
    one: the same password must be given again after a kill."""

    def __init__(self, api: Api, password: Secret) -> None:
        self._api = api
        self._password = api.redactor.learn(password)

    def make(self, wanted: CreateDatabase) -> Made:
        """Raises UsageError `several-organizations`, Refused `plan-limit`, `provider-refused` (an unknown
        region)."""
        name, password, region = wanted.name, self._password, wanted.region or REGION
        for project in self._api.items(self._api.get("/v1/projects")):
            if isinstance(project, dict) and project.get("name") == name:
                return Made(self._api.text(project, "ref"), found=True)
        organizations = self._api.items(self._api.get("/v1/organizations"))
        if len(organizations) != 1:
            raise UsageError(
                "several-organizations",
                f"This token reaches {len(organizations)} organizations of Supabase.",
                "Make the project on Supabase's page under this name: it is found by it.",
            )
        body = {
            "name": name,
            "db_pass": password.reveal(),
            "organization_slug": self._api.text(organizations[0], "slug"),
            "region_selection": {"type": "specific", "code": region},
        }
        return Made(self._api.text(self._api.call("POST", "/v1/projects", body=body), "ref"), found=False)

    def urls(self, id: str) -> Urls:
        """Session URLs of the project, once it is healthy.

        Raises StepFailed `database-failed`, `provider-slow`.
        """
        ref, password = id, self._password

        def healthy() -> bool | None:
            status = self._api.text(self._api.get(f"/v1/projects/{_part(ref)}"), "status")
            if status == "INACTIVE":
                raise StepFailed(
                    "database-failed", "The project at Supabase is paused.", "Restore it on its page."
                )
            if status in _FAILED:
                raise StepFailed("database-failed", f"Supabase says {status}.", "Look at its page.")
            return status == "ACTIVE_HEALTHY" or None

        poll(healthy, "The project at Supabase", PROJECT_SECONDS, self._api.wait, 5.0)
        poll(lambda: self._database_up(ref), "Its database", PROJECT_SECONDS, self._api.wait, 5.0)
        poolers = self._api.items(self._api.get(f"/v1/projects/{_part(ref)}/config/database/pooler"))
        primary: Any = next(
            (p for p in poolers if isinstance(p, dict) and p.get("database_type") == "PRIMARY"), None
        )
        host, user = self._api.text(primary, "db_host"), self._api.text(primary, "db_user")
        name = self._api.text(primary, "db_name")
        login = f"{quote(user, safe='')}:{quote(password.reveal(), safe='')}"
        url = self._api.redactor.learn(
            Secret(f"postgresql://{login}@{host}:{SESSION_PORT}/{quote(name, safe='')}?sslmode=require")
        )
        return Urls(wizard=url, app=url)

    def kept(self, name: str) -> Kept | None:
        listed = self._api.items(self._api.get("/v1/projects"))
        found = next((p for p in listed if isinstance(p, dict) and p.get("name") == name), None)
        if found is None:
            return None
        ref = self._api.text(found, "ref")
        answer = self._api.get(f"/v1/projects/{_part(ref)}/database/backups")
        made = [b for b in self._api.items(answer, "backups") if isinstance(b, dict)]
        done = [self._api.text(b, "inserted_at") for b in made if b.get("status") == "COMPLETED"]
        if answer.get("pitr_enabled") is True:
            return Kept("on", "Supabase can recover it to any moment of the last days.")
        if not done:
            return Kept("off", "Supabase lists no finished backup of it.")
        return Kept("on", f"Supabase lists {len(done)} finished backups of it.", newest=max(done))

    def reached_by(self, id: str, service: str | None) -> bool:
        """The pooler is reached from everywhere."""
        return True

    def buckets(self, ref: str) -> tuple[Bucket, ...]:
        """The buckets of the project's storage."""
        found = self._api.items(self._api.get(f"/v1/projects/{_part(ref)}/storage/buckets"))
        return tuple(Bucket(self._api.text(b, "name"), b.get("public") is True) for b in found)

    def _database_up(self, ref: str) -> bool | None:
        services = self._api.items(self._api.get(f"/v1/projects/{_part(ref)}/health", services="db"))
        return all(self._api.text(s, "status") == "ACTIVE_HEALTHY" for s in services) or None


def _part(text: str) -> str:
    return quote(text, safe="")
