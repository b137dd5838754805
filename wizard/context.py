"""What a step is given, and what a step is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wizard.answers import Answers
from wizard.credentials import REFERENCE, Redactor, Secret, Vault
from wizard.errors import Stopped
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Plan, Project
from wizard.state import RunFolder

if TYPE_CHECKING:
    import httpx


class CreatedUrls(Protocol):
    """Where the run makes its database: (the URL that the wizard uses, the app's), asked of the provider."""

    def __call__(self, ctx: RunContext) -> tuple[Secret, Secret]: ...


class Cancel:
    """Asked by signals, obeyed at safe points."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._signal = 2

    def ask(self, signal_number: int = 2) -> None:
        self._signal = signal_number
        self._event.set()

    def asked(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises Stopped where a stop was asked for. Call it where nothing is half done."""
        if self._event.is_set():
            raise Stopped(self._signal)

    def wait(self, seconds: float) -> None:
        """Sleep that a stop ends; then raises Stopped."""
        self._event.wait(seconds)
        self.check()


@dataclass(frozen=True)
class RunContext:
    """Everything a step may use. `lock_handle` is inherited by children (see wizard.state).

    `epoch` is this execution's number in the target's record; 0 until the record stands. `web` stands in for
    the network where addresses in the data are asked for.
    """

    project: Project
    answers: Answers
    plan: Plan
    folder: RunFolder
    journal: Journal
    vault: Vault
    redactor: Redactor
    emit: Callable[[Event], None]
    cancel: Cancel
    lock_handle: int | None = None
    created_urls: CreatedUrls | None = None
    web: httpx.BaseTransport | None = None

    @property
    def run(self) -> str:
        return self.folder.run

    @property
    def source_path(self) -> Path | None:
        """The SQLite file at the source, absolute, or None where no database moves."""
        if self.answers.database is None:
            return None
        chosen = self.answers.database.source
        if chosen is not None and REFERENCE.match(chosen):
            return None
        if chosen is None:
            chosen = next((s.path for s in self.project.stores if s.kind == "sqlite"), None)
        return None if chosen is None else (self.project.root / chosen)

    @property
    def snapshot_path(self) -> Path:
        """The newest snapshot of the database in the run's folder (fact `snapshot`/`current`)."""
        name = self.journal.get("snapshot", "current") or "base.sqlite3"
        return self.folder.snapshots / str(name)

    def database_url(self) -> Secret:
        """The target's URL, or that of the database that stays. Raises UsageError where the answers name
        none."""
        database = self.answers.database
        if database is not None and not self.answers.moves_database and database.source is not None:
            return self.vault.resolve(database.source)
        if database is not None and database.create is not None and self.created_urls is not None:
            return self.created_urls(self)[0]
        if database is None or database.url is None:
            raise ValueError("the answers name no target database")
        return self.vault.resolve(database.url)


class StepModule(Protocol):
    """A step: one file in `wizard/steps/`, listed in `wizard.steps.STEPS`.

    `run` does the work and returns a one-line summary. It is called again after an interruption and
    then must end in the same state as if it had never been interrupted (promise 2).
    """

    name: str

    def run(self, ctx: RunContext) -> str: ...
