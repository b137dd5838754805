"""What clients give back: databases with their two URLs, variables of a service, deploys."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, runtime_checkable

from wizard.answers import CreateDatabase
from wizard.credentials import Secret
from wizard.errors import StepFailed
from wizard.providers.http import Wait

T = TypeVar("T")
DeployState = Literal["running", "live", "failed", "canceled", "superseded"]


@dataclass(frozen=True, slots=True)
class Made:
    """A database at a provider, by its id there. `found`: it stood there already under this name."""

    id: str
    found: bool


@dataclass(frozen=True, slots=True)
class Urls:
    """The wizard's connection string and the app's: external and internal, direct and pooled."""

    wizard: Secret
    app: Secret


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy. `commit` is empty where the platform does not say."""

    id: str
    state: DeployState
    commit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How safe a database is at its provider, as its API says it.

    `backups`: on, off, or not yet made; `since` and `newest` are moments (ISO 8601), empty where the API does
    not say; `expires` alike; `limit` is in bytes, None where the plan sets none that the API names.
    """

    backups: Literal["on", "off", "not-yet"]
    said: str
    newest: str = ""
    expires: str = ""
    limit: int | None = None


class Databases(Protocol):
    """A provider that makes databases."""

    def kept(self, name: str) -> Kept | None:
        """What the provider does for the database of this name; None where there is none. Reads only."""
        ...

    def make(self, wanted: CreateDatabase) -> Made:
        """The database of this name: the one that stands there, else a new one. Safe to repeat."""
        ...

    def urls(self, id: str) -> Urls:
        """Its connection strings, once it is ready. Waits for that."""
        ...

    def reached_by(self, id: str, service: str | None) -> bool:
        """Whether the app's connection string works for that service of this provider; None: elsewhere."""
        ...


class Variables(Protocol):
    """A platform that holds an app's environment variables. None of these calls deploys or restarts."""

    def check_service(self, service: str) -> str:
        """The service's name for people. Raises Refused `not-found`."""
        ...

    def variable(self, service: str, name: str) -> Secret | None:
        """The variable's value; None where it is not set.

        Raises Refused `variable-unreadable` where the platform does not show it.
        """
        ...

    def set_variable(self, service: str, name: str, value: Secret) -> None:
        """Set this one variable and no other."""
        ...

    def delete_variable(self, service: str, name: str) -> None:
        """Remove this one variable; nothing where it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a platform's API tells about a service, as a line of `ashore check`.

    `code` is stable, kebab-case; `title` the statement that should be true; `hint` what to do, if anything.
    """

    code: str
    title: str
    answer: Literal["yes", "no", "cannot-tell"]
    why: str
    hint: str = ""


@runtime_checkable
class Together(Protocol):
    """A platform that restarts the app with every change of its variables: all are changed in one request."""

    def change_variables(self, service: str, changes: Mapping[str, Secret | None]) -> None:
        """Set these, remove those that are None, and touch no other. Restarts the app, once."""
        ...


@runtime_checkable
class Asked(Protocol):
    """A platform that tells more than its deploys."""

    def facts(self, service: str) -> tuple[Fact, ...]:
        """What concerns the data of this service. Reads only."""
        ...


class Deploys(Protocol):
    """A platform that deploys what the user pushes, and tells how that went."""

    def deploys(self, service: str) -> tuple[Deploy, ...]:
        """The service's latest deploys, newest first; empty where there was none."""
        ...

    def redeploy(self, service: str, live: Deploy) -> Deploy:
        """Deploy once more what `live` deployed, with the variables of now. Restarts the app."""
        ...

    def follow(self, service: str, deploy: str) -> Deploy:
        """Wait for the end state of a deploy. Raises StepFailed `provider-slow`."""
        ...

    def log_tail(self, service: str, deploy: Deploy) -> tuple[str, ...]:
        """The last lines of a deploy's log, oldest first; empty where the API gives none."""
        ...


class Client(Variables, Deploys, Protocol):
    """What a platform's client does."""


def poll(what: Callable[[], T | None], title: str, seconds: float, wait: Wait, pause: float = 3.0) -> T:
    """Ask until `what` returns something. Raises StepFailed `provider-slow` after `seconds`."""
    ends = time.monotonic() + seconds
    while True:
        found = what()
        if found is not None:
            return found
        if time.monotonic() >= ends:
            raise StepFailed(
                "provider-slow",
                f"{title} is not ready after {seconds / 60:.0f} minutes; it was not made twice.",
                "Look at its page, then `ashore resume` goes on waiting.",
            )
        wait(pause)
