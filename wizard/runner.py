"""Runs the steps of a plan, records them, and turns every ending into an exit code.

A run is a folder (wizard.state.RunFolder). `run_steps` is used by a first execution and by a resume
alike: finished steps are passed over, a started one runs again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pydantic import TypeAdapter

from wizard.context import Cancel, RunContext, StepModule
from wizard.crash import write_crash
from wizard.credentials import Redactor
from wizard.databases.postgres.connect import translate
from wizard.errors import (
    EXIT_BUG,
    EXIT_DIFFERENCES,
    EXIT_DONE,
    EXIT_SIGINT,
    EXIT_SIGTERM,
    AshoreError,
    Differences,
    Stopped,
    UsageError,
)
from wizard.events import SCHEMA, Event, Failed, Finished, Header, Status, StepFinished, StepStarted, to_json
from wizard.journal import Journal
from wizard.model import Plan
from wizard.state import RunFolder, disk_full, write_whole
from wizard.steps import STEPS

_OWN_WORDS = frozenset({"run", "step", "code", "status", "severity", "unit", "report"})


class EventLog:
    """Appends redacted events to the run's file and hands them to whoever listens in this process."""

    def __init__(self, folder: RunFolder, redactor: Redactor, listen: Callable[[Event], None]) -> None:
        self._file = folder.events.open("a+b", buffering=0)
        self._folder = folder.path
        self._redactor = redactor
        self._listen = listen
        self._lock = threading.Lock()
        # A kill, or a full disk, may have cut the last line off: what comes next begins its own.
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - 1))
        self._torn = self._file.read(1) not in (b"", b"\n")

    def emit(self, event: Event) -> None:
        """Redact, append as one write, then tell the listener.

        Raises UsageError `state-full`, except for how a run ended: that is told all the same.
        """
        event = redacted(event, self._redactor)
        with self._lock:
            full = self._append(to_json(event).encode() + b"\n")
            self._listen(event)
        if full is not None and not isinstance(event, Failed | Finished):
            raise full

    def _append(self, line: bytes) -> UsageError | None:
        left = memoryview(b"\n" + line if self._torn else line)
        try:
            while left:
                left = left[self._file.write(left) :]
                self._torn = bool(left)
        except OSError as error:
            full = disk_full(error, self._folder)
            if full is None:
                raise
            return full
        return None

    def close(self) -> None:
        self._file.close()


