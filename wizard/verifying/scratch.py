"""A throw-away SQLite file beside the run, so that what grows with the data grows on disk.

It holds the run's before-images, digests of rows where the two sides cannot be read in one order, and
the lines of rows that found no partner.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from wizard.verifying.target_reader import Connection

_TABLES = """
CREATE TABLE image (
    tbl TEXT, col TEXT, key TEXT, before TEXT, after TEXT, used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tbl, key, col)
) WITHOUT ROWID;
CREATE TABLE seen (digest BLOB PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE unmatched (id INTEGER PRIMARY KEY, key TEXT NOT NULL, line BLOB NOT NULL);
CREATE INDEX unmatched_key ON unmatched (key);
"""


def key_text(values: Iterable[str | None]) -> str:
    """A row's key as ashore.before_image holds it: a JSON array of texts, always written the same way."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


class Scratch:
    """The scratch file of one comparison."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def load_images(self, connection: Connection, run: str) -> None:
        """Copy the run's before-images from the target, where it has any."""
        row = connection.execute("SELECT to_regclass('ashore.before_image')").fetchone()
        if row is None or row[0] is None:
            return
        query = sql.SQL(
            "COPY (SELECT table_name, column_name, key, before, after FROM ashore.before_image "
            "WHERE run = {}) TO STDOUT"
        ).format(sql.Literal(run))
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            self._db.executemany(
                "INSERT INTO image (tbl, col, key, before, after) VALUES (?, ?, ?, ?, ?)",
                ((t, c, _same_key(k), before, after) for t, c, k, before, after in copy.rows()),
            )

    def image_columns(self, table: str) -> frozenset[str]:
        """The columns of a table in which the run rewrote something."""
        return frozenset(
            c for (c,) in self._db.execute("SELECT DISTINCT col FROM image WHERE tbl = ?", (table,))
        )

    def image(self, table: str, column: str, key: str) -> tuple[str | None, str | None] | None:
        """(before, after) of a rewritten value, which then counts as used; None where there is none."""
        where = (table, column, key)
        row = self._db.execute(
            "SELECT before, after FROM image WHERE tbl = ? AND col = ? AND key = ?", where
        ).fetchone()
        if row is not None:
            self._db.execute("UPDATE image SET used = 1 WHERE tbl = ? AND col = ? AND key = ?", where)
        return None if row is None else (row[0], row[1])

    def unused_images(self, table: str) -> Iterator[tuple[str, str, str | None, str | None]]:
        """(column, key, before, after) of rewrites that no compared row showed."""
        yield from self._db.execute(
            "SELECT col, key, before, after FROM image WHERE tbl = ? AND NOT used AND before IS NOT after",
            (table,),
        )

    def image_tables(self) -> tuple[str, ...]:
        return tuple(t for (t,) in self._db.execute("SELECT DISTINCT tbl FROM image ORDER BY tbl"))

    def restart(self, table: str) -> None:
        """Forget what an earlier attempt at this table left."""
        self._db.execute("UPDATE image SET used = 0 WHERE tbl = ?", (table,))
        self._db.execute("DELETE FROM seen")
        self._db.execute("DELETE FROM unmatched")

    def count(self, side: str, digests: Iterable[bytes]) -> None:
        """Count rows of one side ("source" or "target") by their digest."""
        self._db.execute("BEGIN")
        first = "1, 0" if side == "source" else "0, 1"
        self._db.executemany(
            f"INSERT INTO seen VALUES (?, {first}) ON CONFLICT (digest) DO UPDATE SET {side} = {side} + 1",
            ((d,) for d in digests),
        )
        self._db.execute("COMMIT")

    def uneven(self) -> bool:
        """Whether any row stands more often on one side than on the other."""
        return self._db.execute("SELECT 1 FROM seen WHERE source <> target LIMIT 1").fetchone() is not None

    def times(self, digest: bytes) -> tuple[int, int]:
        """How often a row stands in the source and in the target."""
        row = self._db.execute("SELECT source, target FROM seen WHERE digest = ?", (digest,)).fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    def settle(self, digest: bytes) -> None:
        """Count a row as even from now on: its difference has been named."""
        self._db.execute("UPDATE seen SET source = 0, target = 0 WHERE digest = ?", (digest,))

    def keep_line(self, key: str, line: bytes) -> None:
        """Remember a target row that may belong to a source row of the same key."""
        self._db.execute("INSERT INTO unmatched (key, line) VALUES (?, ?)", (key, line))

    def take_line(self, key: str) -> bytes | None:
        """A remembered row of that key, which is then forgotten."""
        row = self._db.execute("SELECT id, line FROM unmatched WHERE key = ? LIMIT 1", (key,)).fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM unmatched WHERE id = ?", (row[0],))
        line: bytes = row[1]
        return line

    def lines(self) -> Iterator[bytes]:
        """The rows still remembered."""
        for (line,) in self._db.execute("SELECT line FROM unmatched ORDER BY id"):
            yield line


def _same_key(text: str) -> str:
    """The key as `key_text` writes it, whatever blanks and escapes the writer used."""
    try:
        values = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return text
    return key_text(values) if isinstance(values, list) else text


@contextmanager
def open_scratch(folder: Path) -> Iterator[Scratch]:
    """A fresh scratch file in `folder`, removed at the end. A leftover of a killed process is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "verify-scratch.sqlite3"
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(_TABLES)
        yield Scratch(db)
    finally:
        db.close()
        path.unlink(missing_ok=True)
