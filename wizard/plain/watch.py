"""A run, told in occasional lines; it is a process of its own, which may be left and joined again."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from wizard.calls import Engine
from wizard.errors import EXIT_STEP_FAILED
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
)
from wizard.plain.talk import Line, Quit, Talk
from wizard.report_words import amount, folded

EVERY_SECONDS = 10.0
ENDS = {
    "done": "Done, and verified.",
    "differences": "Done, but source and target differ.",
    "failed": "The run stopped at a failure.",
    "stopped": "Stopped, as you asked; nothing is half written.",
}


def words(event: Event) -> str:
    """The event as one line; empty for what is told otherwise."""
    match event:
        case StepStarted():
            return f"{event.step}: {event.title}. Writes {event.writes}."
        case StepFinished():
            return f"{event.step} done: {event.summary}"
        case Warned():
            return f"Warning: {event.message}"
        case FindingSeen():
            subject = "" if not event.subject or event.subject in event.message else f"{event.subject}: "
            return f"{event.severity.title()}: {subject}{event.message}"
        case EditMade():
            return f"Changed {event.file}, +{event.added} -{event.removed}"
        case Failed():
            return f"FAILED at {event.step} ({event.code}): {event.message} {event.hint}"
        case Finished():
            return ENDS[event.status]
        case _:
            return ""


def _far(event: Progress) -> str:
    done = amount(event.done, event.unit)
    total = f" of {amount(event.total, event.unit)}" if event.total is not None else ""
    unit = "" if event.unit == "bytes" else f" {event.unit}"
    left = f", about {event.eta_s:.0f} seconds left" if event.eta_s is not None else ""
    return f"{event.part + ': ' if event.part else ''}{done}{total}{unit}{left}"


def watch(
    talk: Talk, engine: Engine, folder: Path, clock: Callable[[], float] = time.monotonic
) -> tuple[int, bool]:
    """Tell the run until it ends: (exit code, whether it can be gone on with).

    Ctrl+C asks whether to stop it, leave it running (raises Quit), or go on watching.
    """
    arrived: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    stop = threading.Event()

    def follow() -> None:
        for event in engine.watch(folder, stop):
            arrived.put(event)
        arrived.put(None)

    threading.Thread(target=follow, daemon=True).start()
    last = clock()
    failed: Failed | None = None
    finished: Finished | None = None
    try:
        while True:
            try:
                event = arrived.get()
            except KeyboardInterrupt:
                _interrupted(talk, engine, folder)
                continue
            if event is None:
                break
            if isinstance(event, Progress):
                if clock() - last >= EVERY_SECONDS:
                    last = clock()
                    talk.say(_far(event), 2)
                continue
            last = clock()
            failed = event if isinstance(event, Failed) else None if isinstance(event, Header) else failed
            finished = event if isinstance(event, Finished) else None
            if text := words(event):
                talk.say(text)
    finally:
        stop.set()
    if finished is None:
        talk.say("The run's process is gone before it finished. What it had moved is kept.")
        return EXIT_STEP_FAILED, True
    resumable = finished.status == "stopped" or (
        finished.status == "failed" and (failed is None or failed.resumable)
    )
    return finished.exit_code, resumable


def _interrupted(talk: Talk, engine: Engine, folder: Path) -> None:
    lines = [
        Line("watch", "Go on watching"),
        Line("stop", "Stop the run safely; it can go on from there"),
        Line("leave", "Leave it running; `ashore` or `ashore resume` joins it again"),
    ]
    chosen = talk.choose("\nThe run goes on meanwhile.", lines, "watch")
    if chosen == "leave":
        raise Quit
    if chosen == "stop" and not engine.stop_run(folder):
        talk.say("No process of this run was found to stop; it may just have ended.", 2)


def tell_report(talk: Talk, engine: Engine, folder: Path) -> None:
    """The report, a line each. Raises AshoreError `no-report`."""
    report = engine.report(folder)
    talk.heading(str(report.get("headline", "Report")))
    for line, _ in folded(report, 78):
        talk.put(line)
    talk.say(f"Report: {folder / 'report.html'}")
