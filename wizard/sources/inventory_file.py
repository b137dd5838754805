"""The list of all files to move, with digests: one SQLite file in the run's folder.

Filled by the snapshot step. What was hashed stays hashed as long as size and time are the same, so a
run that was killed goes on where it was. Later steps compare the very bytes they read with it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.errors import UsageError
from wizard.sources.hashing import Digested
from wizard.sources.local import Found, Problem

FILE = "inventory.sqlite3"
PAGE = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS store (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, round INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS file (
    store TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 BLOB, md5 BLOB, content_type TEXT, round INTEGER NOT NULL,
    PRIMARY KEY (store, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS problem (
    store TEXT NOT NULL, path TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (store, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS placement (
    store TEXT NOT NULL, path TEXT NOT NULL, rule INTEGER NOT NULL, target TEXT NOT NULL, key TEXT NOT NULL,
    folded TEXT NOT NULL, PRIMARY KEY (store, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS placement_key ON placement (target, folded);
CREATE TABLE IF NOT EXISTS confirmed (
    target TEXT NOT NULL, key TEXT NOT NULL, store TEXT NOT NULL, path TEXT NOT NULL, status TEXT NOT NULL,
    size INTEGER NOT NULL, sha256 BLOB NOT NULL, etag TEXT NOT NULL, part_size INTEGER NOT NULL,
    PRIMARY KEY (target, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS confirmed_file ON confirmed (store, path);
CREATE TABLE IF NOT EXISTS intent (
    target TEXT NOT NULL, key TEXT NOT NULL, sha256 BLOB NOT NULL, md5 BLOB NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (target, key, sha256)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as inventoried. `path` is relative to its store, with forward slashes; `size` in bytes."""

    path: str
    size: int
    sha256: bytes
    md5: bytes
    content_type: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """An entry of `store` that cannot be carried; `code` as in wizard.sources.local.Problem."""

    store: str
    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InventorySummary:
    """How much there is to move."""

    files: int
    bytes: int


