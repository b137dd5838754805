"""The providers at which a run can make its database: one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from wizard.credentials import Redactor, Secret
from wizard.providers import http, neon, render, supabase
from wizard.providers.base import Databases


@dataclass(frozen=True, slots=True)
class Managed:
    """`name` is `database.provider` in the answers; `module` holds its PROVIDER, `client` makes its client
    of the API and of the password that the database shall have (empty where the provider makes one)."""

    name: str
    module: ModuleType
    client: Callable[[http.Api, Secret], Databases]


MANAGED: tuple[Managed, ...] = (
    Managed("render", render, lambda api, _: render.Render(api)),
    Managed("neon", neon, lambda api, _: neon.Neon(api)),
    Managed("supabase", supabase, supabase.Supabase),
)


@contextmanager
def opened(
    name: str, token: Secret, password: Secret, redactor: Redactor, wait: http.Wait
) -> Iterator[Databases]:
    """The client of the provider `name`, closed at the end."""
    found = next(m for m in MANAGED if m.name == name)
    with http.opened(found.module.PROVIDER, token, redactor, wait) as api:
        yield found.client(api, password)
