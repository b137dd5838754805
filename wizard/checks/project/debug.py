"""Error pages tell visitors nothing."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen

CODE, TITLE = "debug-off", "DEBUG is off"
_HINT = "Read it from a variable, with False where nothing is set."


def check(seen: Seen) -> Item:
    """Off where nothing is set counts as off; on where nothing is set is left to the environment."""
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    setting = seen.production.get("DEBUG")
    if not setting.known:
        why = "A variable decides, and the code has no default for it."
        return Item(CODE, TITLE, "cannot-tell", why, "See its value on the platform.", setting.place)
    if not setting.value:
        why = "Off." if setting.settled else "Off unless a variable turns it on."
        return Item(CODE, TITLE, "yes", why, place=setting.place)
    if setting.settled:
        return Item(CODE, TITLE, "no", "It is on, whatever the environment says.", _HINT, setting.place)
    why = "On unless a variable turns it off."
    return Item(CODE, TITLE, "cannot-tell", why, _HINT, setting.place)
