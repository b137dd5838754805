"""What the screens may call: reading returns frozen data, writing starts a child process.

Every function may be called from a thread. Nothing here draws, prompts or exits.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard import answers_file, engine, error_index, runner, watching
from wizard.advise import Offer
from wizard.advise import advise as _advise
from wizard.advise_notes import Note
from wizard.advise_notes import notes as _notes
from wizard.crash import write_crash
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases import live
from wizard.errors import AshoreError, StepFailed
from wizard.events import Event
from wizard.keyrings import KeyringState, keyring_state, open_keyring
from wizard.model import Check, Decision, Edit, Plan, Project
from wizard.scan.explain import explain as _explain
from wizard.state import RunFolder, State, holder
from wizard.storages import open_store

__all__ = [
    "AshoreError",
    "Check",
    "KeyringState",
    "Note",
    "Offer",
    "RunHandle",
    "RunInfo",
    "Secret",
    "advise",
    "diff",
    "draft_path",
    "explain",
    "keyring_state",
    "load_draft",
    "make_plan",
    "notes",
    "preflight",
    "report",
    "resolve",
    "resume_run",
    "runs",
    "save_answers",
    "save_plan",
    "scan",
    "start_run",
    "stop_run",
    "store_secret",
    "sync_run",
    "test_database",
    "test_source",
    "test_storage",
    "watch",
    "write_crash",
]

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run of a project, for lists. `state`: done, failed, stopped, differences, running, interrupted."""

    run: str
    state: str
    started: str
    folder: Path
    step: str


@dataclass(frozen=True, slots=True)
class RunHandle:
    """A run that goes on in a process of its own. `pid` is None where it has ended already."""

    run: str
    folder: Path
    pid: int | None


def scan(path: Path) -> Project:
    """What is at risk in the project at `path`. Reads only."""
    return engine.open_project(path.absolute())


def explain(code: str) -> str:
    """The page about a finding or an error's code, or an empty text."""
    page = _explain(code)
    return error_index.page(code) if page is None else f"{page.title}\n\n{page.text}"


def advise(project: Project, users: int, budget: float) -> tuple[Offer, ...]:
    """Providers compared on the scanned sizes. `budget` in USD a month."""
    return _advise(project, users=users, budget=budget)


def notes(users: int) -> tuple[Note, ...]:
    """What a table of prices leaves out, for so many people a month."""
    return _notes(users)


def store_secret(name: str, value: Secret) -> None:
    """Keep a secret in the OS keyring and read it back. Raises AshoreError where that fails."""
    open_keyring().store(name, value)


def resolve(project: Path, reference: str) -> Secret:
    """The secret behind `reference` as a run of `project` would find it, for a live test; never for showing.

    Raises UsageError `secret-missing`, which names the reference, or what the keyring refused with.
    """
    return Vault(Redactor(), base=project).resolve(reference)


def test_database(url: Secret) -> tuple[Check, ...]:
    """Connect and try what a run needs of a target, PostgreSQL or MongoDB by the URL; a probe table or
    collection is made and taken away."""
    return live.checks(url)


def test_source(url: Secret) -> tuple[Check, ...]:
    """Connect to a database that is left or stays, and look whether it can be read. Writes nothing."""
    return live.source_checks(url)


def test_storage(
    rule: Mapping[str, object], secrets: Mapping[str, Secret], project: Path
) -> tuple[Check, ...]:
    """Try put, head, get and delete of a canary object. `rule` is one storage entry of the answers.

    Secrets that are not among `secrets` are looked for as a run of `project` would.
    """
    mapping = {"version": 1, "storage": [dict(rule)]}
    answers = answers_file.from_mapping(mapping, project)
    vault = engine.open_vault(answers, secrets, project)
    return open_store(answers.storage[0], vault.resolve).check()


def preflight(
    project: Path, answers: Mapping[str, object], secrets: Mapping[str, Secret], state_dir: Path | None = None
) -> tuple[Decision, ...]:
    """What cannot be carried exactly. Writes nothing that stays."""
    return engine.preflight(answers_file.from_mapping(answers, project), state_dir, secrets)


def make_plan(
    project: Path,
    answers: Mapping[str, object],
    secrets: Mapping[str, Secret],
    found: tuple[Decision, ...] | None = None,
    state_dir: Path | None = None,
) -> Plan:
    """What a run of these answers would do. `found` is what a preflight found, each with what was chosen."""
    parsed = answers_file.from_mapping(answers, project)
    seen = engine.preflight(parsed, state_dir, secrets) if found is None else found
    return engine.make_plan(parsed, seen, secrets)[2]


def diff(plan: Plan, edit: Edit) -> str:
    """The unified diff of one file, secrets masked, for showing."""
    return engine.diff(plan, edit)


