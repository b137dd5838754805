"""No database of the project has an end date."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "no-expiry", "No database is deleted after a while"


def check(seen: Seen) -> Item:
    """The plan is known only where the project's own files name it."""
    found = seen.finding("free-database-expires")
    if found is not None:
        return Item(CODE, TITLE, "no", found.message, found.hint, place_of(found))
    kinds = {store.kind for store in seen.project.stores}
    if "sqlite" in kinds and not kinds & {"postgres", "mysql", "mongodb"}:
        why = "The database found here is a file of the app, without a provider's plan."
        return Item(CODE, TITLE, "cannot-tell", why, "See the first line of this list.")
    return Item(
        CODE,
        TITLE,
        "cannot-tell",
        "The plan of the database is not written in this folder.",
        "Look at its page: Render's free plan ends after 30 days, Supabase's pauses after an idle week.",
    )
