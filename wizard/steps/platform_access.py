"""Which platform a run may set variables on, and its client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wizard.answers import Answers, DeployAnswers
from wizard.context import RunContext
from wizard.errors import UsageError

if TYPE_CHECKING:
    from wizard.providers.base import Client

TITLES = {"render": "Render", "vercel": "Vercel", "heroku": "Heroku"}
# Where every change of a variable restarts the app: https://devcenter.heroku.com/articles/config-vars
RESTARTS = ("heroku",)


def platform(answers: Answers) -> str | None:
    """The title of the platform whose variables this run sets; None where a person sets them.

    Raises UsageError `deploy-incomplete`, `deploy-not-available` for answers that cannot be carried out.
    """
    deploy = answers.deploy
    if deploy is None:
        return None
    key = "set_variables" if deploy.set_variables else "trigger"
    if not (deploy.set_variables or waits(deploy)):
        return None
    if deploy.platform not in TITLES:
        raise UsageError(
            "deploy-not-available",
            f"deploy.{key}: not for {deploy.platform} in this version. Nothing has been written.",
            "Write `set_variables: false` and `trigger: false`; the report lists what is left for you to do.",
        )
    needed = ["service", "token", *(["health_url"] if waits(deploy) else [])]
    missing = [name for name in needed if not getattr(deploy, name)]
    if missing:
        raise UsageError(
            "deploy-incomplete",
            f"deploy.{key} needs deploy.{' and deploy.'.join(missing)}. Nothing has been written.",
            "The service's id stands in the address of its page; the token is a reference to one; the "
            "health URL is a page of the live app that shows its data.",
        )
    return TITLES[deploy.platform] if deploy.set_variables else None


def restarts(answers: Answers) -> bool:
    """Whether setting the app's variables restarts it, which wipes its disk."""
    return answers.deploy is not None and answers.deploy.platform in RESTARTS


def waits(deploy: DeployAnswers | None) -> bool:
    """Whether the run waits for the user's push, looks at the live app and redeploys it once more."""
    return deploy is not None and (deploy.trigger or deploy.wait_minutes is not None)


def check(ctx: RunContext) -> None:
    """See that token and service are good before anything is written. Raises Refused."""
    if platform(ctx.answers) is not None or waits(ctx.answers.deploy):
        with opened(ctx) as (client, service):
            client.check_service(service)


@contextmanager
def opened(ctx: RunContext) -> Iterator[tuple[Client, str]]:
    """The platform's client and the service's id."""
    # Not at import: a scan needs no HTTP client.
    from wizard.providers import platforms

    deploy = ctx.answers.deploy or DeployAnswers()
    token = ctx.vault.resolve(str(deploy.token))
    with platforms.opened(deploy.platform, token, ctx.redactor, ctx.cancel.wait) as client:
        yield client, str(deploy.service)
