"""No user data is in the repository."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "data-not-in-git", "No user data is tracked by git"


def check(seen: Seen) -> Item:
    """Databases and uploads in git's index."""
    for code in ("database-in-git", "uploads-in-git"):
        found = seen.finding(code)
        if found is not None:
            return Item(CODE, TITLE, "no", found.message, found.hint, place_of(found))
    if not any((folder / ".git").exists() for folder in (seen.project.root, *seen.project.root.parents)):
        return Item(CODE, TITLE, "cannot-tell", "This folder is no git repository.")
    return Item(CODE, TITLE, "yes", "Git tracks neither a database nor an uploads folder of this project.")
