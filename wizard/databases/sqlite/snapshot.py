"""Takes a consistent copy of a SQLite database without changing a byte of it.

A database in use is copied by SQLite's backup API inside a read transaction of our own, so that writers
cannot make it start over. One that SQLite could not read without writing beside it (a hot journal left by
a crash, a write-ahead log that nobody has open) is copied file by file, checked to stand still meanwhile,
and repaired in the copy. Sources: https://www.sqlite.org/backup.html, wal.html, lockingv3.html.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wizard.context import Cancel
from wizard.databases.sqlite import schema as schemas
from wizard.databases.sqlite.clauses import supply_collations
from wizard.databases.sqlite.failures import (
    CANTOPEN,
    READONLY,
    damaged,
    explained,
    locked,
    missing,
    primary_code,
)

STEP_BYTES = 4 << 20
LOCK_SECONDS = 30.0
_SETTLED_NS = 100_000_000  # older than any file system's clock tick: a later write shows in mtime
# What integrity_check says of contents, which the preflight judges: a NULL in a NOT NULL column, a class.
_CONTENT = re.compile(r"(NULL|NUMERIC|TEXT|non-[A-Z]+) value in ")
_SIDES = ("-wal", "-shm", "-journal")
_COPIED_SIDES = ("-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was copied. `side_files` are the names found beside the source; `orphans` counts rows with a
    broken foreign key; `unchecked` names tables whose integrity needs functions of the app to check."""

    bytes: int
    sha256: str
    page_size: int
    counts: tuple[tuple[str, int], ...]
    side_files: tuple[str, ...]
    orphans: int
    unchecked: tuple[str, ...]
    fingerprint: str


