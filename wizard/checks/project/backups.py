"""Backups exist."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "backups", "The database is backed up"


def check(seen: Seen) -> Item:
    """Only the provider knows; what is certain is that a free Render database and a bare file have none."""
    free = seen.finding("free-database-expires")
    if free is not None:
        why = "Render makes no backups of a free database."
        return Item(
            CODE, TITLE, "no", why, "Choose a plan with backups, or another provider.", place_of(free)
        )
    doomed = next((s for s in seen.project.stores if s.kind == "sqlite" and not s.survives_redeploy), None)
    if doomed is not None and not any(s.kind == "postgres" for s in seen.project.stores):
        why = f"Nothing in this folder backs up {doomed.path}, and the disk it lies on is wiped."
        return Item(CODE, TITLE, "cannot-tell", why, "Keep a copy of it outside the app's container.")
    return Item(
        CODE,
        TITLE,
        "cannot-tell",
        "Whether backups are on, and how old the newest is, only the provider's page says.",
        "Look there, and restore one into an empty database once.",
    )
