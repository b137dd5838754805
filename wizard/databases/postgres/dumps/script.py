"""pg_dump's SQL script, cut into its entries, so that each can be run and recorded by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(
    r"^--\n-- (?:Data for )?Name: (?P<name>.*); Type: (?P<type>[A-Z][A-Z ]*); Schema: (?P<schema>.*); "
    r"Owner: .*\n--\n",
    re.MULTILINE,
)
# psql's own commands that newer minor versions put around the script (CVE-2025-8714).
_PSQL = re.compile(r"^\\(un)?restrict \S+$", re.MULTILINE)
_END = re.compile(r"^--\n-- PostgreSQL database dump complete\n--\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a dump: `type` as pg_dump names it (TABLE, INDEX, FK CONSTRAINT, …)."""

    type: str
    schema: str
    name: str
    sql: str


def entries(script: str) -> tuple[Entry, ...]:
    """The script's entries in order; the settings before the first are left out."""
    script = _PSQL.sub("", script)
    end = None
    for end in _END.finditer(script):  # noqa: B007 - the last one counts
        pass
    if end is not None:
        script = script[: end.start()]
    heads = list(_HEADER.finditer(script))
    found = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        text = script[head.end() : after.start() if after is not None else len(script)].strip()
        if _says_something(text):
            found.append(Entry(head["type"], head["schema"], head["name"], text))
    return tuple(found)


def _says_something(text: str) -> bool:
    return any(line.strip() and not line.startswith("--") for line in text.splitlines())
