"""Compare one table, every value of every row: merged by key where both sides can be read in one order,
as a multiset of row digests where not.

Whole batches are compared as bytes; only where they differ are rows, and then cells, looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from wizard.context import Cancel
from wizard.verifying import target_reader
from wizard.verifying.canonical import Form, Inexpressible, OrderKey, Value, escape, unescape
from wizard.verifying.differences import Difference, Tally, readable, shorten
from wizard.verifying.rewrites import is_rewrite
from wizard.verifying.scratch import Scratch, key_text
from wizard.verifying.source_reader import BATCH_BYTES, Orphans, Row, SourceTable, read_rows
from wizard.verifying.target_reader import Lines

Cells = Sequence[str]


class OrderDiffers(Exception):
    """The rows of one side do not come in the order of their keys: a merge would misjudge them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: a table, the columns both sides have (`forms`, in one order), and its key.

    `key` are positions in `forms`, empty where the table has no key; `expected` is the number of rows.
    """

    table: SourceTable
    schema: str
    forms: tuple[Form, ...]
    key: tuple[int, ...]
    orphans: Orphans
    expected: int

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def merges(self) -> bool:
        return bool(self.key) and all(self.forms[i].sortable for i in self.key)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a comparison works with. `progress` is told how many rows of the table are done."""

    source: sqlite3.Connection
    target: target_reader.Connection
    scratch: Scratch
    public_bases: tuple[str, ...]
    progress: Callable[[int], None]
    cancel: Cancel


def compare_table(subject: Subject, tools: Tools) -> Tally:
    """Compare one table. Raises sqlite3.Error, psycopg.Error, Stopped."""
    merged, lenient = subject.merges, False
    while True:
        tools.scratch.restart(subject.name)
        attempt = _Attempt(subject, tools, lenient)
        try:
            attempt.merge() if merged else attempt.match()
        except OrderDiffers:
            merged = False
        except sqlite3.OperationalError as error:
            if lenient or "decode" not in str(error):
                raise
            lenient = True
        else:
            attempt.unused_rewrites()
            return attempt.tally


