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


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        made["\0twice"] = True
    return made


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
            twice = item.pop("\0twice", None) is True
            found |= {DUPLICATES} if twice else set()
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