def redacted(event: Event, redactor: Redactor) -> Event:
    """`event` with every text of it redacted, but for the words of ashore's own (step, code, status, …): a
    password that is such a word must not change what an event means."""
    texts: dict[str, Any] = {
        f.name: redactor.text(value)
        for f in dataclasses.fields(event)
        if f.name not in _OWN_WORDS and isinstance(value := getattr(event, f.name), str)
    }
    copy: Event = dataclasses.replace(event, **texts)
    return copy


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan as JSON, atomically."""
    write_whole(path, TypeAdapter(Plan).dump_json(plan, indent=1))


def load_plan(path: Path) -> Plan:
    """The plan saved at `path`."""
    return TypeAdapter(Plan).validate_json(path.read_bytes())


def plan_json(plan: Plan) -> str:
    """The plan as text, the same object that a run saves."""
    return TypeAdapter(Plan).dump_json(plan, indent=2).decode()


@contextmanager
def stopping_on_signals(cancel: Cancel) -> Iterator[None]:
    """SIGINT and SIGTERM ask for a stop at the next safe point; a second one ends the process at once.

    Ending at once is safe (promise 2); asking first merely leaves less to redo.
    """

    def handle(number: int, _frame: object) -> None:
        if cancel.asked():
            os._exit(EXIT_SIGTERM if number == signal.SIGTERM else EXIT_SIGINT)
        cancel.ask(number)

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_steps(ctx: RunContext) -> int:
    """Run what is not finished, in order; emits from Header to Finished; returns the exit code."""
    return _run_modules(ctx, STEPS)


def run_again(ctx: RunContext, name: str) -> int:
    """Run one step of a run once more (`ashore verify`, `ashore sync`); returns the exit code.

    Raises UsageError `too-early` where the run has not come to that step.
    """
    if ctx.journal.step_state(name) == "pending":
        raise UsageError(
            "too-early",
            f"Run {ctx.run} has not come to its step {name} yet; nothing was written.",
            f"`ashore resume {ctx.run}` goes on with it.",
        )
    before = run_state(ctx.folder)[0]
    ctx.journal.step_reopened(name)
    code = _run_modules(ctx, tuple(module for module in STEPS if module.name == name))
    unfinished = any(ctx.journal.step_state(s.name) != "finished" for s in ctx.plan.steps)
    if code == EXIT_DONE and (unfinished or before == "undone"):
        # One step that went well does not end a run: `resume` must find it, and `--clean` must not take it.
        kept = "stopped" if before in ("running", "empty", "done") else before
        ctx.journal.put("run", "status", {"status": kept, "exit_code": code})
    return code


def _run_modules(ctx: RunContext, modules: tuple[StepModule, ...]) -> int:
    step = ""
    status: Status
    try:
        ctx.emit(Header(schema=SCHEMA, run=ctx.run))
        ctx.journal.put("run", "status", {"status": "running", "pid": os.getpid()})
        ctx.journal.forget("engine", "epoch")
        for module in modules:
            step = module.name
            _run_step(ctx, module.name, module.run)
        status, code = "done", EXIT_DONE
    except AshoreError as error:
        status, code = _failed(ctx, step, error)
    except psycopg.Error as error:
        status, code = _failed(ctx, step, translate(error))
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a report and exit 3
        full = disk_full(error, ctx.folder.path)
        status, code = _bug(ctx, step, error) if full is None else _failed(ctx, step, full)
    report = str(ctx.folder.report_html) if ctx.folder.report_html.exists() else None
    # A disk that is full by now must not hide how the run ended; without the note it counts as interrupted.
    with contextlib.suppress(UsageError):
        ctx.journal.put("run", "status", {"status": status, "exit_code": code})
    ctx.emit(Finished(status=status, exit_code=code, report=report))
    return code


def _run_step(ctx: RunContext, name: str, run: Callable[[RunContext], str]) -> None:
    planned = {s.name: s for s in ctx.plan.steps}.get(name)
    if planned is None or ctx.journal.step_state(name) == "finished":
        return
    ctx.cancel.check()
    ctx.journal.step_started(name)
    ctx.emit(StepStarted(step=name, title=planned.title, writes=planned.writes))
    begun = time.monotonic()
    summary = ctx.redactor.text(run(ctx))
    seconds = time.monotonic() - begun
    ctx.journal.step_finished(name, seconds, summary)
    ctx.emit(StepFinished(step=name, seconds=round(seconds, 3), summary=summary))


def _failed(ctx: RunContext, step: str, error: AshoreError) -> tuple[Status, int]:
    if isinstance(error, Stopped):
        return "stopped", error.exit_code
    ctx.emit(
        Failed(step=step, code=error.code, message=error.message, hint=error.hint, resumable=error.resumable)
    )
    if isinstance(error, Differences):
        return "differences", EXIT_DIFFERENCES
    return "failed", error.exit_code


ENDED = ("done", "undone")


def _bug(ctx: RunContext, step: str, error: Exception) -> tuple[Status, int]:
    where = write_crash(error, ctx.folder.path, ctx.redactor)
    bug = AshoreError(
        "bug",
        f"ashore has a bug in step {step}: {type(error).__name__}.",
        f"The details, without secrets, are in {where}. `ashore resume` may go on.",
    )
    return _failed(ctx, step, bug)[0], EXIT_BUG


def run_state(folder: RunFolder) -> tuple[str, str]:
    """(state, step) of a run as its journal has it: done, undone, failed, stopped, differences, running.

    `running` with nobody holding the project's lock means that the run was interrupted.
    """
    if not folder.journal.exists():
        return "empty", ""
    journal = Journal(folder.journal)
    try:
        fact = journal.get("run", "status")
        started = [name for name, state, _, _ in journal.steps() if state == "started"]
    finally:
        journal.close()
    if not isinstance(fact, dict):
        return "empty", ""
    return str(fact["status"]), started[-1] if started else ""
