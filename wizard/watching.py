"""Reading a run's event file while another process appends to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from wizard.events import Event, Finished, from_json

POLL_SECONDS = 0.1


def follow(path: Path, stop: threading.Event, alive: Callable[[], bool]) -> Iterator[Event]:
    """Every event in `path`, then new ones as they come.

    Ends after the last Finished once its writer is gone, when `stop` is set, or when `alive()` says
    that the writer is gone and everything it wrote was read. A resumed run appends to the same file:
    its earlier Finished is followed by a new Header. Only whole lines are read, and a line that a kill cut
    off before a resume wrote on is passed over.
    """
    position, rest = 0, b""
    ended = False
    while not stop.is_set():
        writer_lives = alive()
        try:
            with path.open("rb") as file:
                file.seek(position)
                data = file.read()
        except FileNotFoundError:
            data = b""
        position += len(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            event = _event(line)
            if event is not None:
                ended = isinstance(event, Finished)
                yield event
        if not data and (ended or not writer_lives):
            return
        if not data:
            stop.wait(POLL_SECONDS)


def _event(line: bytes) -> Event | None:
    try:
        return from_json(line.decode("utf-8")) if line.strip() else None
    except ValueError:
        return None
