"""Bounds the bytes held in memory for sending: by bytes, since counts say nothing about files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MEMORY = 64 << 20


class ByteBudget:
    """`limit` bytes, lent to threads. A single loan above the limit waits to be alone."""

    def __init__(self, limit: int = MEMORY) -> None:
        self._limit = limit
        self._lent = 0
        self._changed = threading.Condition()

    def take(self, size: int) -> int:
        """Wait until `size` bytes are free; returns what to give back."""
        size = min(size, self._limit)
        with self._changed:
            self._changed.wait_for(lambda: self._lent + size <= self._limit)
            self._lent += size
        return size

    def give(self, size: int) -> None:
        with self._changed:
            self._lent -= size
            self._changed.notify_all()

    @contextmanager
    def lent(self, size: int) -> Iterator[None]:
        """Hold `size` bytes for the block."""
        size = self.take(size)
        try:
            yield
        finally:
            self.give(size)
