"""JSON text on its way into `json` and `jsonb`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from wizard.databases.copying.inexact import Inexact

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HUGE = re.compile(r"[eE][+-]?\d{4}")


class _Duplicate(Exception):
    """A key stands twice in one object."""


class _Huge(Exception):
    """A number has an exponent that PostgreSQL's numeric may not hold."""


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _bounded(text: str) -> float:
    if _HUGE.search(text):
        raise _Huge
    return float(text)


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _Duplicate


# A decoder is dearer to make than a small document is to read. By (keys are unique, numbers are bounded).
_DECODERS = {
    (unique, bounded): json.JSONDecoder(
        object_pairs_hook=_unique if unique else None,
        parse_constant=_no_constant,
        parse_float=_bounded if bounded else None,
    )
    for unique in (False, True)
    for bounded in (False, True)
}


def json_text(value: object, binary: bool, decisions: Mapping[str, str]) -> str:
    """`value` as JSON text; `binary` is jsonb, which keeps neither NUL, lone surrogates nor repeated keys.

    A number in a column of NUMERIC affinity is what SQLite made of the JSON number. Raises Inexact
    `wrong_type`, `json_nul`, `json_surrogates`, `json_duplicate_keys`, `invalid_utf8`.
    """
    if type(value) is int:
        return str(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    if type(value) is not str:
        raise Inexact("wrong_type", "a value that is no JSON text")
    if not value.isascii() and re.search("[\ud800-\udfff]", value):
        choice = decisions.get("invalid_utf8")
        if choice is None:
            raise Inexact("invalid_utf8", "text that is not UTF-8")
        raw = value.encode("utf-8", "surrogateescape")
        value = raw.decode("latin-1") if choice == "latin1" else raw.decode("utf-8", "replace")
    if binary and "\\u" in value:
        value = _without_bad_escapes(value, decisions)
    unique = binary and decisions.get("json_duplicate_keys") != "last"
    try:
        # A hook for every number is slow: it is set only where something looks like a huge exponent.
        bounded = binary and _HUGE.search(value) is not None
        _DECODERS[unique, bounded].decode(value)
    except _Duplicate:
        raise Inexact("json_duplicate_keys", "JSON with a key twice in one object") from None
    except _Huge:
        raise Inexact("out_of_range", "JSON with a number of a thousand digits or more") from None
    except (ValueError, RecursionError):
        raise Inexact("wrong_type", "text that is no JSON") from None
    return value


def _without_bad_escapes(value: str, decisions: Mapping[str, str]) -> str:
    """jsonb turns escapes into characters: NUL and half a surrogate pair have none."""
    parts: list[str] = []
    last = 0
    escapes = list(_ESCAPE.finditer(value))
    place = 0
    while place < len(escapes):
        match = escapes[place]
        place += 1
        if match.group(1) is None:
            continue
        code = int(match.group(1), 16)
        replacement = None
        if code == 0:
            if decisions.get("json_nul") is None:
                raise Inexact("json_nul", "JSON with a NUL character")
            replacement = "" if decisions["json_nul"] == "strip" else "\\ufffd"
        elif 0xD800 <= code <= 0xDFFF:
            follower = escapes[place] if place < len(escapes) else None
            if (
                code < 0xDC00
                and follower is not None
                and follower.start() == match.end()
                and follower.group(1) is not None
                and 0xDC00 <= int(follower.group(1), 16) <= 0xDFFF
            ):
                place += 1
                continue
            if decisions.get("json_surrogates") is None:
                raise Inexact("json_surrogates", "JSON with half a surrogate pair")
            replacement = "\\ufffd"
        if replacement is not None:
            parts += [value[last : match.start()], replacement]
            last = match.end()
    return "".join([*parts, value[last:]])
