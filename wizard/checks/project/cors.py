"""Other sites may not read the app's answers unless they are named."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen

CODE, TITLE = "cors", "Only named sites may read the app's answers (CORS)"
_NAMES = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")


def check(seen: Seen) -> Item:
    """The settings of django-cors-headers."""
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    apps = seen.production.get("INSTALLED_APPS")
    if apps.settled and "corsheaders" not in (apps.value or ()):
        return Item(CODE, TITLE, "yes", "No app of the project opens it to other sites.", place=apps.place)
    for name in _NAMES:
        setting = seen.production.get(name)
        if not setting.settled:
            hint = "See its value on the platform."
            return Item(CODE, TITLE, "cannot-tell", f"A variable decides {name}.", hint, setting.place)
        if setting.value:
            hint = "Name the sites in CORS_ALLOWED_ORIGINS instead."
            return Item(CODE, TITLE, "no", f"{name} is on: any site may.", hint, setting.place)
    if not apps.settled:
        return Item(
            CODE, TITLE, "cannot-tell", "INSTALLED_APPS depends on the environment.", place=apps.place
        )
    named = seen.production.get("CORS_ALLOWED_ORIGINS")
    return Item(CODE, TITLE, "yes", "It is not opened to every site.", place=named.place)
