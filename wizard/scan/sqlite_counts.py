"""Looking into a SQLite file that an app may be using, without disturbing it.

The file is opened `immutable`: no lock is taken, no side file made, no journal rolled back. What a
write-ahead log holds beyond it is not counted; the caller says so.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SECONDS = 5.0
_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Bytes (with its write-ahead log), tables and rows. `damage` is SQLite's word where it is no database.

    `log_bytes`: size of a write-ahead log or hot journal beside it. `complete`: all rows were counted.
    """

    bytes: int
    tables: int = 0
    rows: int = 0
    log_bytes: int = 0
    complete: bool = True
    damage: str | None = None


def count(path: Path) -> Counts:
    """Count what the file holds, for at most SECONDS. Raises OSError where the file cannot be read."""
    size = path.stat().st_size
    beside = sum(
        side.stat().st_size for end in ("-wal", "-journal") if (side := Path(f"{path}{end}")).is_file()
    )
    with path.open("rb") as file:  # an unreadable file is an OSError, not damage
        file.read(1)
    if size == 0:
        return Counts(0, log_bytes=beside)
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    try:
        return _count(connection, size + beside, beside)
    except sqlite3.Error as error:
        # A file in the middle of a write may look broken: only one at rest is called damaged.
        damage = None if beside else str(error)
        return Counts(size + beside, log_bytes=beside, complete=False, damage=damage)
    finally:
        connection.close()


def _count(connection: sqlite3.Connection, size: int, beside: int) -> Counts:
    names = [
        str(row[0])
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
    ]
    end = time.monotonic() + SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    rows = 0
    complete = True
    for name in names:
        quoted = name.replace('"', '""')
        try:
            rows += int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])
        except sqlite3.OperationalError as error:
            complete = False  # out of time, or a virtual table whose module is not here
            if "interrupted" in str(error):
                break
    return Counts(size, len(names), rows, beside, complete)
