"""What clients give back: databases with their two URLs, variables of a service, deploys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

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


class Databases(Protocol):
    """A provider that makes databases."""

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