class Inventory:
    """The inventory's file, opened. Safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file. Raises UsageError `state-full` where the disk is full."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.many((), script="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)

    def __enter__(self) -> Inventory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of one query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def many(self, statements: Iterable[tuple[str, Sequence[object]]], script: str = "") -> None:
        """`script`, then all statements in one transaction. Raises UsageError `state-full`."""
        with self._lock:
            try:
                if script:
                    self._db.executescript(script)
                self._db.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    self._db.execute(sql, values)
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if "full" in str(error) or "disk I/O" in str(error):
                    raise state_full() from error
                raise

    def stores(self) -> tuple[tuple[int, str], ...]:
        """(number, path) of every store of the last round, by number; numbers never change in a run."""
        return tuple(self.rows("SELECT number, path FROM store WHERE round > 0 ORDER BY number"))

    def begin(self, store: str) -> int:
        """Start a round of listing `store`; returns the round's number."""
        self.many(
            [
                (
                    "INSERT INTO store (path, round) VALUES (?, 1) "
                    "ON CONFLICT (path) DO UPDATE SET round = round + 1",
                    (store,),
                ),
                # What has vanished stays noted: the next walk cannot see it.
                ("DELETE FROM problem WHERE store = ? AND code <> 'vanished'", (store,)),
            ]
        )
        found: int = self.rows("SELECT round FROM store WHERE path = ?", (store,))[0][0]
        return found

    def listed(self, store: str, number: int, seen: Sequence[Found | Problem]) -> None:
        """Note what a walk saw. A file whose size or time differs has to be hashed again."""
        self.many(
            (
                (
                    "INSERT INTO file (store, path, size, mtime_ns, round) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (store, path) DO UPDATE SET round = excluded.round, "
                    "sha256 = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns, sha256, NULL), "
                    "size = excluded.size, mtime_ns = excluded.mtime_ns",
                    (store, item.path, item.size, item.mtime_ns, number),
                )
                if isinstance(item, Found)
                else _problem(store, item)
            )
            for item in seen
        )

    def end(self, store: str, number: int) -> None:
        """End a listing: files that an earlier round saw and this one did not are noted as vanished."""
        self.many(
            [
                (
                    "INSERT OR IGNORE INTO problem SELECT store, path, 'vanished', "
                    "'It was there when the run began and is gone.' FROM file WHERE store = ? AND round <> ?",
                    (store, number),
                ),
                ("DELETE FROM file WHERE store = ? AND round <> ?", (store, number)),
                (
                    "DELETE FROM problem WHERE store = ? AND code = 'vanished' "
                    "AND path IN (SELECT path FROM file WHERE store = ?)",
                    (store, store),
                ),
            ]
        )

    def forget_stores_except(self, stores: Sequence[str]) -> None:
        """Drop what the answers no longer name. The numbers stay reserved."""
        gone = [path for _, path in self.stores() if path not in stores]
        self.many(
            (f"{action} {column} = ?", (path,))
            for path in gone
            for action, column in (
                ("DELETE FROM file WHERE", "store"),
                ("DELETE FROM problem WHERE", "store"),
                ("DELETE FROM placement WHERE", "store"),
                ("UPDATE store SET round = 0 WHERE", "path"),
            )
        )

    def unhashed(self, store: str) -> Iterator[list[str]]:
        """Paths without digests, by path, in pages."""
        last = ""
        while page := self.rows(
            "SELECT path FROM file WHERE store = ? AND path > ? AND sha256 IS NULL ORDER BY path LIMIT ?",
            (store, last, PAGE),
        ):
            last = page[-1][0]
            yield [path for (path,) in page]

    def hashed(self, store: str, results: Sequence[tuple[str, Digested | Problem]]) -> None:
        """Record digests; a file that turned out to be a problem leaves the list and is noted."""
        self.many(
            statement
            for path, result in results
            for statement in (
                [
                    (
                        "INSERT INTO file (store, path, size, mtime_ns, sha256, md5, content_type, round) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT round FROM store WHERE path = ?)) "
                        "ON CONFLICT (store, path) DO UPDATE SET size = excluded.size, "
                        "mtime_ns = excluded.mtime_ns, sha256 = excluded.sha256, md5 = excluded.md5, "
                        "content_type = excluded.content_type",
                        (
                            store,
                            path,
                            result.size,
                            result.mtime_ns,
                            result.sha256,
                            result.md5,
                            result.content_type,
                            store,
                        ),
                    )
                ]
                if isinstance(result, Digested)
                else [
                    ("DELETE FROM file WHERE store = ? AND path = ?", (store, path)),
                    _problem(store, result),
                ]
            )
        )

    def entries(self, store: str | None = None) -> Iterator[tuple[str, Entry]]:
        """(store, entry) of every hashed file, by store and path; a page of them in memory at a time."""
        at: tuple[str, str] = (store or "", "")
        only, values = ("", ()) if store is None else ("AND store = ?", (store,))
        while page := self.rows(
            "SELECT store, path, size, sha256, md5, content_type, mtime_ns FROM file "
            f"WHERE (store, path) > (?, ?) AND sha256 IS NOT NULL {only} ORDER BY store, path LIMIT ?",
            (*at, *values, PAGE),
        ):
            for row in page:
                yield row[0], Entry(*row[1:])
            at = (page[-1][0], page[-1][1])

    def get(self, store: str, path: str) -> Entry | None:
        """One hashed file, or None."""
        found = self.rows(
            "SELECT path, size, sha256, md5, content_type, mtime_ns FROM file "
            "WHERE store = ? AND path = ? AND sha256 IS NOT NULL",
            (store, path),
        )
        return Entry(*found[0]) if found else None

    def problems(self) -> tuple[StoreProblem, ...]:
        """What cannot be carried, by store and path."""
        rows = self.rows("SELECT store, path, code, message FROM problem ORDER BY store, path")
        return tuple(StoreProblem(*row) for row in rows)

    def summary(self, store: str | None = None) -> InventorySummary:
        """Files and bytes, of one store or of all."""
        where, values = ("", ()) if store is None else ("WHERE store = ?", (store,))
        files, size = self.rows(f"SELECT count(*), coalesce(sum(size), 0) FROM file {where}", values)[0]
        return InventorySummary(files, size)


def _problem(store: str, problem: Problem) -> tuple[str, Sequence[object]]:
    return (
        "INSERT OR REPLACE INTO problem (store, path, code, message) VALUES (?, ?, ?, ?)",
        (store, problem.path, problem.code, problem.message),
    )


def state_full(detail: str = "") -> UsageError:
    """The error for a full disk below the state folder."""
    return UsageError(
        "state-full",
        "The disk that holds the state folder is full." + (f" {detail}" if detail else ""),
        "Free some space, name another folder with --state-dir, or answer `backup: database`; then "
        "`ashore resume`.",
    )
