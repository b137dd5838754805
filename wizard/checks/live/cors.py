"""Other sites may not read the app's answers unless they are named."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import FOREIGN, Visit

CODE, TITLE = "cors", "Only named sites may read the app's answers (CORS)"


def check(visit: Visit) -> Item:
    """The page is asked for in the name of a site that does not exist."""
    if not visit.foreign.status:
        return Item(CODE, TITLE, "cannot-tell", "The page did not come.")
    allowed = visit.foreign.headers.get("access-control-allow-origin", "")
    if allowed in (FOREIGN, "*"):
        login = visit.foreign.headers.get("access-control-allow-credentials", "").lower() == "true"
        why = "Any site may read them" + (", with the visitor's login." if login else ".")
        return Item(CODE, TITLE, "no", why, "Name the sites that may.")
    return Item(CODE, TITLE, "yes", "A site that is not known was not let in.")
