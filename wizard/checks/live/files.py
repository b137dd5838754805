"""Files that the page shows are there."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "media-file", "Files that the page shows are there"


def check(visit: Visit) -> Item:
    """Up to three links of the page that look like uploads, followed through redirects."""
    if not visit.files:
        why = "The page links to no uploaded file." if visit.page.status else "The page did not come."
        return Item(CODE, TITLE, "cannot-tell", why, "Check the address of a page that shows one.")
    for page in visit.files:
        if not page.status:
            return Item(CODE, TITLE, "no", f"{page.url}: {page.failure}.", "Look where this link leads.")
        if page.status >= 400:
            shown = page.url.partition("?")[0]
            hint = (
                "The link has expired or the bucket refuses it: see its access."
                if page.status in (401, 403)
                else "It was lost, or nothing serves it while DEBUG is off."
            )
            return Item(CODE, TITLE, "no", f"{shown} answers {page.status}.", hint)
    one = len(visit.files) == 1
    return Item(CODE, TITLE, "yes", f"{len(visit.files)} file{'' if one else 's'} fetched.")
