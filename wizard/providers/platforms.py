"""The platforms whose variables a run sets and whose deploys it follows: one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from wizard.credentials import Redactor, Secret
from wizard.errors import UsageError
from wizard.providers import fly, heroku, http, render, vercel
from wizard.providers.base import Asked, Client


@dataclass(frozen=True, slots=True)
class Platform:
    """`name` is `deploy.platform` in the answers; `module` holds its PROVIDER, `client` makes its client."""

    name: str
    title: str
    module: ModuleType
    client: Callable[[http.Api], Client]


PLATFORMS: tuple[Platform, ...] = (
    Platform("render", "Render", render, render.Render),
    Platform("vercel", "Vercel", vercel, vercel.Vercel),
    Platform("heroku", "Heroku", heroku, heroku.Heroku),
)


@dataclass(frozen=True, slots=True)
class Teller:
    """A platform whose API tells `ashore check` more; fields as in `Platform`."""

    name: str
    title: str
    module: ModuleType
    client: Callable[[http.Api], Asked]


TELLERS: tuple[Teller, ...] = (
    Teller("heroku", "Heroku", heroku, heroku.Heroku),
    Teller("fly", "Fly", fly, fly.Fly),
)


def platform(name: str) -> Platform | None:
    """The platform of that name; None where no client knows it."""
    return next((p for p in PLATFORMS if p.name == name), None)


@contextmanager
def opened(name: str, token: Secret, redactor: Redactor, wait: http.Wait) -> Iterator[Client]:
    """The client of the platform `name`, closed at the end. Raises UsageError `deploy-not-available`."""
    found = platform(name)
    if found is None:
        raise UsageError(
            "deploy-not-available",
            f"There is no client for {name} in this version.",
            f"Those there are: {', '.join(p.name for p in PLATFORMS)}.",
        )
    with http.opened(found.module.PROVIDER, token, redactor, wait) as api:
        yield found.client(api)
