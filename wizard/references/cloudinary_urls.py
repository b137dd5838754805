"""Cloudinary addresses that a wrong configuration has wrapped into one another, and what they were to be.

A storage that adds its own prefix to a name that is an address already makes
`https://res.cloudinary.com/CLOUD/image/upload/v1/media/https://res.cloudinary.com/CLOUD/…`, with the inner
one as it is, with one slash, or percent-encoded; a name stored with its prefix doubles `media/`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

HOST = "res.cloudinary.com"
LONGEST = 2048
# An address or a path that has the address of a file inside it. It ends where a link does in any text, and
# where an element of a list does; JSON may write a slash as `\/`.
_STOP = re.compile(r"""[\s"'<>()\[\]{}|`]|\\(?!/)""")
_MARK = re.compile(r"res\.cloudinary\.com\\?/")
_NEXT = re.compile(r"https?(?::|%3A)|/", re.IGNORECASE)
_ENDS_A_FILE = re.compile(r"\.[A-Za-z]\w{1,4}$")
_HEAD = re.compile(r"https?(%3A|:)((?:/|%2F){1,2})", re.IGNORECASE)
_WELL_FORMED = re.compile(r"https?://res\.cloudinary\.com/[^/]+/(?:image|video|raw)/upload/\S+")
_OUTER = re.compile(r"https?://res\.cloudinary\.com/[^/]+/(?:image|video|raw)/upload/")
_DOUBLED = re.compile(r"(/upload/(?:v\d+/)?)((?:[^/]+/)+?)\2")
# What is decoded in an address: nothing that ends a string, an attribute or an element of a list.
_SAFE = frozenset(string.ascii_letters + string.digits + "/:@!$*+=~-._%")
_CODE = re.compile(r"%([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Malformed:
    """`text[start:end]` is no address of a file, `repaired` is the one that it was to be.

    `doubled`: it may be right all the same, if the folder really is called so twice. `escaped`: the text
    writes slashes as `\\/`; `written` and `repaired` do not.
    """

    start: int
    end: int
    written: str
    repaired: str
    escaped: bool = False

    @property
    def doubled(self) -> bool:
        return len(_HEAD.findall(self.written)) < 2 and _OUTER.match(self.written) is not None


def repair(written: str) -> str | None:
    """The address that a wrapped one was to be; None where it is a right one, or none can be made out.

    Decoded once, `https:/` mended, then the last address inside it; else a doubled folder after `upload/`
    is taken once. Whether the result leads to a file only a request can tell.
    """
    heads = list(_HEAD.finditer(written))
    if heads and heads[-1].start() > 0 and not _wraps(written[: heads[-1].start()], heads[-1]):
        return None
    if heads and (heads[-1].start() > 0 or not written.lower().startswith(("http://", "https://"))):
        inner = written[heads[-1].start() :]
        # Where the mark itself is encoded, so is what follows it.
        if "%3a" in inner[:9].lower() or "%2f" in inner[:12].lower():
            inner = _CODE.sub(_decoded, inner)
        inner = re.sub(r"^(https?):/{1,2}", r"\1://", inner, flags=re.IGNORECASE)
        mended = _once(inner)
    else:
        mended = _once(written)
    if mended == written or not _WELL_FORMED.fullmatch(mended) or urlsplit(mended).hostname != HOST:
        return None
    return mended


def _decoded(code: re.Match[str]) -> str:
    sign = chr(int(code[1], 16))
    return sign if sign in _SAFE else code[0]


def _wraps(outer: str, head: re.Match[str]) -> bool:
    """Whether `outer` is what a storage puts before a name, not another service that takes an address.

    Proxies, archives and image services have an address in their path or query that is whole (`https://…`,
    or encoded from end to end); a path normalized by a storage has one slash less.
    """
    if not outer.endswith("/") or any(sign in outer for sign in "?&=#,;"):
        return False
    if _OUTER.match(outer) or not re.match(r"[a-z][a-z0-9+.-]*:|//", outer, re.IGNORECASE):
        return True
    return head.group(2) == "/"


def _once(address: str) -> str:
    return _DOUBLED.sub(r"\1\2", address, count=1)


def find(text: str) -> list[Malformed]:
    """The malformed addresses in a text, in order."""
    if HOST not in text:
        return []
    found = []
    for run in _runs(text):
        for start, end in _pieces(text, *run):
            raw = text[start:end]
            begin = _begin(raw)
            if begin is None or end - start > LONGEST:
                continue
            written = raw[begin:].replace("\\/", "/")
            repaired = repair(written)
            if repaired is not None:
                found.append(Malformed(start + begin, end, written, repaired, "\\/" in raw))
    return found


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Where the words that hold the host begin and end, but for very long ones."""
    past = 0
    for mark in _MARK.finditer(text):
        if mark.start() < past:
            continue
        first = max(past, mark.start() - LONGEST)
        stops = [m.end() for m in _STOP.finditer(text, first, mark.start())]
        last = _STOP.search(text, mark.end())
        past = last.start() if last else len(text)
        if stops or first == 0 or first > mark.start() - LONGEST:
            yield (stops[-1] if stops else first), past


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the addresses of a list without blanks begin and end; a comma may also belong to an address.

    The sign that ends a sentence does not belong to it.
    """
    place = start
    for comma in [m.start() for m in re.compile(",").finditer(text, start, end)] + [end]:
        before = text[place:comma]
        if comma < end and not (_NEXT.match(text, comma + 1) or _ENDS_A_FILE.search(before[-6:])):
            continue
        if HOST in before:
            yield place, place + len(before.rstrip(".,;:!"))
        place = comma + 1


def _begin(written: str) -> int | None:
    """Where the address begins in a run without blanks: `src=https://…`; None for a query's parameter."""
    head = re.search(r"https?(?::|%3A)", written, re.IGNORECASE)
    place = written.find("=") + 1
    if 0 < place <= (head.start() if head else len(written)):
        return None if any(sign in written[:place] for sign in "?&/") else place
    return 0


def replaced(text: str, right: Mapping[str, str]) -> tuple[str, int]:
    """`text` with each malformed address that `right` has put right, and how many were."""
    parts: list[str] = []
    place = 0
    for one in find(text):
        new = right.get(one.written)
        if new is None:
            continue
        parts += [text[place : one.start], new.replace("/", "\\/") if one.escaped else new]
        place = one.end
    return ("".join([*parts, text[place:]]), len(parts) // 2) if parts else (text, 0)


def shown(address: str) -> str:
    """An address for people: without a password, a query or a signature that it may hold."""
    told = re.sub(r"//[^/@\s]*@", "//", address)
    told = re.sub(r"/s--[^/]*--/", "/s--…--/", told)
    told = re.sub(r"(?:[?#]|%3F).*", "?…", told, flags=re.IGNORECASE)
    return told if len(told) <= 200 else told[:200] + "…"
