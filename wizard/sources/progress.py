"""Progress events at a bearable rate: at most ten a second for a part, and always the last one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wizard.events import Event, Progress

INTERVAL_S = 0.1


class Meter:
    """Counts one part of a step and tells how far it is. Safe to use from several threads.

    `unit` is files, bytes or rows; `total` is None where not known; `done` may start above 0 on a resume, and
    the rate counts this execution only.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        step: str,
        part: str,
        unit: str,
        total: int | None,
        done: int = 0,
    ) -> None:
        self._emit, self._step, self._part, self._unit = emit, step, part, unit
        self.total, self.done = total, done
        self._first = done
        self._begun = time.monotonic()
        self._told = 0.0
        self._lock = threading.Lock()

    def add(self, count: int, item: str = "") -> None:
        """`count` units more; negative where work has to be done again."""
        with self._lock:
            self._set(self.done + count, item)

    def at(self, done: int) -> None:
        """`done` units in all by now; fewer than before where work is done again."""
        with self._lock:
            self._set(done, "")

    def close(self) -> None:
        """Tell the final state."""
        with self._lock:
            self._tell(time.monotonic(), "")

    def _set(self, done: int, item: str) -> None:
        self.done = done
        now = time.monotonic()
        if now - self._told >= INTERVAL_S:
            self._told = now
            self._tell(now, item)

    def _tell(self, now: float, item: str) -> None:
        spent = now - self._begun
        rate = (self.done - self._first) / spent if spent > 0.5 else None
        eta = (self.total - self.done) / rate if rate and self.total is not None else None
        self._emit(Progress(self._step, self._part, self.done, self.total, self._unit, item, rate, eta))
