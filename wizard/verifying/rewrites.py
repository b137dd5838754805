"""Whether a rewritten value is what a rewrite of references must make of the value before.

Worked out backwards: every public address in the text after must stand for an address of the same file
in the text before, and nothing else may have changed. How the rewriting itself finds and builds
addresses is not used here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import unquote

# What a link may have looked like before the file's own path: a host, a path, both or nothing. Marks that
# part one link from the next are not in it, so that no link can vanish inside another.
_NAME = r"""[^/\s"'<>\\,;=&?#|*:(){}\[\]]"""
_OLD = rf"""(?:(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//{_NAME}+(?::\d+)?)??(?:/?(?:{_NAME}+/)*?)??"""
_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")


def is_rewrite(before: str, after: str, bases: Sequence[str]) -> bool:
    """Whether `after` is `before` with links turned to addresses that begin with one of `bases`.

    `bases` are public addresses up to where a file's path begins, with the slash. How characters are
    escaped (percent-encoding, HTML, JSON, Unicode's normal forms) is not compared.
    """
    return any(_undone(form(before), form(after), [form(b) for b in bases if b]) for form in _FORMS)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unquote(text))


def _json(text: str) -> str:
    """JSON's escapes read; halves of surrogate pairs joined."""
    read = _UNIT.sub(lambda m: chr(int(m[1], 16)), text.replace("\\/", "/"))
    return _plain(read.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _html(text: str) -> str:
    return _plain(html.unescape(text))


_FORMS: tuple[Callable[[str], str], ...] = (_plain, _json, _html)


def _undone(before: str, after: str, bases: Sequence[str]) -> bool:
    heads = "|".join(map(re.escape, sorted(set(bases), key=len, reverse=True)))
    parts = re.split(heads, after) if heads else [after]
    if len(parts) < 2 or not before.startswith(parts[0]):
        return False
    # One part after the other, each at its nearest place: a single pattern could backtrack without end.
    place = len(parts[0])
    for part in parts[1:-1]:
        match = re.compile(_OLD + re.escape(part)).match(before, place)
        if match is None:
            return False
        place = match.end()
    return re.compile(_OLD + re.escape(parts[-1])).fullmatch(before, place) is not None
