"""Render's API v1 (https://api-docs.render.com): workspaces, services, variables, databases, deploys, disks.

Setting one variable does not deploy. `PUT …/env-vars` without a key replaces all of them: it is never used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from wizard.answers import CreateDatabase
from wizard.credentials import Secret
from wizard.errors import Refused, StepFailed, UsageError
from wizard.providers.base import Deploy, DeployState, Kept, Made, Urls, poll
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Render",
    base="https://api.render.com/v1",
    scopes="a token of Render may do what its user may: it must be of a member of the workspace",
    home="Account Settings, API Keys",
    message=lambda data: str(data["message"]),
)
REGIONS = ("frankfurt", "oregon", "ohio", "singapore", "virginia")
DEFAULT_PLAN = "0.1c-256mb"  # the smallest that neither expires nor lacks backups
POSTGRES_VERSION = "17"
DATABASE_SECONDS = 900.0
DEPLOY_SECONDS = 1800.0
PAGE = 100
DEPLOYS = 20
LOG_LINES = 20
_STATES: dict[str, DeployState] = {
    "live": "live",
    "build_failed": "failed",
    "update_failed": "failed",
    "pre_deploy_failed": "failed",
    "canceled": "canceled",
    "deactivated": "superseded",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A workspace or service: its id and its name for people."""

    id: str
    name: str


