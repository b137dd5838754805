"""What a run's events amount to: steps, parts, rate, warnings and the end. No widgets here."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

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

RATES_KEPT = 24
LOG_KEPT = 2000


@dataclass
class Part:
    """How far a table or a storage is."""

    name: str
    done: int
    total: int | None
    unit: str


@dataclass(frozen=True)
class Note:
    """Something worth reading: a warning, a finding, or a failure."""

    mark: str
    code: str
    message: str


@dataclass
class RunView:
    """Fed with events by `apply`, in order; a second header (a resume) begins a new execution."""

    run: str = ""
    states: dict[str, str] = field(default_factory=dict)
    title: str = ""
    step: str = ""
    writes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    parts: dict[str, Part] = field(default_factory=dict)
    whole: Part | None = None
    rate: float | None = None
    eta: float | None = None
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=RATES_KEPT))
    notes: list[Note] = field(default_factory=list)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_KEPT))
    failed: Failed | None = None
    finished: Finished | None = None
    lines_said: int = 0
    item: str = ""
    summaries: dict[str, str] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Header():
                self.run = event.run
                self.failed = self.finished = None
                self.states = {n: s if s == "finished" else "" for n, s in self.states.items()}
                self._say(f"run {event.run}")
            case StepStarted():
                self._start(event)
            case Progress():
                self._progress(event)
            case Warned():
                self._note("!", event.code, event.message)
            case FindingSeen():
                named = not event.subject or event.subject in event.message
                subject = "" if named else f"{event.subject}: "
                mark = {"error": "✗", "warning": "!"}.get(event.severity, "·")
                self._note(mark, event.code, subject + event.message)
            case EditMade():
                self._say(f"changed {event.file} +{event.added} −{event.removed}")
            case StepFinished():
                self.states[event.step] = "finished"
                self.summaries[event.step] = event.summary
                self.seconds += event.seconds
                self._say(f"✓ {event.step}: {event.summary}")
            case Failed():
                self.states[event.step] = "failed"
                self.failed = event
                self._say(f"✗ {event.step}: {event.message} {event.hint}")
            case Finished():
                self.finished = event
                self._say(f"finished: {event.status}")

    def written(self) -> str:
        """One line: what this run has begun to write to, each place once."""
        places = [place for writes in self.writes for place in re.split(r", | and ", writes)]
        named = [p for p in dict.fromkeys(places) if p and not p.startswith("nothing")]
        if not named:
            return "Nothing has been written."
        so_far = "" if self.finished is not None and self.finished.status == "done" else " so far"
        return f"Written to{so_far}: {', '.join(named)}."

    def _start(self, event: StepStarted) -> None:
        self.step, self.title = event.step, event.title
        self.states[event.step] = "started"
        self.parts, self.whole, self.rate, self.eta, self.item = {}, None, None, None, ""
        self.rates.clear()
        if event.writes not in self.writes:
            self.writes.append(event.writes)
        self._say(f"▶ {event.step}: {event.title} (writes {event.writes})")

    def _progress(self, event: Progress) -> None:
        part = Part(event.part, event.done, event.total, event.unit)
        self.item = event.item or self.item
        if event.part:
            self.parts[event.part] = part
        else:
            self.whole = part
        if not event.part or self.whole is None:
            self.rate, self.eta = event.rate, event.eta_s
            if event.rate is not None:
                self.rates.append(event.rate)

    def overall(self) -> Part | None:
        """The step as a whole: as told, else the sum of its parts."""
        if self.whole is not None or not self.parts:
            return self.whole
        parts = [p for p in self.parts.values() if p.unit == next(iter(self.parts.values())).unit]
        totals = [p.total for p in parts if p.total is not None]
        total = sum(totals) if len(totals) == len(parts) else None
        return Part("", sum(p.done for p in parts), total, parts[0].unit)

    def _note(self, mark: str, code: str, message: str) -> None:
        self.notes.append(Note(mark, code, message))
        self._say(f"{mark} {message}")

    def _say(self, line: str) -> None:
        self.log.append(line)
        self.lines_said += 1
