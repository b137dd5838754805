"""Events for a run without a screen: text on standard error, or NDJSON on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from wizard.events import (
    EditMade,
    Event,
    Failed,
    FindingSeen,
    Finished,
    Header,
    Progress,
    StepFinished,
    StepStarted,
    Warned,
    to_json,
)

LINE_EVERY = 5.0


class TextSink:
    """Prints events for people: one line a step, progress in place on a terminal, else every 5 s."""

    def __init__(self, out: TextIO, *, quiet: bool = False, verbose: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._verbose = verbose
        self._terminal = out.isatty()
        self._last_progress = 0.0
        self._open_line = False

    def __call__(self, event: Event) -> None:
        text = self._text(event)
        if text is None:
            return
        if isinstance(event, Progress):
            self._progress(text)
            return
        self._end_line()
        self._out.write(text + "\n")
        self._out.flush()

    def _text(self, event: Event) -> str | None:
        match event:
            case Header():
                return None if self._quiet else f"run {event.run}"
            case StepStarted():
                return None if self._quiet else f"  > {event.step}: {event.title} (writes {event.writes})"
            case StepFinished():
                return None if self._quiet else f"  + {event.step}: {event.summary} ({event.seconds:.1f} s)"
            case Progress():
                return None if self._quiet or not (event.part == "" or self._verbose) else _progress(event)
            case Warned():
                return f"  ! {event.message}"
            case FindingSeen():
                where = f"{event.subject}: " if event.subject else ""
                return f"  {'x' if event.severity == 'error' else '!'} {where}{event.message}"
            case EditMade():
                return None if self._quiet else f"    {event.file} +{event.added} -{event.removed}"
            case Failed():
                again = "\n`ashore resume` goes on from here." if event.resumable else ""
                return f"  x {event.step} [{event.code}]: {event.message}\n    {event.hint}{again}"
            case Finished():
                where = f" Report: {event.report}" if event.report else ""
                return f"{event.status}.{where}"

    def _progress(self, text: str) -> None:
        now = time.monotonic()
        if self._terminal:
            self._out.write(f"\r\x1b[K    {text}")
            self._open_line = True
        elif now - self._last_progress >= LINE_EVERY:
            self._last_progress = now
            self._out.write(f"    {text}\n")
        self._out.flush()

    def _end_line(self) -> None:
        if self._open_line:
            self._out.write("\r\x1b[K")
            self._open_line = False


def _progress(event: Progress) -> str:
    total = f" of {event.total:,}" if event.total is not None else ""
    eta = f", {event.eta_s:.0f} s left" if event.eta_s is not None else ""
    part = f"{event.part}: " if event.part else ""
    item = f"  {event.item}" if event.item else ""
    return f"{part}{event.done:,}{total} {event.unit}{eta}{item}"


def json_sink(out: TextIO) -> Callable[[Event], None]:
    """A sink that writes one JSON object a line. A reader that went away does not stop the run."""
    gone = False

    def write(event: Event) -> None:
        nonlocal gone
        if gone:
            return
        try:
            out.write(to_json(event) + "\n")
            out.flush()
        except BrokenPipeError:
            gone = True

    return write


def sink(events: bool, *, quiet: bool, verbose: bool) -> Callable[[Event], None]:
    """The sink for the command line's flags."""
    if events:
        return json_sink(sys.stdout)
    return TextSink(sys.stderr, quiet=quiet, verbose=verbose)
