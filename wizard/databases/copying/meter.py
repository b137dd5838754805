"""How far a copy is, as events: for each table and for the whole, about ten a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from wizard.events import Event, Progress

SECONDS_BETWEEN = 0.2  # two events each time: the part and the whole


class Meter:
    """Counts rows of `totals` ({table: rows}) for step `step`. Rates are of this execution alone."""

    def __init__(self, emit: Callable[[Event], None], step: str, totals: Mapping[str, int]) -> None:
        self._emit = emit
        self._step = step
        self._totals = dict(totals)
        self._whole = sum(totals.values())
        self._done: dict[str, int] = {}
        self._found = 0
        self._started = time.monotonic()
        self._last = 0.0

    def resumed(self, table: str, rows: int) -> None:
        """`rows` of the table stood there already; they do not count into the rate."""
        self._found += rows
        self._done[table] = rows

    def at(self, table: str, rows: int, finished: bool = False) -> None:
        """`rows` of the table are read by now, those that stood there included."""
        self._done[table] = rows
        now = time.monotonic()
        if not finished and now - self._last < SECONDS_BETWEEN:
            return
        self._last = now
        done = sum(self._done.values())
        elapsed = now - self._started
        rate = (done - self._found) / elapsed if elapsed > 0 and done > self._found else None
        total = self._totals.get(table)
        self._emit(self._event(table, rows, total, rate))
        self._emit(self._event("", done, self._whole, rate, table))

    def _event(self, part: str, done: int, total: int | None, rate: float | None, item: str = "") -> Progress:
        left = None if total is None else max(total - done, 0)
        eta = left / rate if rate and left is not None else None
        return Progress(self._step, part, done, total, "rows", item, rate, eta)
