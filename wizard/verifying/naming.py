"""What every way of comparing shares: reading both sides of one table, and naming what differs."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from wizard.context import Cancel
from wizard.verifying import target_reader
from wizard.verifying.canonical import Form, Inexpressible, Value, unescape
from wizard.verifying.differences import Difference, Kind, Tally, readable, shorten
from wizard.verifying.rewrites import is_rewrite
from wizard.verifying.scratch import Scratch, key_text
from wizard.verifying.source_reader import Orphans, Row, SourceTable, read_rows
from wizard.verifying.target_reader import Lines

Cells = Sequence[str]
REASONS = {
    "nul_bytes": "the text holds a NUL character, which PostgreSQL cannot",
    "invalid_utf8": "the text is not valid UTF-8",
    "beyond_scale": "the value has more digits than the column keeps",
    "too_long": "the text is longer than the column",
    "wrong_type": "the value is not of the column's type",
    "out_of_range": "the value is outside the column's range",
    "ambiguous_time": "clocks in the app's time zone showed this time twice",
    "nonexistent_time": "clocks in the app's time zone skipped this time",
    "json_duplicate_keys": "the JSON object repeats a name",
    "json_nul": "the JSON text holds a NUL character",
    "json_surrogates": "the JSON text holds half of a surrogate pair",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: a table, the columns both sides have (`forms`, in one order), and its key.

    `key` are positions in `forms`, empty where the table has no key.
    """

    table: SourceTable
    schema: str
    forms: tuple[Form, ...]
    key: tuple[int, ...]
    orphans: Orphans

    @property
    def name(self) -> str:
        return self.table.name


@dataclass(frozen=True, slots=True)
class Tools:
    """What a comparison works with. `progress` is told how many rows of the table are done.

    `public_bases` are the public addresses, with prefix, under which stored files are read.
    """

    source: sqlite3.Connection
    target: target_reader.Connection
    scratch: Scratch
    public_bases: tuple[str, ...]
    progress: Callable[[int], None]
    cancel: Cancel


def split(line: bytes) -> list[str]:
    """The escaped cells of one COPY line."""
    return line[:-1].decode("utf-8").split("\t")


def encode(text: str) -> bytes:
    """`text` as the server would send it; bytes that are not UTF-8 come out as they were."""
    return text.encode("utf-8", "surrogateescape")


