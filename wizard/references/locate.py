"""Finds, in any text, the places that name a stored file by the address under which the app serves it.

Known forms: `/media/<name>` and `http(s)://host/media/<name>` in plain text, HTML, Markdown and CSS, and in
the strings of JSON. Names may be percent-encoded, HTML-escaped, or in the other Unicode normal form; only
a name that is really stored counts, the longest one where several would do.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote, urlsplit

Known = Callable[[str], bool]

_CUTS = 24  # blanks and marks inside a name; each costs a look into the inventory
_TAIL = re.compile(r"""[^"<>`\\\x00-\x1f\x7f]{1,1024}""")
# Where a name may end inside such a run: what closes an attribute, a link or a sentence.
_CUT = re.compile(r"""[\s'()\[\]{},;:!?#&|*。、，；：！？）」』】]|\.(?=\s|$|[')\]])""")
_BEFORE = re.compile(r"""[\w./%~@:\\-]""")
_ATTRIBUTE = re.compile(r"(?:src|href|poster|content|data[\w-]*|action|background)\s*=$", re.IGNORECASE)
_JSON_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*)"', re.DOTALL)
_JSON_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reference:
    """`text[start:end]` names the file `path`; None where no such file is stored.

    `written` is what stood behind the prefix; `host` is "" for a path without one.
    """

    start: int
    end: int
    path: str | None
    written: str
    host: str
    escaped: bool = False


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """The address below which the app serves its files: a path that begins and ends with a slash."""

    path: str

    @classmethod
    def parse(cls, text: str) -> MediaUrl | None:
        """From a MEDIA_URL. None where it is empty or the whole site: then every path would match."""
        path = "/" + urlsplit(text).path.strip("/") + "/"
        return None if path == "//" else cls(path)

    def needles(self) -> tuple[str, ...]:
        """One of these stands in every text with a reference."""
        return (self.path, self.path.replace("/", "\\/"))

    def pattern(self) -> re.Pattern[str]:
        return re.compile(r"""((?:https?:)?//[^\s"'<>()\\/?#]+)?""" + re.escape(self.path))


def locate(text: str, media: MediaUrl, known: Known, own: tuple[str, ...] = ()) -> list[Reference]:
    """The references in `text`, in order. Addresses that begin with one of `own` are left alone."""
    pattern = media.pattern()
    if text.lstrip()[:1] in ("{", "[", '"') and _is_json(text):
        found = []
        for match in _JSON_STRING.finditer(text):
            if any(needle in match.group() for needle in media.needles()):
                found += list(_in_json_string(match, pattern, known, own))
        return found
    return list(_in_plain(text, pattern, known, own))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_json_string(
    match: re.Match[str], pattern: re.Pattern[str], known: Known, own: tuple[str, ...]
) -> Iterator[Reference]:
    """References in the value of a JSON string, placed where its text is written."""
    starts: list[int] = []
    decoded: list[str] = []
    place = match.start(1)
    for unit in _JSON_UNIT.findall(match.group(1)):
        starts.append(place)
        decoded.append(unit if len(unit) == 1 else json.loads(f'"{unit}"'))
        place += len(unit)
    starts.append(place)
    for ref in _in_plain("".join(decoded), pattern, known, own):
        start, end = starts[ref.start], starts[ref.end]
        escaped = "\\/" in match.string[start:end]
        yield Reference(start, end, ref.path, ref.written, ref.host, escaped)


def _in_plain(text: str, pattern: re.Pattern[str], known: Known, own: tuple[str, ...]) -> Iterator[Reference]:
    place = 0
    while match := pattern.search(text, place):
        place = match.end()
        if not _stands_free(text, match.start()) or text.startswith(own, match.start()):
            continue
        tail = _TAIL.match(text, match.end())
        if tail is None:
            continue
        host = (match.group(1) or "").rpartition("/")[2]
        end, path = _name(tail.group(), known)
        if end:
            place = match.end() + end
            yield Reference(match.start(), place, path, tail.group()[:end], host)


def _stands_free(text: str, start: int) -> bool:
    """Whether an address begins here, rather than in the middle of a longer one."""
    if start == 0:
        return True
    before = text[start - 1]
    if before == "=":
        return bool(_ATTRIBUTE.search(text[max(0, start - 40) : start]))
    return not _BEFORE.match(before)


def _name(tail: str, known: Known) -> tuple[int, str | None]:
    """Where the longest stored name at the start of `tail` ends, and the name.

    Where none is stored, the end is where a name without blanks would end; 0 where there is none.
    """
    ends = [m.start() for m in islice(_CUT.finditer(tail), _CUTS)]
    if len(ends) < _CUTS:
        ends.append(len(tail))
    for end in reversed(ends):
        for name in _forms(tail[:end]):
            if known(name):
                return end, name
    return ends[0], None


def _forms(written: str) -> Iterator[str]:
    """What `written` may stand for, the plainest reading first."""
    seen: set[str] = set()
    unescaped = html.unescape(written) if "&" in written else written
    for text in dict.fromkeys((written, unquote(written), unescaped, unquote(unescaped))):
        composed = () if text.isascii() else tuple(unicodedata.normalize(f, text) for f in ("NFC", "NFD"))
        for form in (text, *composed):
            if form and form not in seen:
                seen.add(form)
                yield form
