"""Vercel's API (https://vercel.com/docs/rest-api): a project's variables and deployments.

Setting a variable does not deploy. A service is written `prj_…`, or `team_…/prj_…` for a team's project.
Only the variable of the production environment is read and written.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wizard.credentials import Secret
from wizard.errors import Refused
from wizard.providers.base import Deploy, DeployState, poll
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Vercel",
    base="https://api.vercel.com",
    scopes="it must be a token whose scope is the account or team of the project",
    home="Account Settings, Tokens",
    message=lambda data: str(data["error"]["message"]),
)
PRODUCTION = "production"
DEPLOY_SECONDS = 1800.0
DEPLOYS = 20
_STATES: dict[str, DeployState] = {
    "READY": "live",
    "ERROR": "failed",
    "CANCELED": "canceled",
    "DELETED": "superseded",
}


class Vercel:
    """Implements `Variables` and `Deploys`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def check_service(self, service: str) -> str:
        project, team = _split(service)
        return self._api.text(self._api.get(f"/v9/projects/{project}", teamId=team), "name")

    def variable(self, service: str, name: str) -> Secret | None:
        entry = self._entry(service, name)
        if entry is None:
            return None
        project, team = _split(service)
        if entry.get("type") == "sensitive":
            raise Refused(
                "variable-unreadable",
                f"{name} stands on Vercel as a sensitive variable, whose value cannot be read.",
                "Set it on Vercel's page yourself, or remove it there first.",
            )
        id = quote(self._api.text(entry, "id"), safe="")
        found = self._api.get(f"/v1/projects/{project}/env/{id}", teamId=team)
        empty = isinstance(found, dict) and found.get("value") == ""
        return Secret("") if empty else self._api.secret(found, "value")

    def set_variable(self, service: str, name: str, value: Secret) -> None:
        """Raises Refused `variable-shared` where the one that is there counts for other environments too."""
        self._entry(service, name)
        project, team = _split(service)
        body = {"key": name, "value": value.reveal(), "type": "encrypted", "target": [PRODUCTION]}
        query = {"upsert": "true", "teamId": team}
        made = self._api.call("POST", f"/v10/projects/{project}/env", query=query, body=body)
        # Vercel answers 201 also where it did not set the variable.
        failed = made.get("failed") if isinstance(made, dict) else None
        if failed:
            why = self._api.redactor.text(self._api.text(failed, 0, "error", "message"))
            raise Refused(
                "provider-refused", f"Vercel did not set {name}: {why}", "Set it on Vercel's page yourself."
            )

    def delete_variable(self, service: str, name: str) -> None:
        entry = self._entry(service, name)
        if entry is not None:
            project, team = _split(service)
            id = quote(self._api.text(entry, "id"), safe="")
            self._api.call("DELETE", f"/v9/projects/{project}/env/{id}", query={"teamId": team})

    def redeploy(self, service: str, live: Deploy) -> Deploy:
        project, team = _split(service)
        name = self.check_service(service)
        body = {"name": name, "project": project, "deploymentId": live.id, "target": PRODUCTION}
        query = {"forceNew": "1", "teamId": team}
        return self._deploy(self._api.call("POST", "/v13/deployments", query=query, body=body))

    def deploys(self, service: str) -> tuple[Deploy, ...]:
        """Production deployments only."""
        project, team = _split(service)
        query = {"projectId": project, "target": PRODUCTION, "limit": DEPLOYS, "teamId": team}
        page = self._api.get("/v6/deployments", **query)
        return tuple(self._deploy(found) for found in self._api.items(page, "deployments"))

    def log_tail(self, service: str, deploy: Deploy) -> tuple[str, ...]:
        """What the deployment itself says of its failure."""
        _, team = _split(service)
        found = self._api.get(f"/v13/deployments/{quote(deploy.id, safe='')}", teamId=team)
        said = found.get("errorMessage") if isinstance(found, dict) else None
        return (said,) if isinstance(said, str) and said else ()

    def follow(self, service: str, deployment: str) -> Deploy:
        """Wait for the end state of a deployment. Raises StepFailed `provider-slow`."""
        _, team = _split(service)

        def ended() -> Deploy | None:
            now = self._deploy(self._api.get(f"/v13/deployments/{quote(deployment, safe='')}", teamId=team))
            return None if now.state == "running" else now

        return poll(ended, "The deployment at Vercel", DEPLOY_SECONDS, self._api.wait, 5.0)

    def _deploy(self, data: Any) -> Deploy:
        id = self._api.text(data, "uid" if isinstance(data, dict) and "uid" in data else "id")
        state = self._api.text(data, "readyState")
        meta = data.get("meta")
        commit = str(meta.get("githubCommitSha", "")) if isinstance(meta, dict) else ""
        return Deploy(id, _STATES.get(state, "running"), commit, state)

    def _entry(self, service: str, name: str) -> dict[str, Any] | None:
        """The production variable; one of a git branch is another. Raises Refused `variable-shared`."""
        project, team = _split(service)
        page = self._api.get(f"/v10/projects/{project}/env", teamId=team)
        listed = self._api.items(page, "envs")
        for entry in listed:
            if not isinstance(entry, dict) or entry.get("key") != name or entry.get("gitBranch"):
                continue
            target = entry.get("target")
            targets = [target] if isinstance(target, str) else list(target or ())
            if PRODUCTION not in targets:
                continue
            if targets != [PRODUCTION]:
                raise Refused(
                    "variable-shared",
                    f"{name} stands on Vercel for {', '.join(targets)} together; it was not changed.",
                    "Split it on Vercel's page, so that previews do not write to the live data.",
                )
            return entry
        more = page.get("pagination")
        if isinstance(more, dict) and more.get("next"):
            raise Refused(
                "variable-unreadable",
                f"This project of Vercel has so many variables that {name} may be among those not listed.",
                "Set it on Vercel's page yourself.",
            )
        return None


def _split(service: str) -> tuple[str, str | None]:
    team, slash, project = service.rpartition("/")
    return quote(project, safe=""), team if slash else None