class Comparison(ABC):
    """One attempt at one table. `lenient` reads text that is not UTF-8 (see source_reader)."""

    def __init__(self, subject: Subject, tools: Tools, lenient: bool) -> None:
        self.subject, self.tools, self.lenient = subject, tools, lenient
        self.tally = Tally()
        self._rewritten = tools.scratch.image_columns(subject.name)

    @abstractmethod
    def run(self) -> None:
        """Compare all rows, and count what was compared and what differs in `tally`."""

    # Reading

    def batches(self, order: bool = False) -> Iterator[tuple[list[Row], list[str]]]:
        """The source's rows, each with the COPY line (without newline) that is expected for it."""
        forms = self.subject.forms
        columns = [f.target.name for f in forms]
        for rows in read_rows(
            self.tools.source, self.subject.table, columns,
            [columns[i] for i in self.subject.key] if order else [], self.subject.orphans, self.lenient,
        ):  # fmt: skip
            self.tools.cancel.check()
            yield rows, self._expected(rows)
            del rows  # a batch may be one row of hundreds of megabytes: never hold two

    def _expected(self, rows: Sequence[Row]) -> list[str]:
        by_column = zip(*rows, strict=True)
        cells = [form.column(values) for form, values in zip(self.subject.forms, by_column, strict=True)]
        return list(map("\t".join, zip(*cells, strict=True)))

    def target_lines(self, order: bool = False) -> AbstractContextManager[Lines]:
        """The target's rows."""
        forms = self.subject.forms
        return target_reader.read_lines(
            self.tools.target, self.subject.schema, self.subject.name, forms,
            [forms[i] for i in self.subject.key] if order else [],
        )  # fmt: skip

    def done(self, rows: int) -> None:
        """`rows` more of the source are compared."""
        self.tally.rows += rows
        self.tally.values += rows * len(self.subject.forms)
        self.tools.progress(self.tally.rows)

    # Naming

    def _text(self, position: int, value: Value) -> str | None:
        """A source value for people: what is expected, or where that cannot be, what the source holds."""
        try:
            return self.subject.forms[position].expect(value)
        except Inexpressible:
            if isinstance(value, bytes):
                return "\\x" + value.hex()
            return value if isinstance(value, str) else repr(value)

    def source_key(self, row: Row) -> str:
        return key_text(self._text(i, row[i]) for i in self.subject.key) if self.subject.key else ""

    def target_key(self, cells: Cells) -> str:
        return key_text(unescape(cells[i]) for i in self.subject.key) if self.subject.key else ""

    def _row(self, texts: Sequence[str | None]) -> str:
        return key_text(texts)

    def lacking(self, row: Row, detail: str = "", count: int = 1) -> None:
        """A row of the source that is not in the target."""
        shown, _ = shorten(self._row([self._text(i, v) for i, v in enumerate(row)]), None)
        key = self.source_key(row)
        self.tally.add(
            Difference("missing", self.subject.name, readable(key), None, shown, None, detail), count
        )

    def surplus(self, cells: Cells, doubled: bool = False, detail: str = "", count: int = 1) -> None:
        """A row of the target that is not in the source, or not as often."""
        _, shown = shorten(None, self._row([unescape(c) for c in cells]))
        kind: Kind = "doubled" if doubled else "extra"
        key = self.target_key(cells)
        self.tally.add(Difference(kind, self.subject.name, key, None, None, shown, detail), count)

    def cells(self, row: Row, cells: Cells) -> None:
        """Compare the cells of two rows of one key, and name the columns that differ."""
        key = self.source_key(row)
        for position, (form, value, cell) in enumerate(zip(self.subject.forms, row, cells, strict=True)):
            actual = unescape(cell)
            column = form.target.name
            if column in self._rewritten:
                image = self.tools.scratch.image(self.subject.name, column, key)
                if image is not None:
                    self._rewrite(form, key, value, image, actual)
                    continue
            try:
                expected = form.expect(value)
                reason = ""
            except Inexpressible as error:
                expected, reason = None, REASONS[error.code]
            if not reason:
                if expected is None or actual is None:
                    if expected is actual:
                        continue
                elif form.same(value, expected, actual):
                    continue
            left, right = shorten(self._text(position, value), actual)
            self._value("value", key, column, left, right, reason)

    def _rewrite(
        self, form: Form, key: str, value: Value, image: tuple[str | None, str | None], actual: str | None
    ) -> None:
        """A value with a before-image: before = source, target = after, after = a rewrite of before."""
        before, after = image
        try:
            expected = form.expect(value)
        except Inexpressible:
            expected = None
        if expected is None or before is None or not form.same(value, expected, before):
            left, right = shorten(expected, before)
            detail = "the value recorded before the rewrite is not the source's"
        elif after is None or actual is None or not form.same(after, after, actual):
            left, right = shorten(after, actual)
            detail = "the value is not what the rewrite of references recorded"
        elif before != after and not is_rewrite(before, after, self.tools.public_bases):
            left, right = shorten(before, after)
            detail = "more than links to stored files was changed"
        else:
            return
        self._value("rewrite", key, form.target.name, left, right, detail)

    def unused_rewrites(self) -> None:
        """Name the recorded rewrites that the target does not show."""
        for column, key, before, after in self.tools.scratch.unused_images(self.subject.name):
            left, right = shorten(after, before)
            detail = "a recorded rewrite of references is not in the target"
            self._value("rewrite", key, column, left, right, detail)

    def _value(
        self, kind: Kind, key: str, column: str, left: str | None, right: str | None, detail: str
    ) -> None:
        self.tally.add(Difference(kind, self.subject.name, readable(key), column, left, right, detail))
