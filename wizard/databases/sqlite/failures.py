"""What SQLite and the file system say of a source, as errors a user can act on."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wizard.errors import UsageError

READONLY, FULL, CANTOPEN = sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code (https://www.sqlite.org/rescode.html), 0 for the module's own errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def missing(source: Path) -> UsageError:
    """There is no such file."""
    return UsageError(
        "database-missing",
        f"There is no database file at {source}; nothing was written.",
        "Name the SQLite file with `database.source` in the answers.",
    )


def unreadable(source: Path, why: str) -> UsageError:
    """The system does not let this user read the file; `why` in its words."""
    return UsageError(
        "database-unreadable",
        f"The database {source} cannot be read: {why}. Nothing was written.",
        "Run ashore as a user who may read this file and its folder.",
    )


def damaged(source: Path, why: str) -> UsageError:
    """The file is no SQLite database, or a broken one; `why` in SQLite's words."""
    return UsageError(
        "database-damaged",
        f"{source} is not an intact SQLite database: {why}. It was only read; nothing was written.",
        f'Restore it from a backup, or recover what is left with: sqlite3 "{source.name}" .recover',
    )


def locked(source: Path, seconds: float) -> UsageError:
    """Another program kept the file locked for `seconds`."""
    return UsageError(
        "database-locked",
        f"The database {source} stayed locked by another program for {seconds:.0f} s; nothing was written.",
        "Wait until it has finished writing, or stop it, and start again.",
    )


def state_full(folder: Path) -> UsageError:
    """The disk that holds `folder` has no room for the copy."""
    return UsageError(
        "state-full",
        f"The disk that holds {folder} is full; no copy was kept.",
        "Free some space, or name another folder with --state-dir; then start again.",
    )


@contextmanager
def explained(source: Path, writes: Path | None = None) -> Iterator[None]:
    """Turns the failures of reading `source` (and of writing into the folder `writes`) into UsageErrors.

    What SQLite says for other reasons passes unchanged: it is a bug or a case for the caller.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise missing(source) from error
    except OSError as error:
        if writes is not None and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise state_full(writes) from error
        raise unreadable(source, error.strerror or "the system refuses") from error
    except sqlite3.Error as error:
        code = primary_code(error)
        if code in _DAMAGED or "malformed database schema" in str(error):
            raise damaged(source, str(error)) from error
        if code in _BUSY:
            raise locked(source, 0) from error
        if code == FULL and writes is not None:
            raise state_full(writes) from error
        if code == CANTOPEN:
            raise (unreadable(source, str(error)) if source.exists() else missing(source)) from error
        if code == READONLY:
            raise UsageError(
                "database-needs-recovery",
                f"{source} was left in the middle of a write by a crash and cannot be read as it is; "
                "nothing was written.",
                "Start the app once so that SQLite repairs it, then start again.",
            ) from error
        raise