def save_answers(answers: Mapping[str, object], path: Path) -> None:
    """Write an answers file, atomically. It holds references, never secrets.

    Raises AshoreError `file-unwritable`.
    """
    part = path.with_name(path.name + ".part")
    with _writing(path):
        part.write_text(answers_file.dump(answers), encoding="utf-8")
        part.replace(path)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan as `ashore plan --json` prints it, atomically. Raises AshoreError `file-unwritable`."""
    part = path.with_name(path.name + ".part")
    with _writing(path):
        part.write_text(runner.plan_json(plan) + "\n", encoding="utf-8")
        part.replace(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AshoreError(
            "file-unwritable", f"{path} cannot be written: {error.strerror}.", "Name another file."
        ) from error


def draft_path(project: Path, state_dir: Path | None) -> Path:
    """Where unfinished answers of a project are kept between sessions."""
    folder = State.open(state_dir, project).project_folder(project)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / "draft.yml"


def load_draft(project: Path, state_dir: Path | None) -> Mapping[str, Any] | None:
    """The unfinished answers of the last session, or None."""
    import yaml

    try:
        data = yaml.safe_load(draft_path(project, state_dir).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return None
    return data if isinstance(data, dict) else None


def start_run(answers_file_path: Path, secrets: Mapping[str, Secret], state_dir: Path | None) -> RunHandle:
    """Start `ashore run` as a detached child. Raises what the child failed with before its run existed."""
    project = answers_file.load(answers_file_path).project
    arguments = ["run", "-a", str(answers_file_path.absolute()), "--yes"]
    return _start(project, arguments, secrets, state_dir)


def resume_run(project: Path, run: str, secrets: Mapping[str, Secret], state_dir: Path | None) -> RunHandle:
    """Start `ashore resume` as a detached child."""
    return _start(project, ["resume", run, "--project", str(project.absolute())], secrets, state_dir)


def sync_run(project: Path, run: str, secrets: Mapping[str, Secret], state_dir: Path | None) -> RunHandle:
    """Start `ashore sync` of a run as a detached child."""
    return _start(project, ["sync", run, "--project", str(project.absolute())], secrets, state_dir)


def _start(
    project: Path, arguments: list[str], secrets: Mapping[str, Secret], state_dir: Path | None
) -> RunHandle:
    state = State.open(state_dir, project)
    folder = state.project_folder(project)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log, said = folder / "start.ndjson", folder / "start.err"
    with log.open("wb") as out, said.open("wb") as err:
        child = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "wizard", *arguments),
                *("--events", "--secrets-stdin", "--state-dir", str(state.root)),
            ],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that an ended child is no zombie
    assert child.stdin is not None
    # A child that ended at once has closed its end: what it said is read below.
    with suppress(BrokenPipeError), child.stdin as pipe:
        pipe.write(json.dumps({k: v.reveal() for k, v in secrets.items()}).encode())
    return _first_sign(state, project, child, log)


def _first_sign(state: State, project: Path, child: subprocess.Popen[bytes], log: Path) -> RunHandle:
    """Wait until the child's header is there (the run exists), or its failure."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        lines = [json.loads(line) for line in log.read_bytes().split(b"\n")[:-1] if line]
        run = next((str(e["run"]) for e in lines if e["type"] == "header" and e["run"]), None)
        if run is not None:
            folder = next(f for f in state.runs(project) if f.run == run)
            return RunHandle(run, folder.path, None if ended else child.pid)
        failed = next((e for e in lines if e["type"] == "failed"), None)
        if failed is not None:
            raise AshoreError(failed["code"], failed["message"], failed["hint"])
        if ended:
            break
        time.sleep(0.05)
    words = log.with_suffix(".err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise StepFailed(
        "not-started",
        "The run did not start; nothing more was written.",
        f"It said: {words[-1]}" if words else "Try `ashore run` in a shell.",
    )


def watch(folder: Path, stop: threading.Event) -> Iterator[Event]:
    """Every event of the run, from its first, as they come; ends when its process has ended."""
    run = RunFolder(folder)
    return watching.follow(run.events, stop, lambda: run_pid(folder) is not None)


def run_pid(folder: Path) -> int | None:
    """The process that works on this run now, or None. Goes by the project's lock."""
    found = holder(folder.parent.parent)
    return found.pid if found is not None and found.run == folder.name else None


def stop_run(folder: Path) -> bool:
    """Ask the run's process to stop at a safe point; False where none is at work."""
    pid = run_pid(folder)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT)
    return True


def runs(project: Path, state_dir: Path | None) -> tuple[RunInfo, ...]:
    """Every run of the project, oldest first."""
    state = State.open(state_dir, project)
    found = []
    for folder in state.runs(project):
        status, step = runner.run_state(folder)
        if status == "running" and run_pid(folder.path) is None:
            status = "interrupted"
        found.append(RunInfo(folder.run, status, folder.run[:15], folder.path, step))
    return tuple(found)


def report(folder: Path) -> Mapping[str, Any]:
    """The run's report. Raises AshoreError `no-report` where it has not been written."""
    path = RunFolder(folder).report_json
    if not path.exists():
        raise AshoreError("no-report", "This run has no report yet.", "It is written by the last step.")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
