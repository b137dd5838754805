"""Links of uploads lead somewhere while DEBUG is off."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "media-served", "Uploaded files are served while DEBUG is off"


def check(seen: Seen) -> Item:
    """Files in a cloud storage have links of their own."""
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    found = seen.finding("media-served-in-debug-only")
    if found is not None:
        return Item(CODE, TITLE, "no", found.message, found.hint, place_of(found))
    if not any(s.kind == "uploads" for s in seen.project.stores):
        return Item(CODE, TITLE, "yes", "No file is served from the app's own disk.")
    return Item(
        CODE,
        TITLE,
        "cannot-tell",
        "No route of the project serves the uploads by DEBUG alone; what is in front of it is not seen here.",
        "Open a file of the live app, or `ashore check` its address.",
    )
