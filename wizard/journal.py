"""What was done, on disk: one SQLite file a run, written before and after every outside effect.

Every call commits durably (WAL, synchronous=FULL) before it returns. Values are JSON; none is a secret.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from wizard.errors import UsageError

StepState = Literal["pending", "started", "finished"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS step (
    name TEXT PRIMARY KEY, state TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0, summary TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (kind, key)
);
"""


class Journal:
    """The journal of one run. Safe to use from several threads of the engine."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file. Raises UsageError `state-full` where the disk is full."""
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise _disk_error(error) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _write(self, sql: str, parameters: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._db.execute(sql, parameters)
            except sqlite3.OperationalError as error:
                raise _disk_error(error) from error

    def step_state(self, name: str) -> StepState:
        with self._lock:
            row = self._db.execute("SELECT state FROM step WHERE name = ?", (name,)).fetchone()
        return "pending" if row is None else row[0]

    def step_started(self, name: str) -> None:
        self._write(
            "INSERT INTO step (name, state) VALUES (?, 'started') "
            "ON CONFLICT (name) DO UPDATE SET state = 'started'",
            (name,),
        )

    def step_finished(self, name: str, seconds: float, summary: str) -> None:
        """`seconds` add up over interrupted executions."""
        self._write(
            "INSERT INTO step (name, state, seconds, summary) VALUES (?, 'finished', ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET state = 'finished', seconds = seconds + excluded.seconds, "
            "summary = excluded.summary",
            (name, seconds, summary),
        )

    def step_reopened(self, name: str) -> None:
        """A finished step must run again, e.g. verify after a sync."""
        self._write("UPDATE step SET state = 'started' WHERE name = ?", (name,))

    def steps(self) -> list[tuple[str, StepState, float, str]]:
        """(name, state, seconds, summary) of every step begun so far."""
        with self._lock:
            return self._db.execute(
                "SELECT name, state, seconds, summary FROM step ORDER BY rowid"
            ).fetchall()

    def put(self, kind: str, key: str, value: Any) -> None:
        """Record a fact, replacing an earlier one under the same kind and key."""
        self._write(
            "INSERT INTO fact (kind, key, value, at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, at = excluded.at",
            (kind, key, json.dumps(value, ensure_ascii=True), time.time()),
        )

    def put_many(self, kind: str, values: dict[str, Any]) -> None:
        """Record several facts of one kind in one transaction."""
        now = time.time()
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "INSERT INTO fact (kind, key, value, at) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, at = excluded.at",
                    [(kind, key, json.dumps(value), now) for key, value in values.items()],
                )
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise _disk_error(error) from error

    def get(self, kind: str, key: str) -> Any | None:
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM fact WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Every fact of a kind, by key."""
        with self._lock:
            rows = self._db.execute(
                "SELECT key, value FROM fact WHERE kind = ? ORDER BY key", (kind,)
            ).fetchall()
        for key, value in rows:
            yield key, json.loads(value)

    def forget(self, kind: str, key: str) -> None:
        self._write("DELETE FROM fact WHERE kind = ? AND key = ?", (kind, key))


def _disk_error(error: sqlite3.OperationalError) -> Exception:
    if "full" in str(error) or "disk I/O" in str(error):
        return UsageError(
            "state-full",
            "The disk that holds the state folder is full.",
            "Free some space, or name another folder with --state-dir; then `ashore resume`.",
        )
    return error
