"""Whether a rewritten value is what a rewrite of references must make of the value before.

Worked out backwards: every public address in the text after must stand for an address of the same file
in the text before, and nothing else may have changed. How the rewriting itself finds and builds
addresses is not used here.
"""

from __future__ import annotations

import html
import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote

# What a link may have looked like before the file's own path: a host, a path, both or nothing. Marks that
# part one link from the next are not in it, so that no link can vanish inside another.
_NAME = r"""[^/\s"'<>\\,;=&?#|*:(){}\[\]]"""
_OLD = rf"""(?:(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//{_NAME}+(?::\d+)?)??(?:/?(?:{_NAME}+/)*?)??"""
# Where an address of a file begins at Cloudinary, what a storage may have put before it, and a folder that it
# may have named twice.
_CLOUD = r"https?://res\.cloudinary\.com/"
_BEFORE_CLOUD = r"""(?:[^\s"'<>()\[\]{}|`\\?&=;]{0,2048}?/)??"""
_IN_CLOUD = re.compile(r"(https?):/+(res\.cloudinary\.com/)")
_CLOUD_FOLDER = r"([^/\s]+/(?:image|video|raw)/upload/(?:v\d+/)?)"
_TWICE = r"(?:((?:[^/\s]+/)+?)(?=\1))?"
_OF_ADDRESS = string.ascii_letters + string.digits + "%:/.-_~@!$*+="
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_CODE = re.compile(r"%([2-7][0-9a-fA-F])")
_ANY_CODE = re.compile(r"%[0-9a-fA-F]{2}")
_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")


def is_rewrite(before: str, after: str, bases: Sequence[str]) -> bool:
    """Whether `after` is `before` with links turned to addresses that begin with one of `bases`, or with
    addresses at Cloudinary freed of what stood before them.

    `bases` are public addresses up to where a file's path begins, with the slash. How characters are
    escaped (percent-encoding, HTML, JSON, Unicode's normal forms) is not compared.
    """
    return any(_undone(form(before), form(after), [form(b) for b in bases if b]) for form in _FORMS)


def _address(text: str) -> str:
    """Every character of an address in one way, however often it was encoded: an address inside another is
    decoded with it. What ends an address stays encoded."""
    text = _NOT_ASCII.sub(lambda m: quote(m[0]), text.replace("\\/", "/"))
    for _ in range(3):
        text = _CODE.sub(lambda m: chr(int(m[1], 16)) if chr(int(m[1], 16)) in _OF_ADDRESS else m[0], text)
    return _ANY_CODE.sub(lambda m: m[0].upper(), text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unquote(text))


def _json(text: str) -> str:
    """JSON's escapes read; halves of surrogate pairs joined."""
    read = _UNIT.sub(lambda m: chr(int(m[1], 16)), text.replace("\\/", "/"))
    return _plain(read.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _html(text: str) -> str:
    return _plain(html.unescape(text))


_FORMS: tuple[Callable[[str], str], ...] = (_plain, _json, _html, _address)


def _undone(before: str, after: str, bases: Sequence[str]) -> bool:
    heads = "|".join([*map(re.escape, sorted(set(bases), key=len, reverse=True)), _CLOUD])
    pieces = re.split(f"({heads})", after)
    if len(pieces) < 3 or not before.startswith(pieces[0]):
        return False
    # One part after the other, each at its nearest place: a single pattern could backtrack without end.
    place = len(pieces[0])
    last = len(pieces) - 2
    for at in range(1, len(pieces), 2):
        pattern = _earlier(pieces[at], pieces[at + 1], bases)
        match = pattern.fullmatch(before, place) if at == last else pattern.match(before, place)
        if match is None:
            return False
        place = match.end()
    return True


def _earlier(head: str, part: str, bases: Sequence[str]) -> re.Pattern[str]:
    """What may have stood where `head` and `part` stand now."""
    ways = []
    if head in bases:
        ways.append(_OLD + re.escape(part))
    cloud = _IN_CLOUD.match(head + part)
    if cloud is not None:
        rest = (head + part)[cloud.end() :]
        folder = re.match(_CLOUD_FOLDER, rest)
        begin, end = (folder.group(), rest[folder.end() :]) if folder is not None else ("", rest)
        written = f"{cloud.group(1)}:/{{1,2}}{re.escape(cloud.group(2) + begin)}"
        ways.append(_BEFORE_CLOUD + written + _TWICE + re.escape(end))
    return re.compile("|".join(f"(?:{way})" for way in ways))
