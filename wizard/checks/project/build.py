"""The next deploy can be built."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "build", "The platform's file names only what exists"


def check(seen: Seen) -> Item:
    """Files that a build command names."""
    for code in ("missing-requirements-file", "unreadable-config"):
        found = seen.finding(code)
        if found is not None:
            return Item(CODE, TITLE, "no", found.message, found.hint, place_of(found))
    if not any(p.name == "render" for p in seen.project.platforms):
        return Item(CODE, TITLE, "cannot-tell", "No build command was found in this folder.")
    return Item(CODE, TITLE, "yes", "Every requirements file that it names is there.")
