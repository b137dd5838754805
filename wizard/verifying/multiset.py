"""Compare as multisets: count digests of the rows of both sides on disk, then name the uneven ones.

For tables without a key, and for keys that the two databases cannot be asked to sort alike.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import islice

from wizard.verifying.canonical import NULL, Form, Inexpressible, escape, unescape
from wizard.verifying.naming import Cells, Comparison, encode, split

_AT_ONCE = 500


class Multiset(Comparison):
    """Rows whose texts mean the same (see `Form.normal`) have one digest."""

    def run(self) -> None:
        scratch = self.tools.scratch
        for rows, expected in self.batches():
            scratch.count("source", [self._digest(line.split("\t")) for line in expected])
            self.done(len(rows))
        with self.target_lines() as lines:
            while digests := [self._digest(split(line)) for line in islice(lines, _AT_ONCE)]:
                self.tools.cancel.check()
                scratch.count("target", digests)
        if scratch.uneven():
            if self.subject.key:
                self._name_by_key()
            else:
                self._name_whole_rows()

    def _digest(self, cells: Cells) -> bytes:
        parts = [c if f.plain else _normal(f, c) for f, c in zip(self.subject.forms, cells, strict=True)]
        return blake2b(encode("\t".join(parts)), digest_size=20).digest()

    def _name_by_key(self) -> None:
        scratch = self.tools.scratch
        with self.target_lines() as lines:
            for line in lines:
                cells = split(line)
                source, target = scratch.times(self._digest(cells))
                if source != target:
                    scratch.keep_line(self.target_key(cells), line)
        for rows, expected in self.batches():
            for row, text in zip(rows, expected, strict=True):
                source, target = scratch.times(self._digest(text.split("\t")))
                if source != target:
                    partner = scratch.take_line(self.source_key(row))
                    if partner is None:
                        self.lacking(row)
                    else:
                        self.cells(row, split(partner))
        for line in scratch.lines():
            cells = split(line)
            source, _ = scratch.times(self._digest(cells))
            self.surplus(cells, doubled=source > 0)

    def _name_whole_rows(self) -> None:
        scratch = self.tools.scratch
        for rows, expected in self.batches():
            for row, text in zip(rows, expected, strict=True):
                digest = self._digest(text.split("\t"))
                source, target = scratch.times(digest)
                if source > target:
                    self.lacking(row, _times(source, target) if target else "", source - target)
                    scratch.settle(digest)
        with self.target_lines() as lines:
            for line in lines:
                cells = split(line)
                digest = self._digest(cells)
                source, target = scratch.times(digest)
                if target > source:
                    self.surplus(cells, source > 0, _times(source, target), target - source)
                    scratch.settle(digest)


def _times(source: int, target: int) -> str:
    return f"{source} times in the source, {target} times in the target"


def _normal(form: Form, cell: str) -> str:
    text = unescape(cell)
    if text is None:
        return NULL
    try:
        return escape(form.normal(text))
    except Inexpressible:
        return cell
