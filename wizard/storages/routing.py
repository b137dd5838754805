"""Which rule takes which file, and under what key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Protocol

from wizard.answers import StorageRule


class Routable(Protocol):
    """A file of a store: its path inside it and its size in bytes."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...


@lru_cache(maxsize=256)
def glob(pattern: str) -> re.Pattern[str]:
    """`pattern` over whole paths: `**` any depth, also none; `*` and `?` within one name; `[a-z]` a set.

    Case matters; a pattern without a slash speaks of the top folder only.
    """
    out, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            out, at = out + "(?:.*/)?", at + 3
        elif rest.startswith("**"):
            out, at = out + ".*", at + 2
        elif rest[0] == "*":
            out, at = out + "[^/]*", at + 1
        elif rest[0] == "?":
            out, at = out + "[^/]", at + 1
        elif rest[0] == "[" and (end := rest.find("]", 2)) > 0:
            inner = rest[1:end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            inner = "^" + inner[1:] if inner.startswith("!") else inner
            out, at = out + f"(?!/)[{inner}]", at + end + 1
        else:
            out, at = out + re.escape(rest[0]), at + 1
    return re.compile(out, re.DOTALL)


def route(rules: Sequence[StorageRule], store: str, entry: Routable) -> tuple[int, str] | None:
    """The index of the first rule that takes the file, and the object's key; None where none does.

    The key is the rule's prefix and the path inside the store. A rule whose provider is `leave` takes
    files like any other: they stay where they are.
    """
    for index, rule in enumerate(rules):
        if rule.source is not None and PurePosixPath(rule.source) != PurePosixPath(store):
            continue
        if rule.max_size is not None and entry.size > rule.max_size:
            continue
        if glob(rule.match).fullmatch(entry.path):
            return index, rule.prefix + entry.path
    return None
