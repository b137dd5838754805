"""Tables as CSV for people: UTF-8, a header line, and nothing in it that a spreadsheet would run.

A text that begins like a formula gets an apostrophe in front, as OWASP advises ("CSV Injection"); a plain
number does not. NULL is an empty cell. The byte order mark lets Excel know that it is UTF-8.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_UNSAFE = re.compile(r"[^\w.-]+")


def harmless(cell: str | None) -> str:
    """The cell's text as a spreadsheet may show it."""
    if cell is None:
        return ""
    text = cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if text.lstrip(" ").startswith(_RUNS) and _NUMBER.fullmatch(text) is None:
        return "'" + text
    return text


@dataclass
class Sheets:
    """One file a table in `folder`. `files` are (table, path) of what was written."""

    folder: Path
    files: list[tuple[str, Path]] = field(default_factory=list)

    def __call__(
        self, table: str, columns: tuple[str, ...], rows: Iterable[Sequence[str | None]]
    ) -> Iterator[Sequence[str | None]]:
        """Write the rows down as they pass."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{len(self.files):04d}-{_UNSAFE.sub('_', table)[:80]}.csv"
        self.files.append((table, path))
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([harmless(name) for name in columns])
            for row in rows:
                writer.writerow([harmless(cell) for cell in row])
                yield row
