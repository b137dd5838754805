"""The protocol behind which a database other than a SQLite file moves, or stays and has its references
rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.model import Project, StoreKind, TableCount
from wizard.question import Option

Resolve = Callable[[str], Secret]


@runtime_checkable
class Offered(Protocol):
    """What a way declares besides, for the wizard to offer it: whose stores it moves, and where to (each
    option's name is a `database.provider`)."""

    store_kind: ClassVar[StoreKind]
    targets: ClassVar[tuple[Option, ...]]


class Move(Protocol):
    """A way for a database: one file or folder in `wizard/steps/moves/`, one line in `MOVES`.

    Each method is the database's part of the step of its name, returns that step's summary, and obeys what
    `wizard.context.StepModule` says: it may be repeated after any interruption. `plan.source_fingerprint`
    holds what `describe` returned.
    """

    name: ClassVar[str]

    def takes(self, project: Project, answers: Answers) -> bool:
        """Whether these answers ask for this way. Reads nothing but its arguments."""
        ...

    def describe(
        self, project: Project, answers: Answers, resolve: Resolve
    ) -> tuple[str, tuple[TableCount, ...]]:
        """(fingerprint of the source's schema, rows of each table or collection). Reads the source only."""
        ...

    def snapshot(self, ctx: RunContext) -> str:
        """Freeze a consistent copy in the run's folder."""
        ...

    def preflight(self, ctx: RunContext) -> str:
        """Judge the copy alone; every decision is taken or the run stops. Writes nothing outside."""
        ...

    def provision(self, ctx: RunContext) -> str:
        """Claim the target, where there is one."""
        ...

    def schema(self, ctx: RunContext) -> str: ...

    def recheck(self, ctx: RunContext) -> str: ...

    def copy(self, ctx: RunContext) -> str: ...

    def references(self, ctx: RunContext) -> str: ...

    def constraints(self, ctx: RunContext) -> str: ...

    def verify(self, ctx: RunContext) -> tuple[str, int]:
        """(summary, number of differences), each difference told as a finding."""
        ...

    def cutover(self, ctx: RunContext) -> str:
        """Carry over what changed at the source since the snapshot, and verify it."""
        ...

    def require_settled(self, ctx: RunContext) -> bool:
        """Whether the source still is what was verified last. Reads only."""
        ...

    def undo_references(self, ctx: RunContext) -> tuple[int, int]:
        """Put the rewritten references back where nothing newer stands: (restored, left)."""
        ...

    def finish(self, ctx: RunContext) -> None:
        """The run is done: from here on a new run does not take its record over."""
        ...

    def clean(self, run: str, url: Secret) -> None:
        """Take the record of `run` out of the database behind `url` (the one that stays, else the target)."""
        ...

    def steps(self, answers: Answers) -> frozenset[str]:
        """The names of the steps in which this way's database has a part, for the plan."""
        ...
