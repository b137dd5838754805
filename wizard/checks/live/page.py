"""The page itself answers."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "page", "The page answers"


def check(visit: Visit) -> Item:
    """Any 2xx; where a login is asked for, nothing can be said."""
    page = visit.page
    if not page.status:
        hint = "Look at the platform's log, and at the domain's settings."
        return Item(CODE, TITLE, "no", f"{visit.address}: {page.failure}.", hint)
    said = f"{page.url} answers {page.status}."
    if 200 <= page.status < 300:
        return Item(CODE, TITLE, "yes", said)
    if page.status in (401, 403):
        return Item(CODE, TITLE, "cannot-tell", said, "Check an address that needs no login.")
    if page.status == 429:
        return Item(CODE, TITLE, "cannot-tell", said, "The app limits requests: check again later.")
    hint = "An error 400 often means ALLOWED_HOSTS." if page.status == 400 else "Look at the platform's log."
    return Item(CODE, TITLE, "no", said, hint)
