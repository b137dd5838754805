"""Whether a rewritten list of texts is a rewrite of the list before, as PostgreSQL prints it (`{a,"b c"}`).

The server quotes an element only where it must: a new address may lose the quotes that the old one needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.verifying.rewrites import is_rewrite

_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}\\]+)|([{},])', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def is_text_rewrite(before: str, after: str, bases: Sequence[str]) -> bool:
    """`is_rewrite` of a text, or of each element of a list that differs."""
    if is_rewrite(before, after, bases):
        return True
    ours, theirs = _parts(before), _parts(after)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return False
    return all(
        one == other or (one[0] and other[0] and is_rewrite(one[1], other[1], bases))
        for one, other in zip(ours, theirs, strict=True)
    )


def _parts(text: str) -> list[tuple[bool, str]] | None:
    """(whether an element, text) of a list's parts, NULL and braces included; None for what is no list."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    found: list[tuple[bool, str]] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            return None
        quoted, bare, mark = match.groups()
        if mark is not None:
            found.append((False, mark))
        elif bare is not None:
            found.append((bare != "NULL", bare))
        else:
            found.append((True, _ESCAPED.sub(r"\1", quoted)))
        at = match.end()
    return found
