"""Whether a rewritten value is what a rewrite of references must make of the value before.

Worked out backwards: every public address in the text after must stand for an address of the same file
in the text before, and nothing else may have changed. How the rewriting itself finds and builds
addresses is not used here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

# What a link may have looked like before the file's own path: a host, a path, both or nothing.
_OLD = r"""(?:(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/\s"'<>\\]+)?(?:/?[^\s"'<>\\]*/)?"""


def is_rewrite(before: str, after: str, bases: Sequence[str]) -> bool:
    """Whether `after` is `before` with links turned to addresses under one of `bases`.

    `bases` are public addresses including the storage's prefix. Percent-encoding is not compared.
    """
    heads = sorted({unquote(b).rstrip("/") + "/" for b in bases if b}, key=len, reverse=True)
    if not heads:
        return False
    parts = re.split("|".join(map(re.escape, heads)), unquote(after))
    if len(parts) < 2:
        return False
    return re.fullmatch(_OLD.join(map(re.escape, parts)), unquote(before)) is not None
