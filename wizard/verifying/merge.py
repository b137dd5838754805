"""Compare by walking both sides in the order of their keys.

Whole batches are compared as bytes; only where they differ are rows, and then cells, looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from wizard.verifying.canonical import Inexpressible, OrderKey, unescape
from wizard.verifying.naming import Cells, Comparison, Subject, Tools, encode, split
from wizard.verifying.source_reader import BATCH_BYTES, Row
from wizard.verifying.target_reader import Lines

Key = tuple[OrderKey, ...]


class OrderDiffers(Exception):
    """The rows of one side do not come in the order of their keys: a merge would misjudge them."""


class Merge(Comparison):
    """Raises OrderDiffers from `run`. From the first row without a partner on, every key is checked to
    come in order: before it, both sides were seen to hold the same keys in the same order."""

    def __init__(self, subject: Subject, tools: Tools, lenient: bool) -> None:
        super().__init__(subject, tools, lenient)
        self._strict = False
        self._last_source: Key | None = None
        self._last_target: Key | None = None

    def run(self) -> None:
        with self.target_lines(order=True) as lines:
            for rows, expected in self.batches(order=True):
                whole = encode("\n".join(expected) + "\n")
                # A limit in bytes as well: the target may hold far more than the source.
                ahead = lines.look(len(rows), len(whole) + BATCH_BYTES)
                if not self._strict and b"".join(ahead) == whole:
                    lines.skip(len(rows))
                else:
                    for row, line in zip(rows, expected, strict=True):
                        self._place(row, encode(line + "\n"), lines)
                self.done(len(rows))
                del rows, expected, whole, ahead
            while (rest := lines.peek()) is not None:
                self.tools.cancel.check()
                self._surplus(split(rest), lines)

    def _place(self, row: Row, expected: bytes, lines: Lines) -> None:
        """Find one source row's partner among the target's next lines."""
        key: Key | None = None
        while True:
            line = lines.peek()
            if line == expected and not self._strict:
                lines.skip()
                return
            if key is None:
                key = self._source_order(row)
            if line is None:
                self._strict = True
                self.lacking(row)
                return
            cells = split(line)
            other = self._target_order(cells)
            if other == key:
                lines.skip()
                if line != expected:
                    self.cells(row, cells)
                return
            self._strict = True
            if key < other:
                self.lacking(row)
                return
            self._surplus(cells, lines)

    def _surplus(self, cells: Cells, lines: Lines) -> None:
        earlier = lines.passed
        doubled = earlier is not None and self.target_key(split(earlier)) == self.target_key(cells)
        self.surplus(cells, doubled)
        lines.skip()

    def _source_order(self, row: Row) -> Key:
        try:
            key = self._order([self.subject.forms[i].expect(row[i]) for i in self.subject.key])
        except Inexpressible:
            raise OrderDiffers from None
        if self._strict and self._last_source is not None and key <= self._last_source:
            raise OrderDiffers
        self._last_source = key
        return key

    def _target_order(self, cells: Cells) -> Key:
        key = self._order([unescape(cells[i]) for i in self.subject.key])
        if self._strict and self._last_target is not None and key < self._last_target:
            raise OrderDiffers
        self._last_target = key
        return key

    def _order(self, texts: Sequence[str | None]) -> Key:
        key = []
        for position, text in zip(self.subject.key, texts, strict=True):
            if text is None:
                raise OrderDiffers
            key.append(self.subject.forms[position].order(text))
        return tuple(key)
