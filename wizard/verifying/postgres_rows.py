"""Compare a dump with a PostgreSQL target: every value of every row, as both servers print it.

The dump's files are read here by verification's own reader, which checks each against its digest, and the
target's rows come as `COPY … TO` prints them. Rows are joined by primary key, or as multisets without one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from wizard.context import Cancel
from wizard.errors import ConnectionLost, NotAsPlanned
from wizard.events import Event
from wizard.sources.progress import Meter
from wizard.verifying.array_rewrites import is_text_rewrite
from wizard.verifying.canonical import unescape
from wizard.verifying.differences import Difference, Kind, Tally, readable, shorten
from wizard.verifying.postgres_facts import fact_differences
from wizard.verifying.scratch import Scratch, key_text, open_scratch
from wizard.verifying.target_reader import Connection, prepare

_AT_ONCE = 500
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class DumpComparison:
    """What was compared and what differed. `differences` holds the first 1000, `total` counts all."""

    tables: int
    rows: int
    values: int
    differences: tuple[Difference, ...]
    total: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    collated: tuple[bool, ...]
    files: tuple[tuple[Path, str], ...]
    rows: int

    @property
    def label(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


def compare_dump(
    folder: Path,
    connection: Connection,
    *,
    run: str | None,
    scratch: Path,
    emit: Callable[[Event], None],
    cancel: Cancel,
    public_bases: Sequence[str] = (),
    left: Collection[str] = (),
    schema_stands: bool = True,
) -> DumpComparison:
    """Compare the dump in `folder` with the database behind `connection`. Writes nothing but scratch files.

    `run` names the run whose before-images count, `public_bases` what rewritten references may begin with,
    `left` the names of objects that an answer left behind. Raises NotAsPlanned `snapshot-changed`,
    ConnectionLost, Stopped.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        with open_scratch(scratch) as store:
            prepare(connection, "UTC")
            for name, value in (("lc_monetary", "C"), ("search_path", ""), ("row_security", "off")):
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            if run is not None:
                store.load_images(connection, run)
            tally, notes = Tally(), []
            tables = [_table(folder, t) for t in manifest["tables"]]
            for table in tables:
                cancel.check()
                tally.absorb(_Comparison(table, connection, store, public_bases, emit, cancel).run())
            labels = {t.label for t in tables}
            for name in store.image_tables():
                if name not in labels:
                    detail = "rewrites of references are recorded for a table that is not compared"
                    tally.add(Difference("rewrite", name, detail=detail))
            if schema_stands:
                for difference in fact_differences(connection, manifest["about"], left):
                    tally.add(difference)
            if manifest["about"]["materialized"]:
                notes.append("Materialized views were made anew from the rows that were compared.")
    except psycopg.OperationalError as error:
        raise ConnectionLost(
            "connection-lost",
            f"The target database went away while it was compared: {str(error).strip()}.",
            "Nothing was written by the comparison. `ashore resume` compares again.",
        ) from error
    return DumpComparison(len(tables), tally.rows, tally.values, tuple(tally.kept), tally.total, tuple(notes))


def _table(folder: Path, told: Mapping[str, Any]) -> _Table:
    columns = (*told["columns"], *told["computed"])
    return _Table(
        told["schema"],
        told["name"],
        columns,
        tuple(columns.index(c) for c in told["key"]),
        tuple(told["collated"]),
        tuple((folder / c["file"], c["sha256"]) for c in told["chunks"]),
        sum(c["rows"] for c in told["chunks"]),
    )


