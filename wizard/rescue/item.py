"""One thing that was found."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wizard.scan import sqlite_counts

Kind = Literal["database", "files", "elsewhere"]
Take = Callable[[Path], None]


@dataclass(frozen=True)
class Item:
    """What may be had back. `id` is short and the same each time; `found` is the kind of place (git, …).

    `date` is ISO 8601, "" where it is not known. `rows`, `tables`, `files` and `bytes` are None where they
    are not known. `how` says what to do. `take` writes it into a new folder; None where a person must.
    """

    id: str
    kind: Kind
    found: str
    title: str
    date: str
    how: str
    rows: int | None = None
    tables: int | None = None
    files: int | None = None
    bytes: int | None = None
    take: Take | None = None


def short(found: str, *marks: str) -> str:
    """An item's id: the place's kind and a digest of what tells it apart."""
    return f"{found}-{hashlib.sha256(chr(0).join(marks).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def when(seconds: float) -> str:
    """Epoch seconds as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def counted(path: Path) -> tuple[int, int] | None:
    """(tables, rows) of a SQLite file; None where it is damaged, empty or cannot be read."""
    try:
        counts = sqlite_counts.count(path)
    except (OSError, sqlite3.Error):
        return None
    return None if counts.damage is not None or not counts.tables else (counts.tables, counts.rows)
