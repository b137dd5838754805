"""How an app's writes are paused on each platform, without a restart that would wipe its disk."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.events import Warned
from wizard.steps.platform_access import TITLES

_OWN = "Turn on the app's own read-only or maintenance mode, or tell its users"
_HOW = {
    "render": "Render's maintenance mode (Settings, on a paid service) stops visitors and leaves the disk as "
    "it is. Do not suspend, restart or redeploy the service, and save no variable with a deploy.",
    "vercel": "Vercel keeps no files, so nothing is lost there: pause the project, or turn the app's "
    "maintenance mode on.",
    "heroku": "`heroku maintenance:on` stops visitors and leaves the dyno running. Do not restart it, and "
    "set no config var: each one restarts the dyno.",
    "fly": "Do not stop or restart the machine: without a volume that wipes its disk.",
    "railway": "Do not redeploy, and do not save variables there: that redeploys.",
}


def how(platform: str) -> str:
    """What to do on `platform`, in one or two sentences."""
    said = _HOW.get(platform, "Do not stop, restart or redeploy it: the platform may wipe its disk.")
    return f"{_OWN}. {said}"


def tell(ctx: RunContext) -> None:
    """Say it before the last sync, where the run goes on to the app's platform."""
    deploy = ctx.answers.deploy
    if deploy is not None and deploy.platform in TITLES:
        message = f"Pause what writes to the app's data until the new version is live. {how(deploy.platform)}"
        ctx.emit(Warned("pause-writes", message))
