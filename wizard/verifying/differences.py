"""A difference between source and target, and a tally that keeps the first of them and counts all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["value", "rewrite", "missing", "extra", "doubled", "table", "column", "schema"]
KEPT = 1000
_SHOWN, _BEFORE = 200, 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be.

    `key` is a JSON array of the row's primary key values as text, empty where a table has none.
    `source` is what is expected, `target` what stands there, both shortened around the place where
    they part; None is NULL, or no such row (see `kind`). `detail` says why, where that is not plain.
    """

    kind: Kind
    table: str
    key: str = ""
    column: str | None = None
    source: str | None = None
    target: str | None = None
    detail: str = ""

    @property
    def subject(self) -> str:
        """`table.column key`, as far as there are such."""
        place = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{place} {self.key}".strip()

    @property
    def message(self) -> str:
        """One line for people."""
        said = {
            "value": f"the source holds {_quote(self.source)}, the target {_quote(self.target)}",
            "rewrite": f"expected {_quote(self.source)}, the target holds {_quote(self.target)}",
            "missing": f"a row of the source is not in the target: {_quote(self.source)}",
            "extra": f"the target holds a row that the source does not: {_quote(self.target)}",
            "doubled": f"the target holds a row more than once: {_quote(self.target)}",
        }.get(self.kind, "")
        return f"{self.subject}: " + "; ".join(part for part in (said, self.detail) if part)


def _quote(text: str | None) -> str:
    return "NULL" if text is None else f"'{text}'"


def readable(text: str) -> str:
    """`text` with bytes that are not UTF-8 spelled out, so that every sink can hold it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shorten(left: str | None, right: str | None) -> tuple[str | None, str | None]:
    """Both texts, cut to a window around the first character in which they differ."""
    if max(len(left or ""), len(right or "")) <= _SHOWN:
        return left and readable(left), right and readable(right)
    a, b = left or "", right or ""
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    begin = max(0, start - _BEFORE)

    def cut(text: str) -> str:
        part = text[begin : begin + _SHOWN]
        return readable(("…" if begin and part else "") + part + ("…" if begin + _SHOWN < len(text) else ""))

    return (None if left is None else cut(left)), (None if right is None else cut(right))


@dataclass(slots=True)
class Tally:
    """What was compared and what differed. `total` counts every difference, `kept` holds the first."""

    rows: int = 0
    values: int = 0
    total: int = 0
    kept: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference, count: int = 1) -> None:
        """Record a difference that stands for `count` of its kind."""
        self.total += count
        if len(self.kept) < KEPT:
            self.kept.append(difference)

    def absorb(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.rows += other.rows
        self.values += other.values
        self.total += other.total
        self.kept.extend(other.kept[: max(0, KEPT - len(self.kept))])
