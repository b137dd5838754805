"""Opens a run: answers, project, secrets, plan, state and lock become a RunContext.

What the commands `run`, `resume`, `preflight` and `plan` have in common stands here; what a run does
stands in `runner.py` and `steps/`.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from wizard import answers_file, planner, runner
from wizard.answers import Answers
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases.sqlite import schema as sqlite_schema
from wizard.databases.sqlite import snapshot as sqlite_snapshot
from wizard.errors import ConnectionLost, NotAsPlanned, Refused, Undecided, UsageError
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Decision, Edit, Plan, Project
from wizard.patchers.base import apply_splices
from wizard.patchers.diff import unified
from wizard.scan import scan
from wizard.state import RunFolder, State, room, write_whole
from wizard.steps import moves
from wizard.steps.made_database import Created
from wizard.steps.moves.base import Move
from wizard.steps.preflight import judge
from wizard.steps.snapshot import check as check_snapshot

Listen = Callable[[Event], None]
Purpose = Literal["resume", "verify", "undo"]


def resolved(project: Project, answers: Answers) -> Answers:
    """`answers` with what they leave to the scan written out, so that a resume does not depend on it.

    Raises UsageError where the scan finds no database or no uploads folder to move.
    """
    way = moves.move(project, answers)
    source = None if way is not None else planner.source_path(project, answers)
    database = None
    if way is not None and answers.database is not None:
        database = dataclasses.replace(answers.database, source=_server(project, answers.database.source))
    elif answers.database is not None and source is not None:
        database = dataclasses.replace(answers.database, source=_relative(source, project.root))
    found = [s.path for s in project.stores if s.kind == "uploads"]
    planner.upload_folders(project, answers)
    # A rule without a source speaks of every uploads folder: none is left behind without a word.
    storage = tuple(
        dataclasses.replace(rule, source=source_of)
        for rule in answers.storage
        for source_of in ([rule.source] if rule.source is not None else found)
    )
    return dataclasses.replace(answers, database=database, storage=storage)


def _server(project: Project, named: str | None) -> str:
    """The reference to the source's URL: the answers' own, else the variable that the app reads it from."""
    if named is not None:
        return named
    found = [store.path for store in project.stores if store.kind in ("postgres", "mongodb")]
    return f"env:{found[0]}"


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def open_vault(answers: Answers, given: Mapping[str, Secret], base: Path) -> Vault:
    """A vault that holds every secret the answers refer to.

    Raises one UsageError `secrets-missing` naming all that are not there, before anything is written.
    """
    vault = Vault(Redactor(), given=given, base=base)
    missing: list[UsageError] = []
    for reference in answers_file.references(answers):
        try:
            vault.resolve(reference)
        except UsageError as error:
            missing.append(error)
    if missing:
        raise UsageError(
            missing[0].code if len(missing) == 1 else "secrets-missing",
            " ".join(e.message for e in missing) + " Nothing was written.",
            " ".join(dict.fromkeys(e.hint for e in missing)),
        )
    return vault


def check_targets_named(answers: Answers) -> None:
    """Raises UsageError `nothing-to-move` where the answers move neither a database nor files, `no-target`
    where they move a database but say not where to."""
    if answers.database is None and not answers.storage:
        raise UsageError(
            "nothing-to-move",
            "The answers move neither a database nor files; nothing was written.",
            "`ashore answers` writes what the scan finds; where that is nothing, name it with "
            "`database: {source: FILE}`.",
        )
    database = answers.database
    moved = database if answers.moves_database else None
    if moved is not None and moved.url is None and moved.create is None:
        raise UsageError(
            "no-target",
            "The answers move a database but name no target; nothing was written.",
            "Write `database: {url: env:DATABASE_URL}` and put the connection string there.",
        )


def make_plan(
    answers: Answers, decisions: tuple[Decision, ...] = (), given: Mapping[str, Secret] | None = None
) -> tuple[Project, Answers, Plan]:
    """Scan the project and plan; writes nothing. A source on a server is looked at, with the secrets
    `given`, or found where the answers say."""
    project = open_project(answers.project)
    _require_readable(project, answers)
    whole = resolved(project, answers)
    vault = Vault(Redactor(), given=given, base=answers.project)
    return project, whole, planner.make_plan(project, whole, decisions, vault.resolve)


def _require_readable(project: Project, answers: Answers) -> None:
    """Raises UsageError `unreadable-settings`: without them neither stores nor edits can be known."""
    if answers.database is not None and answers.database.schema == "derived" and answers.patch == "skip":
        return
    for finding in project.findings:
        if finding.code == "unreadable-settings":
            where = f"{finding.file}:{finding.line or 1}: " if finding.file else ""
            raise UsageError(finding.code, f"{where}{finding.message} Nothing was written.", finding.hint)


def open_project(path: Path) -> Project:
    """The scan of `path`. Raises UsageError `project-missing`."""
    if not path.is_dir():
        raise UsageError("project-missing", f"There is no folder {path}.", "Name the app's folder.")
    return scan(path)


def preflight(
    answers: Answers, state_dir: Path | None, given: Mapping[str, Secret] | None = None
) -> tuple[Decision, ...]:
    """What cannot be carried exactly, judged on a throw-away snapshot. Writes nothing that stays."""
    project = open_project(answers.project)
    whole = resolved(project, answers)
    if whole.database is None or whole.database.source is None:
        return ()
    state = State.open(state_dir, project.root)
    with room(state.root), tempfile.TemporaryDirectory(prefix="preflight-", dir=state.root) as folder:
        if (way := moves.move(project, whole)) is not None:
            return _preflight_of(way, project, whole, Path(folder), given)
        snapshot = Path(folder) / "snapshot.sqlite3"
        sqlite_snapshot.take(project.root / whole.database.source, snapshot)
        return judge(project, whole, snapshot, Cancel())


def _preflight_of(
    way: Move, project: Project, answers: Answers, folder: Path, given: Mapping[str, Secret] | None
) -> tuple[Decision, ...]:
    """What the preflight of a database on a server finds, in a throw-away run that writes nothing else."""
    vault = Vault(Redactor(), given=given, base=answers.project)
    scratch = RunFolder(folder / "run")
    for part in (scratch.path, scratch.snapshots, scratch.work):
        part.mkdir()
    plan = Plan(planner.VERSION, str(project.root), "", "", ())
    with _context(project, answers, plan, scratch, vault, Cancel(), lambda event: None, None) as ctx:
        way.snapshot(ctx)
        with suppress(Undecided):  # what is undecided is among the decisions
            way.preflight(ctx)
        found = ctx.journal.get("preflight", "decisions") or []
    return TypeAdapter(tuple[Decision, ...]).validate_python(found)


def diff(plan: Plan, edit: Edit) -> str:
    """The unified diff of one planned edit, with lines that look secret masked.

    Raises NotAsPlanned `file-changed` where the file is no longer what the plan saw.
    """
    path = Path(plan.root) / edit.path
    before = path.read_bytes() if edit.before_sha256 is not None and path.exists() else None
    if before is None and edit.before_sha256 is not None:
        raise NotAsPlanned("file-changed", f"{edit.path} is gone since the plan was made.", "Plan again.")
    return unified(edit.path, before, apply_splices(before, edit), lambda text: text)


@contextmanager
def new_run(
    answers: Answers, given: Mapping[str, Secret], state_dir: Path | None, cancel: Cancel, listen: Listen
) -> Iterator[RunContext]:
    """A fresh run, locked, with its folder, plan and answers on disk."""
    project, whole, plan = make_plan(answers, given=given)
    check_targets_named(whole)
    vault = open_vault(whole, given, answers.project)
    state = State.open(state_dir, project.root)
    with room(state.root), state.lock(project.root) as handle:
        folder = state.new_run(project.root)
        state.name_run(project.root, folder.run)
        # The plan comes last: a folder without one is a run that never began.
        write_whole(folder.answers, answers_file.dump(answers_file.to_mapping(whole)).encode())
        runner.save_plan(plan, folder.plan)
        with _context(project, whole, plan, folder, vault, cancel, listen, handle) as ctx:
            yield ctx


@contextmanager
def old_run(
    folder: RunFolder,
    given: Mapping[str, Secret],
    state: State,
    cancel: Cancel,
    listen: Listen,
    purpose: Purpose = "resume",
) -> Iterator[RunContext]:
    """A run that exists, locked again. To `verify`, the live source does not matter; to `undo`, nothing
    but the record of the run does, and a secret is asked for only where it is used.

    Raises NotAsPlanned where the source's schema (`source-changed`) or the snapshot (`snapshot-changed`) is
    not what the run saw, UsageError `no-run` where it was killed before it began.
    """
    if not folder.plan.is_file():
        raise UsageError(
            "no-run",
            f"Run {folder.run} was interrupted before it began; nothing was written.",
            f"Start anew with `ashore run -a FILE`; `ashore runs --clean {folder.run}` removes its folder.",
        )
    answers = answers_file.load(folder.answers)
    plan = runner.load_plan(folder.plan)
    project = open_project(answers.project)
    if purpose == "undo":
        vault = Vault(Redactor(), given=given, base=answers.project)
    else:
        vault = open_vault(answers, given, answers.project)
    with room(state.root), state.lock(project.root) as handle:
        state.name_run(project.root, folder.run)
        if purpose == "resume":
            _check_source(project, answers, plan, vault)
        with _context(project, answers, plan, folder, vault, cancel, listen, handle) as ctx:
            if purpose != "undo":
                check_snapshot(ctx)
            yield ctx


def _check_source(project: Project, answers: Answers, plan: Plan, vault: Vault) -> None:
    if answers.database is None or answers.database.source is None:
        return
    if (way := moves.move(project, answers)) is not None:
        try:
            same = way.describe(project, answers, vault.resolve)[0] == plan.source_fingerprint
        except (Refused, ConnectionLost):
            return  # the run reads its snapshot; a step that needs the source says that it is gone
        if not same:
            raise _source_changed("the source")
        return
    source = project.root / answers.database.source
    if not source.exists():
        return  # the run reads its snapshot; the cut-over says what a missing source means
    with planner.source_schema(source) as connection:
        same = sqlite_schema.fingerprint(connection) == plan.source_fingerprint
    if not same:
        raise _source_changed(answers.database.source)


def _source_changed(source: str) -> NotAsPlanned:
    return NotAsPlanned(
        "source-changed",
        f"The schema of {source} is not what the plan saw; nothing more was written.",
        "Its tables or migrations changed since. Start anew with `ashore run`, or put the old one back.",
    )


@contextmanager
def _context(
    project: Project,
    answers: Answers,
    plan: Plan,
    folder: RunFolder,
    vault: Vault,
    cancel: Cancel,
    listen: Listen,
    handle: int | None,
) -> Iterator[RunContext]:
    journal = Journal(folder.journal)
    log = runner.EventLog(folder, vault.redactor, listen)
    try:
        yield RunContext(
            project=project,
            answers=answers,
            plan=plan,
            folder=folder,
            journal=journal,
            vault=vault,
            redactor=vault.redactor,
            emit=log.emit,
            cancel=cancel,
            lock_handle=handle,
            created_urls=Created(),
        )
    finally:
        log.close()
        journal.close()


def find_run(state: State, project: Path, run: str | None, *, unfinished: bool) -> RunFolder:
    """The run named, or the newest (unfinished) one. Raises UsageError `no-run`."""
    runs = state.runs(project)
    if run is not None:
        match = [folder for folder in runs if folder.run == run]
        if match:
            return match[0]
        raise UsageError("no-run", f"There is no run {run}.", "`ashore runs` lists them.")
    for folder in reversed(runs):
        if folder.plan.exists() and (not unfinished or runner.run_state(folder)[0] not in runner.ENDED):
            return folder
    raise UsageError(
        "no-run",
        "No unfinished run of this project is known here."
        if unfinished
        else "No run of this project is known here.",
        "`ashore run -a FILE` starts one; it goes on from the target's own record where there is one.",
    )


def execute(
    answers: Answers, given: Mapping[str, Secret], state_dir: Path | None, cancel: Cancel, listen: Listen
) -> int:
    """`ashore run`: returns the exit code. Raises AshoreError for what fails before the run exists."""
    with new_run(answers, given, state_dir, cancel, listen) as ctx:
        return runner.run_steps(ctx)


def resume(
    project: Path,
    run: str | None,
    given: Mapping[str, Secret],
    state_dir: Path | None,
    cancel: Cancel,
    listen: Listen,
) -> int:
    """`ashore resume`: returns the exit code."""
    state = State.open(state_dir, project)
    folder = find_run(state, project.absolute(), run, unfinished=run is None)
    with old_run(folder, given, state, cancel, listen) as ctx:
        return runner.run_steps(ctx)


@contextmanager
def chosen_run(
    project: Path,
    run: str | None,
    given: Mapping[str, Secret],
    state_dir: Path | None,
    cancel: Cancel,
    listen: Listen,
    purpose: Purpose = "resume",
) -> Iterator[RunContext]:
    """The run named, or the newest of the project, locked."""
    state = State.open(state_dir, project)
    folder = find_run(state, project.absolute(), run, unfinished=False)
    with old_run(folder, given, state, cancel, listen, purpose) as ctx:
        yield ctx
