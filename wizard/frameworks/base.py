"""The protocol behind which every framework stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from wizard.context import Cancel
from wizard.credentials import Redactor, Secret
from wizard.events import Event
from wizard.model import Edit, Framework, Instruction, Need, Project


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and how a framework's own tools may run: never in the user's tree.

    `work` is a folder of the run. `interpreter` is the answer's, or None to find one. `lock_handle` is
    passed to every child. `application_name` is what a child's database sessions call themselves.
    """

    project: Project
    framework: Framework
    work: Path
    interpreter: str | None
    application_name: str
    redactor: Redactor
    emit: Callable[[Event], None]
    cancel: Cancel
    lock_handle: int | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """The source's migrations against the code's. Equal where `missing` and `unknown` are empty.

    `missing` are in the code but not applied at the source, `unknown` applied but not in the code;
    `command` is what the user should run. `tables` are those that the app's models name, None where that is
    not known; a migration may build others. `history` are the rows that the code's migrations leave in the
    bookkeeping of a fresh database, None where that is not known.
    """

    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    command: str
    tables: tuple[str, ...] | None = None
    history: tuple[tuple[str, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What the project's files must become, and what a person must do where no edit is safe."""

    edits: tuple[Edit, ...]
    instructions: tuple[Instruction, ...]


class FrameworkKind(Protocol):
    """A framework: one file or folder in `wizard/frameworks/`, one line in `FRAMEWORKS`."""

    name: ClassVar[str]

    def owns_schema(self, project: Project, framework: Framework) -> bool:
        """Whether the project's own code can build its tables. Reads only; runs nothing."""
        ...

    def bookkeeping(self, project: Project, framework: Framework) -> tuple[str, ...]:
        """The tables that belong to the target: compared, never copied. Reads only."""
        ...

    def revision(self, workshop: Workshop, snapshot: Path) -> Revision:
        """Compare the snapshot's migrations with the code's. Writes nothing outside `work`."""
        ...

    def build_schema(self, workshop: Workshop, url: Secret) -> None:
        """Make the tables in the empty database behind `url`. May be repeated after a kill."""
        ...

    def naive_zone(self, project: Project, framework: Framework) -> str:
        """The zone in which the app means a stored time without an offset: `UTC`, or an IANA name.

        Reads only. Raises UsageError `unknown-time-zone` where it cannot be known: a guess would shift
        every time.
        """
        ...

    def epoch(self, project: Project, framework: Framework) -> str | None:
        """The choice for the decision `epoch` that the framework itself settles, or None: the unit of the
        integers that it keeps moments as in SQLite (`milliseconds`, `seconds`)."""
        ...

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """The edits that make the app use what `needs` describe. Reads only."""
        ...