def take(
    source: Path,
    target: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancel: Cancel | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> Snapshot:
    """Copy `source` to `target`, which appears only when complete, checked and on disk.

    `progress` gets (pages done, pages in all). The copy is in journal_mode DELETE: it has no side
    files. Raises UsageError `database-missing`, `-unreadable`, `-damaged`, `-locked`, `state-full`.
    """
    cancel = cancel or Cancel()
    if not source.is_file():
        raise missing(source)
    side_files = tuple(source.name + s for s in _SIDES if Path(f"{source}{s}").exists())
    part = target.with_name(target.name + ".part")
    _remove(part)
    try:
        with explained(source, target.parent):
            if _needs_plain_copy(source) or not _back_up(source, part, progress, cancel, lock_seconds):
                _copy_files(source, part, progress, cancel, lock_seconds)
            facts = _settle(source, part, side_files, cancel)
            _flush(part)
            part.replace(target)
            _flush(target.parent)
    finally:
        _remove(part)
    return facts


def _remove(part: Path) -> None:
    for suffix in ("", *_SIDES):
        Path(f"{part}{suffix}").unlink(missing_ok=True)


def _needs_plain_copy(source: Path) -> bool:
    """Whether even a read-only connection would create files beside a database in WAL mode."""
    if not schemas.in_wal_mode(source):
        return False
    return not (Path(f"{source}-wal").exists() and Path(f"{source}-shm").exists())


def _back_up(
    source: Path, part: Path, progress: Callable[[int, int], None], cancel: Cancel, lock_seconds: float
) -> bool:
    """Copy by the backup API. False where SQLite would have to write to the source to read it."""
    origin = sqlite3.connect(
        f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=0.25
    )
    try:
        if not _begin_reading(origin, source, cancel, lock_seconds):
            return False
        page_size = int(origin.execute("PRAGMA page_size").fetchone()[0])

        def step(_status: int, remaining: int, total: int) -> None:
            cancel.check()
            progress(total - remaining, total)

        copy = sqlite3.connect(part, isolation_level=None)
        try:
            # Written once, flushed at the end and thrown away on any failure: no journal is needed.
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")
            origin.backup(copy, pages=max(1, STEP_BYTES // page_size), progress=step)
        finally:
            copy.close()
        return True
    finally:
        origin.close()


def _begin_reading(origin: sqlite3.Connection, source: Path, cancel: Cancel, lock_seconds: float) -> bool:
    deadline = time.monotonic() + lock_seconds
    while True:
        try:
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return True
        except sqlite3.OperationalError as error:
            if origin.in_transaction:
                origin.execute("ROLLBACK")
            code = primary_code(error)
            if code in (READONLY, CANTOPEN):
                return False
            if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            if time.monotonic() > deadline:
                raise locked(source, lock_seconds) from error
            cancel.check()


def _copy_files(
    source: Path, part: Path, progress: Callable[[int, int], None], cancel: Cancel, lock_seconds: float
) -> None:
    """Copy the file with its log or journal, again and again until nothing changed meanwhile."""
    deadline = time.monotonic() + lock_seconds
    while True:
        before = _state(source)
        newest = max(mtime for _, _, mtime in before)
        if time.time_ns() - newest > _SETTLED_NS:
            for suffix, _, _ in before:
                _copy(Path(f"{source}{suffix}"), Path(f"{part}{suffix}"), progress, cancel)
            if _state(source) == before:
                return
            _remove(part)
        if time.monotonic() > deadline:
            raise locked(source, lock_seconds)
        cancel.wait(0.1)


def _state(source: Path) -> tuple[tuple[str, int, int], ...]:
    found = []
    for suffix in ("", *_COPIED_SIDES):
        path = Path(f"{source}{suffix}")
        if suffix == "" or path.exists():
            stat = path.stat()
            found.append((suffix, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def _copy(source: Path, target: Path, progress: Callable[[int, int], None], cancel: Cancel) -> None:
    pages = max(1, source.stat().st_size // 4096)
    done = 0
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(STEP_BYTES):
            cancel.check()
            writing.write(piece)
            done += len(piece)
            progress(min(done // 4096, pages), pages)
    shutil.copymode(source, target)
    target.chmod(0o600)


def _settle(source: Path, part: Path, side_files: tuple[str, ...], cancel: Cancel) -> Snapshot:
    """Recover the copy, take it out of WAL mode, check it, count its rows."""
    copy = sqlite3.connect(part, isolation_level=None)
    try:
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("PRAGMA ignore_check_constraints=ON")  # they may call functions of the app
        copy.set_progress_handler(lambda: 1 if cancel.asked() else 0, 100_000)
        try:
            schema = schemas.read_schema(copy)
            unchecked = _check_integrity(source, copy, schema)
            supply_collations(copy)  # not before the integrity check, which compares by them
            orphans = sum(_broken_references(copy, t.name) for t in schema.tables if t.foreign_keys)
            counts = schemas.row_counts(copy, schema)
        except sqlite3.OperationalError as error:
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                cancel.check()
            raise
        page_size = int(copy.execute("PRAGMA page_size").fetchone()[0])
        fingerprint = schemas.fingerprint(copy)
    finally:
        copy.close()
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Snapshot(
        part.stat().st_size, digest, page_size, counts, side_files, orphans, unchecked, fingerprint
    )


def _check_integrity(source: Path, copy: sqlite3.Connection, schema: schemas.Schema) -> tuple[str, ...]:
    """Raises `database-damaged`. Returns the tables that only the app's own functions could check."""
    try:
        _judge(source, copy.execute("PRAGMA integrity_check(20)"))
        return ()
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_ERROR:
            raise
    unchecked = []
    for table in schema.tables:
        try:
            _judge(source, copy.execute(f"PRAGMA integrity_check({schemas.quote(table.name)})"))
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_ERROR:
                raise
            unchecked.append(table.name)
    try:
        _judge(source, copy.execute("PRAGMA quick_check(20)"))
    except sqlite3.OperationalError as error:
        # A key by a collation of the app's own: its pages are read when the rows are counted.
        if primary_code(error) != sqlite3.SQLITE_ERROR:
            raise
    return tuple(unchecked)


def _judge(source: Path, answers: sqlite3.Cursor) -> None:
    faults = [line for (line,) in answers if line != "ok" and not _CONTENT.match(line)]
    if faults:
        raise damaged(source, "; ".join(faults[:3]))


def _broken_references(copy: sqlite3.Connection, table: str) -> int:
    try:
        return sum(1 for _ in copy.execute(f"PRAGMA foreign_key_check({schemas.quote(table)})"))
    except sqlite3.OperationalError:
        return 0  # "foreign key mismatch": it refers to columns that are not unique; the preflight says so


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows flushes a folder by itself
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
