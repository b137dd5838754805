"""Malformed Cloudinary addresses: which were decided to be repaired, and which repairs a fetch confirms.

What was confirmed is kept in a file in the run's folder: a resume asks for the rest only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from wizard.context import Cancel
from wizard.model import Choice, Decision
from wizard.references import cloudinary_urls
from wizard.references.cloudinary_urls import HOST, Malformed
from wizard.references.reachable import Reach

__all__ = ["CODE", "HOST", "Repairs", "Tally", "opened", "wanted"]

CODE = "malformed_url"
EXAMPLES = 5
SUBJECTS = 10_000
_AT_ONCE = 8
_BATCH = 64
_CONFIRMED = "confirmed"


def wanted(decisions: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """The columns, and paths of documents, whose malformed addresses are to be repaired."""
    return frozenset(s for s in decisions if decisions[s].get(CODE) == "repair")


@dataclass
class _Subject:
    count: int = 0
    keys: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


class Tally:
    """Counts malformed addresses by column or path; of more than 10,000 paths the first are counted."""

    def __init__(self) -> None:
        self._subjects: dict[str, _Subject] = {}

    def look(self, subject: str, key: str, text: str) -> None:
        """Count those of one text; `key` names its row for people."""
        for one in cloudinary_urls.find(text):
            at = self._subjects.get(subject)
            if at is None:
                if len(self._subjects) >= SUBJECTS:
                    return
                at = self._subjects[subject] = _Subject()
            at.count += 1
            if len(at.examples) < EXAMPLES:
                at.examples.append(
                    f"{cloudinary_urls.shown(one.written)} → {cloudinary_urls.shown(one.repaired)}"
                )
            if key and len(at.keys) < EXAMPLES and key not in at.keys:
                at.keys.append(key)

    def decisions(self, chosen: Mapping[str, Mapping[str, str]]) -> list[Decision]:
        """A decision for each column or path that has any."""
        return [
            Decision(
                subject,
                CODE,
                f"{subject} holds Cloudinary addresses that were wrapped or doubled: "
                + "; ".join(at.examples)
                + ".",
                at.count,
                tuple(at.keys),
                (
                    Choice("repair", "the right address, where it answers; the text before is kept for undo"),
                    Choice("keep", "stays as it is; these links do not work"),
                ),
                chosen.get(subject, {}).get(CODE) if subject in chosen else None,
            )
            for subject, at in self._subjects.items()
        ]


class Repairs:
    """See every address that is to be repaired, `confirm`, then `change` texts."""

    def __init__(self, connection: sqlite3.Connection, reach: Reach) -> None:
        self._connection, self._reach = connection, reach
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS address (written TEXT PRIMARY KEY, repaired TEXT, place TEXT, "
            "state TEXT NOT NULL) WITHOUT ROWID"
        )
        connection.execute("DELETE FROM address WHERE state <> ?", (_CONFIRMED,))

    def see(self, place: str, text: str) -> None:
        """Note the addresses of a text; `place` is where it stands, for people."""
        for one in cloudinary_urls.find(text):
            self._connection.execute(
                "INSERT OR IGNORE INTO address VALUES (?, ?, ?, '')", (one.written, one.repaired, place)
            )

    def confirm(self, cancel: Cancel, progress: Callable[[int], None] = lambda count: None) -> None:
        """Ask for every address that was seen and not asked for yet. Raises Stopped."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while True:
                cancel.check()
                rows = self._connection.execute(
                    "SELECT written, repaired FROM address WHERE state = '' LIMIT ?", (_BATCH,)
                ).fetchall()
                if not rows:
                    return
                states = list(pool.map(self._state, rows))
                self._connection.execute("BEGIN")
                self._connection.executemany(
                    "UPDATE address SET state = ? WHERE written = ?",
                    [(state, written) for (written, _), state in zip(rows, states, strict=True)],
                )
                self._connection.execute("COMMIT")
                progress(len(rows))

    def _state(self, row: tuple[str, str]) -> str:
        written, repaired = row
        if Malformed(0, 0, written, repaired).doubled and not self._reach.why_not(written):
            return "the address as it stands answers, too"
        return self._reach.why_not(repaired) or _CONFIRMED

    def change(self, text: str) -> tuple[str, int]:
        """(new text, addresses repaired in it): those that a fetch confirmed."""
        if HOST not in text:
            return text, 0
        right = {}
        for one in cloudinary_urls.find(text):
            row = self._connection.execute(
                "SELECT repaired FROM address WHERE written = ? AND state = ?", (one.written, _CONFIRMED)
            ).fetchone()
            if row is not None:
                right[one.written] = str(row[0])
        return cloudinary_urls.replaced(text, right)

    def unconfirmed(self) -> tuple[int, list[tuple[str, str, str]]]:
        """How many addresses stay as they are, and (place, address, why) of the first."""
        where = "FROM address WHERE state NOT IN ('', ?)"
        count = self._connection.execute(f"SELECT count(*) {where}", (_CONFIRMED,)).fetchone()[0]
        rows = self._connection.execute(
            f"SELECT place, written, state {where} ORDER BY written LIMIT ?", (_CONFIRMED, EXAMPLES)
        )
        return int(count), [(p, cloudinary_urls.shown(w), s) for p, w, s in rows]


@contextmanager
def opened(path: Path, transport: httpx.BaseTransport | None) -> Iterator[Repairs]:
    """Repairs whose confirmations are kept at `path`. `transport` stands in for the network."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, Reach(transport) as reach:
        yield Repairs(connection, reach)
