"""Heroku's Platform API v3 (https://devcenter.heroku.com/articles/platform-api-reference): config vars,
releases, add-ons. A service is the app's name or id.

Whenever a config var is set or removed the app is restarted, which wipes its disk, and a new release is made
(https://devcenter.heroku.com/articles/config-vars). So all of them are changed in one PATCH, which leaves
every var that it does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import quote

from wizard.credentials import Secret
from wizard.errors import Refused
from wizard.providers.base import Deploy, DeployState, Fact, poll
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Heroku",
    base="https://api.heroku.com",
    scopes="it must reach the app with the scopes read-protected and write-protected, or global",
    home="Account Settings, Applications, Authorizations",
    message=lambda data: str(data["message"]),
    accept="application/vnd.heroku+json; version=3",
)
POSTGRES = "heroku-postgresql"
DEPLOY_SECONDS = 1800.0
# A range is asked for in a header; 200 is also what Heroku gives where none is.
NEWEST = {"Range": "version ..; order=desc,max=200"}
DEPLOYS = 5
_STATES: dict[str, DeployState] = {"pending": "running", "failed": "failed"}


class Heroku:
    """Implements `Client`, `Together` and `Asked`."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._commits: dict[str, str] = {}

    def check_service(self, service: str) -> str:
        return self._api.text(self._api.get(_app(service)), "name")

    def variable(self, service: str, name: str) -> Secret | None:
        value = self._variables(service).get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._api.garbage(f"the config var {name} is no text")
        return self._api.redactor.learn(Secret(value)) if value else Secret("")

    def set_variable(self, service: str, name: str, value: Secret) -> None:
        """Restarts the app."""
        self.change_variables(service, {name: value})

    def delete_variable(self, service: str, name: str) -> None:
        """Restarts the app where the variable is there."""
        if name in self._variables(service):
            self.change_variables(service, {name: None})

    def change_variables(self, service: str, changes: Mapping[str, Secret | None]) -> None:
        """Raises Refused `variable-attached` where an add-on rules one of them; then none is changed."""
        for addon in self._addons(service):
            ruled = sorted(set(map(str, addon.get("config_vars") or ())) & set(changes))
            if ruled:
                name = self._api.text(addon, "name")
                raise Refused(
                    "variable-attached",
                    f"{', '.join(ruled)} on Heroku belongs to the add-on {name}; no variable was changed.",
                    "Set `deploy.set_variables: false`; once the run has ended, attach the add-on under "
                    "another name and set the variables yourself in one command.",
                )
        body = {name: None if value is None else value.reveal() for name, value in changes.items()}
        self._api.call("PATCH", f"{_app(service)}/config-vars", body=body)

    def deploys(self, service: str) -> tuple[Deploy, ...]:
        """What was pushed, newest first: releases in a row of one build are one, by the first one's id.

        A change of config vars makes a release too, of the same build: it is no deploy of a push.
        """
        page = self._api.call("GET", f"{_app(service)}/releases", headers=NEWEST)
        releases = [r for r in self._api.items(page) if _build(r)]
        found = []
        for build, group in groupby(releases, _build):
            same = list(group)
            shown = next((r for r in same if r.get("current") is True), same[0])
            found.append(self._deploy(service, shown, self._api.text(same[-1], "id"), build))
            if len(found) == DEPLOYS:
                break
        return tuple(found)

    def redeploy(self, service: str, live: Deploy) -> Deploy:
        """A new release of the same slug: every dyno starts again, with an empty disk.

        Raises Refused `redeploy-not-offered` for an app that is no slug (containers).
        """
        release = self._api.get(f"{_app(service)}/releases/{_part(live.id)}")
        slug = release.get("slug") if isinstance(release, dict) else None
        if not isinstance(slug, dict):
            raise Refused(
                "redeploy-not-offered",
                "Heroku offers no new release of what runs there, since it is no slug; nothing was deployed.",
                "Set `deploy.trigger: false`, or run `heroku restart` and look at the app.",
            )
        id = self._api.text(slug, "id")
        body = {"slug": id, "description": "Deployed again by ashore"}
        made = self._api.call("POST", f"{_app(service)}/releases", body=body)
        return self._deploy(service, made, self._api.text(made, "id"), id)

    def follow(self, service: str, deploy: str) -> Deploy:
        """Wait for the end state of a release. Raises StepFailed `provider-slow`."""

        def ended() -> Deploy | None:
            found = self._api.get(f"{_app(service)}/releases/{_part(deploy)}")
            now = self._deploy(service, found, self._api.text(found, "id"), _build(found))
            return None if now.state == "running" else now

        return poll(ended, "The release at Heroku", DEPLOY_SECONDS, self._api.wait, 5.0)

    def log_tail(self, service: str, deploy: Deploy) -> tuple[str, ...]:
        """None: the API gives a release's output by a stream at another address only."""
        return ()

    def facts(self, service: str) -> tuple[Fact, ...]:
        """The PostgreSQL add-ons with their plans. The API names no end date of a plan."""
        return tuple(
            self._fact(addon) for addon in self._addons(service) if _inner(addon, "addon_service") == POSTGRES
        )

    def _fact(self, addon: dict[str, Any]) -> Fact:
        name, plan = self._api.text(addon, "name"), self._api.text(addon, "plan", "name")
        title = f"The database add-on {name} is there to stay"
        state = self._api.text(addon, "state")
        price = addon.get("billed_price")
        cents = price.get("cents") if isinstance(price, dict) else None
        billed = f", ${cents / 100:,.2f} a {price['unit']}" if cents and price and price.get("unit") else ""
        why = f"It is on {plan}{billed}; Heroku calls it {state}, and its API names no end date."
        if state == "provisioned":
            return Fact("platform-database", title, "yes", why)
        if state == "provisioning":
            return Fact("platform-database", title, "cannot-tell", why, "Check again in some minutes.")
        return Fact("platform-database", title, "no", why, "Look at the app's page, Resources.")

    def _variables(self, service: str) -> dict[str, Any]:
        found = self._api.get(f"{_app(service)}/config-vars")
        if not isinstance(found, dict):
            raise self._api.garbage("the config vars are none")
        return found

    def _addons(self, service: str) -> list[dict[str, Any]]:
        found = self._api.items(self._api.get(f"{_app(service)}/addons"))
        if not all(isinstance(addon, dict) for addon in found):
            raise self._api.garbage("an add-on is none")
        return found

    def _deploy(self, service: str, release: Any, id: str, build: str) -> Deploy:
        status = self._api.text(release, "status")
        other: DeployState = "live" if release.get("current") is True else "superseded"
        commit = self._commit(service, build) if isinstance(release.get("slug"), dict) else ""
        return Deploy(id, _STATES.get(status, other), commit, status)

    def _commit(self, service: str, slug: str) -> str:
        if slug not in self._commits:
            found = self._api.find(f"{_app(service)}/slugs/{_part(slug)}")
            commit = found.get("commit") if isinstance(found, dict) else None
            self._commits[slug] = commit if isinstance(commit, str) else ""
        return self._commits[slug]


def _build(release: Any) -> str:
    """What a release runs: its slug, else its image; empty for the releases before the first push."""
    if not isinstance(release, dict):
        return ""
    artifacts = release.get("artifacts")
    first = artifacts[0] if isinstance(artifacts, list) and artifacts else None
    for one in (release.get("slug"), first):
        if isinstance(one, dict) and one.get("id"):
            return str(one["id"])
    return ""


def _inner(data: dict[str, Any], key: str) -> str:
    found = data.get(key)
    return str(found.get("name", "")) if isinstance(found, dict) else ""


def _app(service: str) -> str:
    return f"/apps/{_part(service)}"


def _part(text: str) -> str:
    return quote(text, safe="")