class _Attempt:
    def __init__(self, subject: Subject, tools: Tools, lenient: bool) -> None:
        self.subject, self.tools, self.lenient = subject, tools, lenient
        self.tally = Tally()
        self._rewritten = tools.scratch.image_columns(subject.name)
        self._strict = False
        self._last_source: tuple[OrderKey, ...] | None = None
        self._last_target: tuple[OrderKey, ...] | None = None

    # Reading

    def _batches(self, ordered: bool) -> Iterator[tuple[list[Row], list[str]]]:
        """The source's rows with the lines expected for them, counted and shown as progress."""
        forms, key = self.subject.forms, self.subject.key
        columns = [f.target.name for f in forms]
        order = [columns[i] for i in key] if ordered else []
        for rows in read_rows(
            self.tools.source, self.subject.table, columns, order, self.subject.orphans, self.lenient
        ):
            self.tools.cancel.check()
            by_column = zip(*rows, strict=True)
            cells = [form.column(values) for form, values in zip(forms, by_column, strict=True)]
            yield rows, list(map("\t".join, zip(*cells, strict=True)))

    def _done(self, rows: int) -> None:
        self.tally.rows += rows
        self.tally.values += rows * len(self.subject.forms)
        self.tools.progress(self.tally.rows)

    # Merging by key

    def merge(self) -> None:
        """Walk both sides in the order of their keys. Raises OrderDiffers."""
        forms = self.subject.forms
        order = [forms[i] for i in self.subject.key]
        with target_reader.read_lines(
            self.tools.target, self.subject.schema, self.subject.name, forms, order
        ) as lines:
            for rows, expected in self._batches(ordered=True):
                whole = _encode("\n".join(expected) + "\n")
                # Looking ahead by bytes as well keeps memory bounded where the target holds far more.
                ahead = lines.look(len(rows), 2 * len(whole) + BATCH_BYTES)
                if not self._strict and b"".join(ahead) == whole:
                    lines.skip(len(rows))
                else:
                    for row, line in zip(rows, expected, strict=True):
                        self._place(row, _encode(line + "\n"), lines)
                self._done(len(rows))
            while (rest := lines.peek()) is not None:
                self.tools.cancel.check()
                lines.skip()
                self._extra(_split(rest))

    def _place(self, row: Row, expected: bytes, lines: Lines) -> None:
        """Find one source row's partner among the target's next lines."""
        key: tuple[OrderKey, ...] | None = None
        while True:
            line = lines.peek()
            if line == expected and not self._strict:
                lines.skip()
                return
            key = key or self._source_order(row)
            if line is None:
                self._lacking(row)
                return
            cells = _split(line)
            other = self._target_order(cells)
            if other == key:
                lines.skip()
                if line != expected:
                    self._cells(row, cells)
                return
            self._strict = True
            if key < other:
                self._lacking(row)
                return
            lines.skip()
            self._extra(cells)

    def _source_order(self, row: Row) -> tuple[OrderKey, ...]:
        try:
            texts = [self.subject.forms[i].expect(row[i]) for i in self.subject.key]
        except Inexpressible:
            raise OrderDiffers from None
        key = self._order(texts)
        if self._strict and self._last_source is not None and key <= self._last_source:
            raise OrderDiffers
        self._last_source = key
        return key

    def _target_order(self, cells: Cells) -> tuple[OrderKey, ...]:
        key = self._order([unescape(cells[i]) for i in self.subject.key])
        if self._strict and self._last_target is not None and key < self._last_target:
            raise OrderDiffers
        self._last_target = key
        return key

    def _order(self, texts: Sequence[str | None]) -> tuple[OrderKey, ...]:
        if None in texts:
            raise OrderDiffers
        forms = (self.subject.forms[i] for i in self.subject.key)
        return tuple(form.order(text or "") for form, text in zip(forms, texts, strict=True))

    # Matching as multisets

    def match(self) -> None:
        """Count digests of both sides in the scratch file, then name the rows that are uneven."""
        scratch = self.tools.scratch
        for rows, expected in self._batches(ordered=False):
            scratch.count("source", [self._digest(line.split("\t")) for line in expected])
            self._done(len(rows))
        with self._target_rows() as lines:
            while ahead := self._some(lines):
                scratch.count("target", [self._digest(_split(line)) for line in ahead])
        if scratch.uneven():
            self._name_by_key() if self.subject.key else self._name_rows()

    def _target_rows(self):  # type: ignore[no-untyped-def]
        return target_reader.read_lines(
            self.tools.target, self.subject.schema, self.subject.name, self.subject.forms, ()
        )

    def _some(self, lines: Lines) -> list[bytes]:
        self.tools.cancel.check()
        taken: list[bytes] = []
        held = 0
        while held < BATCH_BYTES and len(taken) < 2000 and (line := lines.peek()) is not None:
            lines.skip()
            taken.append(line)
            held += len(line)
        return taken

    def _digest(self, cells: Cells) -> bytes:
        parts = [c if f.plain else _normal(f, c) for f, c in zip(self.subject.forms, cells, strict=True)]
        return blake2b(_encode("\t".join(parts)), digest_size=20).digest()

    def _name_by_key(self) -> None:
        scratch = self.tools.scratch
        with self._target_rows() as lines:
            for line in iter(lambda: next(iter(self._one(lines)), None), None):
                cells = _split(line)
                source, target = scratch.times(self._digest(cells))
                if source != target:
                    scratch.keep_line(self._target_key(cells), line)
        for rows, expected in self._batches_again():
            for row, text in zip(rows, expected, strict=True):
                source, target = scratch.times(self._digest(text.split("\t")))
                if source != target:
                    line = scratch.take_line(self._source_key(row))
                    self._lacking(row) if line is None else self._cells(row, _split(line))
        for _, line in scratch.lines():
            self._extra(_split(line))

    def _name_rows(self) -> None:
        scratch = self.tools.scratch
        for _, expected in self._batches_again():
            for text in expected:
                digest = self._digest(text.split("\t"))
                source, target = scratch.times(digest)
                if source > target:
                    self._uneven("missing", text, source, target)
                    scratch.settle(digest)
        with self._target_rows() as lines:
            for line in iter(lambda: next(iter(self._one(lines)), None), None):
                cells = _split(line)
                digest = self._digest(cells)
                source, target = scratch.times(digest)
                if target > source:
                    self._uneven("doubled" if source else "extra", "\t".join(cells), source, target)
                    scratch.settle(digest)

    def _one(self, lines: Lines) -> list[bytes]:
        return []

    def _batches_again(self) -> Iterator[tuple[list[Row], list[str]]]:
        return self._batches(ordered=False)