class Render:
    """Implements `Databases`, `Variables` and `Deploys`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def owners(self) -> tuple[Named, ...]:
        """The workspaces that the token reaches."""
        return self._named("/owners", "owner")

    def services(self, owner: str | None = None) -> tuple[Named, ...]:
        """The services, of one workspace or of all."""
        return self._named("/services", "service", ownerId=owner)

    def check_service(self, service: str) -> str:
        found = self._api.get(f"/services/{_part(service)}")
        return self._api.text(found, "name")

    def variable(self, service: str, name: str) -> Secret | None:
        found = self._api.find(_variable(service, name))
        if found is None:
            return None
        # A variable may be set to nothing at all.
        empty = isinstance(found, dict) and found.get("value") == ""
        return Secret("") if empty else self._api.secret(found, "value")

    def set_variable(self, service: str, name: str, value: Secret) -> None:
        self._api.call("PUT", _variable(service, name), body={"value": value.reveal()})

    def delete_variable(self, service: str, name: str) -> None:
        if self.variable(service, name) is not None:
            self._api.call("DELETE", _variable(service, name))

    def make(self, wanted: CreateDatabase) -> Made:
        """Looks in every workspace of the token; makes it in the only one, else says that it cannot choose.

        Raises UsageError `region-unknown`, `several-workspaces`, Refused `plan-limit`, `name-taken`.
        """
        found = self._database(wanted.name)
        if found is not None:
            return Made(found, found=True)
        if wanted.region is not None and wanted.region not in REGIONS:
            raise UsageError(
                "region-unknown",
                f"Render has no region {wanted.region}; nothing was made.",
                f"Write one of {', '.join(REGIONS)} at database.create.region.",
            )
        owners = self.owners()
        if len(owners) != 1:
            raise UsageError(
                "several-workspaces",
                f"This token reaches {len(owners)} workspaces of Render, and it is not known which is meant.",
                "Make the database on Render's page under the name in database.create: it is found by it.",
            )
        body: dict[str, Any] = {
            "name": wanted.name,
            "plan": wanted.plan or DEFAULT_PLAN,
            "ownerId": owners[0].id,
            "version": POSTGRES_VERSION,
        }
        if wanted.region is not None:
            body["region"] = wanted.region
        made = self._api.call("POST", "/postgres", body=body)
        return Made(self._api.text(made, "id"), found=False)

    def urls(self, id: str) -> Urls:
        """The external URL for the wizard, the internal one for an app in the same region.

        Raises StepFailed `provider-slow`, `database-failed`.
        """

        def ready() -> bool | None:
            status = self._api.text(self._api.get(f"/postgres/{_part(id)}"), "status")
            if status in ("unavailable", "suspended", "recovery_failed"):
                raise StepFailed(
                    "database-failed", f"Render says that the database is {status}.", "Look at its page."
                )
            return status == "available" or None

        poll(ready, "The database at Render", DATABASE_SECONDS, self._api.wait)
        info = self._api.get(f"/postgres/{_part(id)}/connection-info")
        return Urls(
            wizard=self._api.secret(info, "externalConnectionString"),
            app=self._api.secret(info, "internalConnectionString"),
        )

    def reached_by(self, id: str, service: str | None) -> bool:
        """The internal host is known to services of Render in the same region only."""
        if service is None:
            return False
        details = self._api.get(f"/services/{_part(service)}").get("serviceDetails")
        region = details.get("region") if isinstance(details, dict) else None
        return bool(self._api.text(self._api.get(f"/postgres/{_part(id)}"), "region") == region)

    def kept(self, name: str) -> Kept | None:
        """Point-in-time recovery is what Render calls its backups; a free database has none."""
        id = self._database(name)
        if id is None:
            return None
        status = self._api.text(self._api.get(f"/postgres/{_part(id)}/recovery"), "recoveryStatus")
        found = self._api.get(f"/postgres/{_part(id)}")
        expires = found.get("expiresAt") if isinstance(found, dict) else None
        disk = found.get("diskSizeGB") if isinstance(found, dict) else None
        words: dict[str, tuple[Literal["on", "off", "not-yet"], str]] = {
            "AVAILABLE": ("on", "Render can recover it to any moment of the last days."),
            "BACKUP_NOT_READY": ("not-yet", "Render has not finished its first backup."),
        }
        on, said = words.get(status, ("off", "Render makes no backups of it on this plan."))
        limit = disk * 10**9 if isinstance(disk, int) else None
        return Kept(on, said, expires=expires if isinstance(expires, str) else "", limit=limit)

    def add_disk(self, service: str, name: str, mount: str, gigabytes: int) -> str:
        """Attach a disk; it is there after the next deploy. Returns its id."""
        body = {"name": name, "sizeGB": gigabytes, "mountPath": mount, "serviceId": service}
        return self._api.text(self._api.call("POST", "/disks", body=body), "id")

    def redeploy(self, service: str, live: Deploy) -> Deploy:
        """The commit is named: without it Render would deploy whatever the branch holds by now."""
        path = f"/services/{_part(service)}/deploys"
        made = self._api.call("POST", path, body={"commitId": live.commit} if live.commit else {})
        if made is not None:
            return self._deploy(made)
        # 202 without a body: another deploy goes first, and this one waits behind it.
        found = self.deploys(service)
        if not found:
            raise Refused("not-found", "This service of Render was never deployed.", "Deploy it once.")
        return found[0]

    def deploys(self, service: str) -> tuple[Deploy, ...]:
        found = self._api.items(self._api.get(f"/services/{_part(service)}/deploys", limit=DEPLOYS))
        return tuple(self._deploy(e.get("deploy") if isinstance(e, dict) else None) for e in found)

    def log_tail(self, service: str, deploy: Deploy) -> tuple[str, ...]:
        """The build's lines where it has some, else the app's."""
        owner = self._api.text(self._api.get(f"/services/{_part(service)}"), "ownerId")
        for kind in ("build", "app"):
            page = self._api.get("/logs", ownerId=owner, resource=service, type=kind, limit=LOG_LINES)
            lines = self._api.items(page, "logs")
            if lines:
                # Newest first, as asked for by default.
                return tuple(str(e.get("message", "")) for e in reversed(lines) if isinstance(e, dict))
        return ()

    def follow(self, service: str, deploy: str) -> Deploy:
        """Wait for the end state of a deploy. Raises StepFailed `provider-slow`."""

        def ended() -> Deploy | None:
            now = self._deploy(self._api.get(f"/services/{_part(service)}/deploys/{_part(deploy)}"))
            return None if now.state == "running" else now

        return poll(ended, "The deploy at Render", DEPLOY_SECONDS, self._api.wait, 5.0)

    def _deploy(self, data: Any) -> Deploy:
        id = self._api.text(data, "id")
        status = str(data.get("status", ""))
        commit = data.get("commit")
        sha = str(commit.get("id", "")) if isinstance(commit, dict) else ""
        return Deploy(id, _STATES.get(status, "running"), sha, status)

    def _database(self, name: str) -> str | None:
        for entry in self._pages("/postgres", name=name, includeReplicas="false"):
            found = entry.get("postgres")
            if isinstance(found, dict) and found.get("name") == name:
                return self._api.text(found, "id")
        return None

    def _named(self, path: str, key: str, **query: Any) -> tuple[Named, ...]:
        entries = self._pages(path, **query)
        return tuple(Named(self._api.text(e, key, "id"), self._api.text(e, key, "name")) for e in entries)

    def _pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        cursor = None
        while True:
            page = self._api.items(self._api.get(path, limit=PAGE, cursor=cursor, **query))
            for entry in page:
                if not isinstance(entry, dict):
                    raise self._api.garbage("an entry of a list is none")
                yield entry
            if len(page) < PAGE:
                return
            cursor = self._api.text(page[-1], "cursor")


def _part(text: str) -> str:
    return quote(text, safe="")


def _variable(service: str, name: str) -> str:
    return f"/services/{_part(service)}/env-vars/{_part(name)}"
