"""Which platform a run may set variables on, and its client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wizard.answers import Answers, DeployAnswers
from wizard.context import RunContext
from wizard.errors import UsageError

if TYPE_CHECKING:
    from wizard.providers.base import Variables

TITLES = {"render": "Render", "vercel": "Vercel"}


def platform(answers: Answers) -> str | None:
    """The title of the platform whose variables this run sets; None where a person sets them.

    Raises UsageError `deploy-incomplete`, `deploy-not-available` for answers that cannot be carried out.
    """
    deploy = answers.deploy
    if deploy is None:
        return None
    if deploy.trigger:
        raise UsageError(
            "deploy-not-available",
            "deploy.trigger: this version never deploys. Nothing has been written.",
            "Write `trigger: false`: your push of the changed files deploys them.",
        )
    if not deploy.set_variables:
        return None
    if deploy.platform not in TITLES:
        raise UsageError(
            "deploy-not-available",
            f"deploy.set_variables: not for {deploy.platform} in this version. Nothing has been written.",
            "Write `set_variables: false`; the report lists the variables for you to set.",
        )
    missing = [key for key in ("service", "token") if not getattr(deploy, key)]
    if missing:
        raise UsageError(
            "deploy-incomplete",
            f"deploy.set_variables needs deploy.{' and deploy.'.join(missing)}. Nothing has been written.",
            "The service's id stands in the address of its page; the token is a reference to one.",
        )
    return TITLES[deploy.platform]


def check(ctx: RunContext) -> None:
    """See that token and service are good before anything is written. Raises Refused."""
    if platform(ctx.answers) is not None:
        with opened(ctx) as (client, service):
            client.check_service(service)


@contextmanager
def opened(ctx: RunContext) -> Iterator[tuple[Variables, str]]:
    """The platform's client and the service's id."""
    # Not at import: a scan needs no HTTP client.
    from wizard.providers import http, render, vercel

    deploy = ctx.answers.deploy or DeployAnswers()
    token = ctx.vault.resolve(str(deploy.token))
    of_render = deploy.platform == "render"
    provider = render.PROVIDER if of_render else vercel.PROVIDER
    with http.opened(provider, token, ctx.redactor, ctx.cancel.wait) as api:
        yield (render.Render(api) if of_render else vercel.Vercel(api)), str(deploy.service)
