"""What whoever asks the questions needs of the engine: `wizard.api` itself, or a double recorded in tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wizard.events import Event
from wizard.model import Decision, Edit, Plan, Project

if TYPE_CHECKING:
    from wizard.api import Check, KeyringState, Note, Offer, RunHandle, RunInfo
    from wizard.api import Secret as SecretValue


class Engine(Protocol):
    """The functions of `wizard.api` that the screens and `--plain` call. All may raise AshoreError."""

    @property
    def Secret(self) -> type[SecretValue]: ...

    @property
    def AshoreError(self) -> type[Exception]: ...

    def scan(self, path: Path, /) -> Project: ...

    def keyring_state(self) -> KeyringState: ...

    def store_secret(self, name: str, value: SecretValue, /) -> None: ...

    def test_database(self, url: SecretValue, /) -> tuple[Check, ...]: ...

    def test_source(self, url: SecretValue, /) -> tuple[Check, ...]: ...

    def test_storage(
        self, rule: Mapping[str, object], secrets: Mapping[str, SecretValue], project: Path, /
    ) -> tuple[Check, ...]: ...

    def preflight(
        self, project: Path, answers: Mapping[str, object], secrets: Mapping[str, SecretValue], /
    ) -> tuple[Decision, ...]: ...

    def make_plan(
        self,
        project: Path,
        answers: Mapping[str, object],
        secrets: Mapping[str, SecretValue],
        found: tuple[Decision, ...] | None,
        /,
    ) -> Plan: ...

    def diff(self, plan: Plan, edit: Edit, /) -> str: ...

    def write_crash(self, error: BaseException, /) -> Path: ...

    def save_plan(self, plan: Plan, path: Path, /) -> None: ...

    def resolve(self, project: Path, reference: str, /) -> SecretValue: ...

    def save_answers(self, answers: Mapping[str, object], path: Path, /) -> None: ...

    def draft_path(self, project: Path, state_dir: Path | None, /) -> Path: ...

    def load_draft(self, project: Path, state_dir: Path | None, /) -> Mapping[str, object] | None: ...

    def start_run(
        self, answers_file: Path, secrets: Mapping[str, SecretValue], state_dir: Path | None, /
    ) -> RunHandle: ...

    def resume_run(
        self, project: Path, run: str, secrets: Mapping[str, SecretValue], state_dir: Path | None, /
    ) -> RunHandle: ...

    def sync_run(
        self, project: Path, run: str, secrets: Mapping[str, SecretValue], state_dir: Path | None, /
    ) -> RunHandle: ...

    def watch(self, folder: Path, stop: threading.Event, /) -> Iterator[Event]: ...

    def stop_run(self, folder: Path, /) -> bool: ...

    def runs(self, project: Path, state_dir: Path | None, /) -> tuple[RunInfo, ...]: ...

    def report(self, folder: Path, /) -> Mapping[str, object]: ...

    def explain(self, code: str, /) -> str: ...

    def notes(self, users: int, /) -> tuple[Note, ...]: ...

    def advise(self, project: Project, users: int, budget: float, /) -> tuple[Offer, ...]: ...
