"""What the engine tells whoever watches: frozen events, to and from one JSON object a line.

The schema is a contract (INTERFACE, "Events"). Readers ignore keys and types they do not know.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

SCHEMA = 1
Status = Literal["done", "failed", "stopped", "differences"]


@dataclass(frozen=True, slots=True)
class Header:
    """First line of every stream."""

    type: ClassVar[str] = "header"
    schema: int
    run: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins. `writes` says what it changes, in words."""

    type: ClassVar[str] = "step_started"
    step: str
    title: str
    writes: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part of a step is. `unit` is what is counted: rows, bytes, files, pages, objects or
    migrations; `rate` is units a second.

    `total` and `eta_s` (seconds) are None where not known. `part` is a table or a storage; the part
    named "" is the step as a whole.
    """

    type: ClassVar[str] = "progress"
    step: str
    part: str
    done: int
    total: int | None
    unit: str
    item: str = ""
    rate: float | None = None
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know that does not stop the run."""

    type: ClassVar[str] = "warning"
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FindingSeen:
    """A finding of the scan, a decision taken, or a difference, with its subject."""

    type: ClassVar[str] = "finding"
    code: str
    severity: str
    message: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class EditMade:
    """A file of the project was changed."""

    type: ClassVar[str] = "edit"
    file: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended well. `seconds` is this execution's; `summary` is one line for people."""

    type: ClassVar[str] = "step_finished"
    step: str
    seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed; `hint` says what to do."""

    type: ClassVar[str] = "failed"
    step: str
    code: str
    message: str
    hint: str
    resumable: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """Last line of every stream. `report` is the path of report.html, or None."""

    type: ClassVar[str] = "finished"
    status: Status
    exit_code: int
    report: str | None = None


Event: TypeAlias = (
    Header | StepStarted | Progress | Warned | FindingSeen | EditMade | StepFinished | Failed | Finished
)
_TYPES: dict[str, type[Any]] = {
    t.type: t
    for t in (
        Header,
        StepStarted,
        Progress,
        Warned,
        FindingSeen,
        EditMade,
        StepFinished,
        Failed,
        Finished,
    )
}


def to_json(event: Event) -> str:
    """One line of NDJSON, without the newline. Bytes of the source that are not UTF-8 (lone surrogates) are
    spelled out, so that every sink can hold the line."""
    data = {
        key: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for key, value in asdict(event).items()
    }
    return json.dumps({"type": event.type, **data}, ensure_ascii=False)


def from_json(line: str) -> Event | None:
    """The event in `line`, or None for a type this version does not know.

    Unknown keys are ignored. Raises ValueError for a line that is not a JSON object.
    """
    data = json.loads(line)
    if not isinstance(data, dict):
        raise ValueError("an event is a JSON object")
    kind = _TYPES.get(str(data.get("type")))
    if kind is None:
        return None
    known = {f.name for f in fields(kind)}
    event: Event = kind(**{k: v for k, v in data.items() if k in known})
    return event
