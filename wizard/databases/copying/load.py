"""Loads one table: chunk by chunk, each with its row of `ashore.progress` in the same transaction.

What stands in `ashore.progress` decides where to go on, after a kill as after a lost connection: a
COMMIT whose outcome is unknown is decided by reading it again.
"""

from __future__ import annotations

import marshal
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql

from wizard.databases.copying.chunks import CHUNK_BYTES, Key, Reading, decode_key, encode_key
from wizard.databases.copying.inexact import Inexact
from wizard.databases.copying.types import Coercer
from wizard.databases.postgres.connect import is_lost, translate
from wizard.databases.postgres.record import forget_images
from wizard.databases.postgres.seeds import clear_seed, forget_seed
from wizard.databases.postgres.target import Target
from wizard.errors import StepFailed, UsageError

ROWS_BETWEEN_CHECKS = 1024
LOSSES_WITHOUT_PROGRESS = 3


@dataclass(frozen=True, slots=True)
class Recorded:
    """A chunk as it stands in `ashore.progress`: low < key <= high, None an open end."""

    number: int
    low: Key | None
    high: Key | None
    rows: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What one pass over a range saw."""

    rows: int
    last: Key | None
    exhausted: bool
    digest: bytes


class TableLoad:
    """The load of one table. `coercers` are (place in the columns, function) for the columns that need one.

    `range_delete` tells that the key is an integer column of the target, so that a range of rows can be
    replaced. `seen(rows)` is called with the table's rows read by now; `check` raises where the run
    shall stop.
    """

    def __init__(
        self,
        target: Target,
        source: sqlite3.Connection,
        reading: Reading,
        coercers: Sequence[tuple[int, Coercer]],
        range_delete: bool,
        check: Callable[[], None],
        seen: Callable[[int], None],
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._target = target
        self._source = source
        self._reading = reading
        self._coercers = tuple(coercers)
        self._range_delete = range_delete
        self._check = check
        self._seen = seen
        self._chunk_bytes = chunk_bytes
        self._table = reading.table.name
        self._committed = 0
        self._range: tuple[Key | None, Key | None] = (None, None)
        self._copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
            target.table(self._table), sql.SQL(", ").join(map(sql.Identifier, reading.columns))
        )

    def recorded(self) -> list[Recorded]:
        """The chunks that the target says were loaded, in order."""
        rows = self._target.connection.execute(
            "SELECT chunk, low, high, rows, digest FROM ashore.progress WHERE run = %s AND table_name = %s "
            "ORDER BY chunk",
            (self._target.run, self._table),
        ).fetchall()
        return [Recorded(n, decode_key(low), decode_key(high), r, bytes(d)) for n, low, high, r, d in rows]

    def load(self) -> int:
        """Load what is missing; returns the table's rows in all. Does nothing where all is there."""
        return self._persistently(self._load_rest)

    def reconcile(self) -> int:
        """For an adopted record: compare every recorded chunk with the source, reload what differs.

        Returns how many chunks were loaded again (a whole table counts as one).
        """
        return self._persistently(self._reload_different)

    def _persistently(self, work: Callable[[], int]) -> int:
        losses, before = 0, -1
        while True:
            try:
                return work()
            except psycopg.Error as error:
                if not is_lost(error, self._target.connection):
                    raise self._rejected(error) from error
                lost = error
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                    raise  # its scratch space is: the runner says so
                raise StepFailed(
                    "snapshot-unreadable",
                    f"The snapshot's table {self._table} cannot be read: {error}.",
                    "Check the disk that holds the state folder, then start a new run.",
                ) from error
            self._target.reopen()
            done = len(self.recorded())
            losses = losses + 1 if done <= before else 1
            before = done
            if losses >= LOSSES_WITHOUT_PROGRESS:
                raise translate(lost) from lost

    def _load_rest(self) -> int:
        recorded = self.recorded()
        rows = self._committed = sum(chunk.rows for chunk in recorded)
        number, low = len(recorded), recorded[-1].high if recorded else None
        if recorded and low is None:
            return rows
        while True:
            self._check()
            read = self._load_chunk(number, low)
            rows = self._committed = rows + read.rows
            self._seen(rows)
            if read.exhausted:
                return rows
            number, low = number + 1, read.last

    def _load_chunk(self, number: int, low: Key | None) -> Read:
        with self._target.transaction() as cursor:
            cursor.execute(
                "INSERT INTO ashore.progress (run, table_name, chunk, low, rows, epoch) "
                "VALUES (%s, %s, %s, %s, 0, %s)",
                (self._target.run, self._table, number, encode_key(low), self._target.epoch),
            )
            if number == 0:
                clear_seed(cursor, self._target, self._table)
            read = self._stream(cursor, low, None, self._chunk_bytes)
            cursor.execute(
                "UPDATE ashore.progress SET high = %s, rows = %s, digest = %s "
                "WHERE run = %s AND table_name = %s AND chunk = %s",
                (
                    None if read.exhausted else encode_key(read.last),
                    read.rows,
                    read.digest,
                    self._target.run,
                    self._table,
                    number,
                ),
            )
        return read

    def stream(self, cursor: psycopg.Cursor) -> Read:
        """Copy all rows of the reading within the caller's transaction, outside `ashore.progress`."""
        return self._stream(cursor, None, None, None)

    def _stream(self, cursor: psycopg.Cursor, low: Key | None, high: Key | None, limit: int | None) -> Read:
        self._range = (low, high)
        with cursor.copy(self._copy) as copy:
            return self._pass(low, high, limit, copy.write_row)

    def _pass(
        self, low: Key | None, high: Key | None, limit: int | None, write: Callable[[Any], None] | None
    ) -> Read:
        """One pass over a range: digest every raw row, carry it, and stop at `limit` bytes. Without `write`,
        only the digest is made. One row is held at a time."""
        reading, coercers = self._reading, self._coercers
        digest = reading.digest()
        update, dumps, hidden = digest.update, marshal.dumps, reading.hidden
        size = count = reported = 0
        row: Any = None
        exhausted = True
        for row in reading.rows(self._source, low, high):
            count += 1
            values = row[1:] if hidden else row
            raw = dumps(values, 2)
            update(raw)
            size += len(raw)
            if write is not None:
                if coercers:
                    values = list(values)
                    for place, carry in coercers:
                        value = values[place]
                        if value is not None:
                            try:
                                values[place] = carry(value)
                            except Inexact as error:
                                raise self._undecided(error, place, reading.key_of(row)) from error
                write(values)
            if count - reported >= ROWS_BETWEEN_CHECKS:
                self._check()
                if write is not None:
                    self._seen(self._committed + count)
                reported = count
            if limit is not None and size >= limit:
                exhausted = False
                break
        return Read(count, None if row is None else reading.key_of(row), exhausted, digest.digest())

    def _reload_different(self) -> int:
        different = []
        for chunk in self.recorded():
            self._check()
            read = self._pass(chunk.low, chunk.high, None, None)
            if read.digest != chunk.digest or read.rows != chunk.rows:
                different.append(chunk)
        if different and not self._range_delete:
            self._forget()
            return 1
        for chunk in different:
            self._check()
            self._replace(chunk)
        return len(different)

    def _replace(self, chunk: Recorded) -> None:
        key = sql.Identifier(self._reading.key[0])
        conditions: list[sql.Composable] = [sql.SQL("true")]
        if chunk.low is not None:
            conditions.append(sql.SQL("{} > {}").format(key, sql.Literal(chunk.low[0])))
        if chunk.high is not None:
            conditions.append(sql.SQL("{} <= {}").format(key, sql.Literal(chunk.high[0])))
        with self._target.transaction() as cursor:
            self._delete(cursor, sql.SQL(" AND ").join(conditions), chunk.rows)
            self._forget_images(cursor, chunk)
            read = self._stream(cursor, chunk.low, chunk.high, None)
            cursor.execute(
                "UPDATE ashore.progress SET rows = %s, digest = %s, epoch = %s "
                "WHERE run = %s AND table_name = %s AND chunk = %s",
                (read.rows, read.digest, self._target.epoch, self._target.run, self._table, chunk.number),
            )

    def _forget_images(self, cursor: psycopg.Cursor, chunk: Recorded) -> None:
        """Rows loaded again hold the source's text: what a rewrite noted of the old ones goes with them."""
        cursor.execute(
            "DELETE FROM ashore.before_image WHERE run = %s AND table_name = %s "
            "AND (%s::numeric IS NULL OR (key::jsonb ->> 0)::numeric > %s) "
            "AND (%s::numeric IS NULL OR (key::jsonb ->> 0)::numeric <= %s)",
            (self._target.run, self._table, *(2 * (chunk.low or (None,))), *(2 * (chunk.high or (None,)))),
        )

    def _delete(self, cursor: psycopg.Cursor, condition: sql.Composable, expected: int) -> None:
        """Delete rows that this run wrote. Another number of them means that someone else wrote too."""
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(self._target.table(self._table), condition)
        if cursor.execute(statement).rowcount != expected:
            raise UsageError(
                "target-changed",
                f"Rows of the target's table {self._table} were added or removed since ashore loaded it. "
                "They were left as they are.",
                "If the app already uses this database, the move is done; else use an empty database.",
            )

    def _forget(self) -> None:
        """Empty the table that this run filled, and its progress: `load` then begins anew."""
        loaded = sum(chunk.rows for chunk in self.recorded())
        with self._target.transaction() as cursor:
            self._delete(cursor, sql.SQL("true"), loaded)
            forget_images(cursor, self._target.run, self._table)
            cursor.execute(
                "DELETE FROM ashore.progress WHERE run = %s AND table_name = %s",
                (self._target.run, self._table),
            )
            forget_seed(cursor, self._target, self._table)

    def _key_at(self, line: int) -> Key | None:
        """The key of the row that COPY counted as `line` of the pass that failed."""
        low, high = self._range
        row = next(islice(self._reading.rows(self._source, low, high), line - 1, line), None)
        return None if row is None else self._reading.key_of(row)

    def _undecided(self, error: Inexact, place: int, key: Key) -> StepFailed:
        column = self._reading.columns[place]
        return StepFailed(
            "value-not-exact",
            f"{self._table}.{column}, key {', '.join(map(str, key))}: {error.reason}. "
            "This part was not written.",
            f"Decide {error.code} for {self._table}.{column} in the answers, then start a new run.",
        )

    def _rejected(self, error: psycopg.Error) -> Exception:
        """The server's refusal of a row: table, column and key, without its values."""
        context = error.diag.context or ""
        match = re.search(r"COPY .*?, line (\d+)(?:, column ([^:]+))?", context)
        if match is None and not isinstance(error, psycopg.IntegrityError | psycopg.DataError):
            return translate(error)
        key = self._key_at(int(match.group(1))) if match else None
        where = f", key {', '.join(map(str, key))}" if key is not None else ""
        column = f".{match.group(2)}" if match and match.group(2) else ""
        return StepFailed(
            "row-refused",
            f"The database refused a row of {self._table}{column}{where}: {error.diag.message_primary}. "
            "This chunk was not written.",
            "Repair that row at the source, then start a new run.",
        )
