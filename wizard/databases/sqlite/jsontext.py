"""Judges JSON text: what `jsonb` would refuse, drop or change."""

from __future__ import annotations

import json
from typing import Any, NoReturn

DUPLICATES, NUL, SURROGATES, INVALID = (
    "json_duplicate_keys",
    "json_nul",
    "json_surrogates",
    "wrong_type",
)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Repeated(dict[str, Any]):
    """An object in whose text a key stands twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Repeated(made)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=str, parse_int=str, strict=True
)


def faults(text: str) -> frozenset[str]:
    """The codes of what is wrong with `text`; empty where `jsonb` carries it.

    `wrong_type`: it is not JSON. A NUL, escaped or not, in any string is `json_nul`; half a surrogate
    pair is `json_surrogates`.
    """
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return frozenset((INVALID,))
    found: set[str] = set()
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item, _Repeated):
                found.add(DUPLICATES)
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str):
            if "\0" in item:
                found.add(NUL)
            if not item.isascii() and any("\ud800" <= c <= "\udfff" for c in item):
                found.add(SURROGATES)
    return frozenset(found)
