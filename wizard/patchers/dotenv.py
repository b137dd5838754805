"""`.env.example`: variables added with a comment. A `.env` itself is never touched."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wizard.model import Splice, Variable
from wizard.patchers.base import BOM, Check, NotUnderstood, at_end, readable

_LINE = re.compile(r"^[ \t]*(#[ \t]*)?(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=(.*)$", re.MULTILINE)


def named(data: bytes) -> frozenset[str]:
    """Variables that stand in the file, also those behind a `#`."""
    return frozenset(match.group(2) for match in _LINE.finditer(_text(data)))


def add(data: bytes, variables: Iterable[Variable], reason: str) -> list[Splice]:
    """Lines for the `variables` not yet named: what each is, an example, and an empty value.

    The value stays empty because people copy this file to `.env`: an example value would switch
    development over to a server that does not exist.
    """
    readable(data)
    present = named(data)
    export = "export " if re.search(r"^[ \t]*export[ \t]+\w+=", _text(data), re.MULTILINE) else ""
    lines: list[str] = []
    for variable in variables:
        if variable.name not in present:
            example = f" Example: {variable.example}" if variable.example else ""
            about = variable.about.strip().replace("\n", " ")
            lines += [f"# {about.rstrip('.')}.{example}", f"{export}{variable.name}="]
    if not lines:
        return []
    separate = data.strip() and not data.endswith((b"\n\n", b"\n\r\n"))
    return [at_end(data, [*([""] if separate else []), *lines], reason)]


def added_check(names: Iterable[str]) -> Check:
    """A check that exactly the variables `names` were added, empty, and the rest stayed."""
    expected_names = sorted(names)

    def check(before: bytes, after: bytes) -> None:
        old, new = _assignments(before), _assignments(after)
        if new[: len(old)] != old or sorted(name for name, _ in new[len(old) :]) != expected_names:
            raise NotUnderstood("The edited file would not say what it must; nothing is changed in it.")
        if any(value for _, value in new[len(old) :]):
            raise NotUnderstood("An example would carry a value.")

    return check


def _assignments(data: bytes) -> list[tuple[str, str]]:
    return [(m.group(2), m.group(3).strip()) for m in _LINE.finditer(_text(data)) if not m.group(1)]


def _text(data: bytes) -> str:
    return data.removeprefix(BOM).decode("utf-8", "surrogateescape")
