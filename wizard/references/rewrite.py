"""Puts new addresses in the place of old ones, and changes nothing else of a text."""

from __future__ import annotations

from collections.abc import Callable

from wizard.references.locate import MediaUrl, Reference, locate

Address = Callable[[str], str | None]


def rewrite(
    text: str, media: MediaUrl, known: Callable[[str], bool], address: Address, own: tuple[str, ...] = ()
) -> tuple[str, int]:
    """`text` with every reference to a file that has a new address replaced, and how many were.

    `known` says whether a file is stored, `address` gives its new address or None where it keeps its
    old one. `own` are beginnings of new addresses: what is rewritten already stays.
    """
    parts: list[str] = []
    place = count = 0
    for ref in locate(text, media, known, own):
        new = None if ref.path is None else address(ref.path)
        if new is None:
            continue
        parts += [text[place : ref.start], _written(new, ref)]
        place = ref.end
        count += 1
    return ("".join([*parts, text[place:]]), count) if count else (text, 0)


def _written(address: str, ref: Reference) -> str:
    """An address is ASCII without quotes, so that HTML, Markdown and JSON need no escaping of their own."""
    return address.replace("/", "\\/") if ref.escaped else address