class _Comparison:
    """One table: streams that are equal line by line are done; else rows are joined by a scratch file."""

    def __init__(
        self,
        table: _Table,
        connection: Connection,
        scratch: Scratch,
        public_bases: Sequence[str],
        emit: Callable[[Event], None],
        cancel: Cancel,
    ) -> None:
        self.table, self.connection, self.scratch = table, connection, scratch
        self.public_bases, self.cancel = public_bases, cancel
        self.tally = Tally()
        self.rewritten = scratch.image_columns(table.label)
        self.meter = Meter(emit, "verify", table.label, "rows", table.rows)

    def run(self) -> Tally:
        self.tally.rows = self.table.rows
        self.tally.values = self.table.rows * len(self.table.columns)
        if not self._there():
            detail = (
                f"the target has no such table or not its columns; the source's holds {self.table.rows} rows"
            )
            self.tally.add(Difference("table", self.table.label, detail=detail))
        elif not self._equal():
            self.scratch.restart(self.table.label)
            self._join()
        self.meter.at(self.table.rows)
        self.meter.close()
        for column, key, before, after in self.scratch.unused_images(self.table.label):
            left, right = shorten(after, before)
            detail = "a recorded rewrite of references is not in the target"
            self._value("rewrite", key, column, left, right, detail)
        return self.tally

    def _there(self) -> bool:
        rows = self.connection.execute(
            "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s "
            "AND a.attnum > 0 AND NOT a.attisdropped",
            (self.table.schema, self.table.name),
        ).fetchall()
        return set(self.table.columns) == {str(name) for (name,) in rows}

    def _source(self) -> Iterator[bytes]:
        for path, sha256 in self.table.files:
            self.cancel.check()
            digest = hashlib.sha256()
            try:
                with path.open("rb") as file:
                    for line in file:
                        digest.update(line)
                        yield line
            except OSError as error:
                raise _changed(path) from error
            if digest.hexdigest() != sha256:
                raise _changed(path)

    @contextmanager
    def _target(self, order: bool) -> Iterator[Iterator[bytes]]:
        """The target's lines."""
        names = list(map(sql.Identifier, self.table.columns))
        keys = [
            sql.SQL('{} COLLATE "C"' if collated else "{}").format(names[place])
            for place, collated in zip(self.table.key, self.table.collated, strict=True)
        ]
        on = sql.Identifier(self.table.schema, self.table.name)
        query = sql.SQL("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT").format(
            sql.SQL(", ").join(names),
            on,
            sql.SQL(" ORDER BY ") + sql.SQL(", ").join(keys) if order and keys else sql.SQL(""),
        )
        with self.connection.cursor() as cursor, cursor.copy(query) as copy:
            yield map(bytes, copy)
            while copy.read():
                pass

    def _equal(self) -> bool:
        """Whether both sides print the same lines in the same order."""
        if not self.table.key:
            return False
        with self._target(order=True) as lines:
            for number, (ours, theirs) in enumerate(zip_longest(self._source(), lines)):
                if ours != theirs:
                    return False
                if number % 5000 == 0:
                    self.cancel.check()
                    self.meter.at(number)
        return True

    def _join(self) -> None:
        """Count rows by digest on both sides, then name those that stand more often on one."""
        self._count("source", self._source())
        with self._target(order=False) as lines:
            self._count("target", lines)
        if not self.scratch.uneven():
            return
        with self._target(order=False) as lines:
            for line in lines:
                source, target = self.scratch.times(_digest(line))
                if source != target:
                    self.scratch.keep_line(self._key(line), line)
        for line in self._source():
            digest = _digest(line)
            source, target = self.scratch.times(digest)
            if source == target:
                continue
            if self.table.key:
                partner = self.scratch.take_line(self._key(line))
                if partner is None:
                    self._row("missing", line)
                else:
                    self._cells(line, partner)
            elif source > target:
                detail = f"{source} times in the source, {target} times in the target"
                self._row("missing", line, detail, source - target)
                self.scratch.settle(digest)
        for line in self.scratch.lines():
            source, target = self.scratch.times(_digest(line))
            if self.table.key:
                self._row("doubled" if source else "extra", line)
            elif target > source:
                detail = f"{source} times in the source, {target} times in the target"
                self._row("doubled" if source else "extra", line, detail, target - source)
                self.scratch.settle(_digest(line))

    def _count(self, side: str, lines: Iterator[bytes]) -> None:
        batch: list[bytes] = []
        for line in lines:
            batch.append(_digest(line))
            if len(batch) >= _AT_ONCE:
                self.cancel.check()
                self.scratch.count(side, batch)
                batch.clear()
        self.scratch.count(side, batch)

    def _key(self, line: bytes) -> str:
        cells = _cells(line)
        return key_text(unescape(cells[place]) for place in self.table.key) if self.table.key else ""

    def _row(self, kind: Kind, line: bytes, detail: str = "", count: int = 1) -> None:
        whole = key_text(unescape(cell) for cell in _cells(line))
        source, target = shorten(whole, None) if kind == "missing" else shorten(None, whole)
        key = readable(self._key(line))
        self.tally.add(Difference(kind, self.table.label, key, None, source, target, detail), count)

    def _cells(self, ours: bytes, theirs: bytes) -> None:
        key = self._key(ours)
        for column, one, other in zip(self.table.columns, _cells(ours), _cells(theirs), strict=True):
            expected, actual = unescape(one), unescape(other)
            if column in self.rewritten:
                image = self.scratch.image(self.table.label, column, key)
                if image is not None:
                    self._rewrite(key, column, expected, image, actual)
                    continue
            if expected != actual:
                self._value("value", key, column, *shorten(expected, actual), "")

    def _rewrite(
        self, key: str, column: str, source: str | None, image: tuple[str | None, str | None], now: str | None
    ) -> None:
        before, after = image
        if before != source:
            left, right = shorten(source, before)
            detail = "the value recorded before the rewrite is not the source's"
        elif after != now:
            left, right = shorten(after, now)
            detail = "the value is not what the rewrite of references recorded"
        elif before is None or after is None or not is_text_rewrite(before, after, self.public_bases):
            left, right = shorten(before, after)
            detail = "more than links to stored files was changed"
        else:
            return
        self._value("rewrite", key, column, left, right, detail)

    def _value(
        self, kind: Kind, key: str, column: str, left: str | None, right: str | None, detail: str
    ) -> None:
        self.tally.add(Difference(kind, self.table.label, readable(key), column, left, right, detail))


def _cells(line: bytes) -> list[str]:
    return line.rstrip(b"\n").decode("utf-8").split("\t")


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=20).digest()


def _changed(path: Path) -> NotAsPlanned:
    return NotAsPlanned(
        "snapshot-changed",
        f"The snapshot's file {path.name} is not the one this run took.",
        "Start anew with `ashore run`; what stands in the target is compared and taken over.",
    )
