"""What is done with the record of a run afterwards: undo it, or remove it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from wizard import answers_file, engine, runner
from wizard import undo as file_undo
from wizard.answers import Answers
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect, translate
from wizard.databases.postgres.target import open_target
from wizard.errors import EXIT_DONE, EXIT_NOT_AS_PLANNED, UsageError
from wizard.journal import Journal
from wizard.model import Project
from wizard.references import undo as reference_undo
from wizard.state import RunFolder, State
from wizard.steps import deploy, made_database, moves


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo restored, and what it left because something newer stands there."""

    files: tuple[str, ...]
    files_changed: tuple[str, ...]
    references: int
    references_kept: int
    variables: tuple[str, ...] = ()
    variables_kept: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or 5 where something newer was left."""
        left = self.files_changed or self.references_kept or self.variables_kept
        return EXIT_NOT_AS_PLANNED if left else EXIT_DONE


def undo(ctx: RunContext) -> Undone:
    """Restore the patched files, the rewritten references and the platform's variables. Safe to repeat."""
    files = file_undo.undo(ctx.folder, ctx.journal, ctx.project.root)
    restored, kept = 0, 0
    summary = ctx.journal.get("references", "summary") or {}
    unsure = ctx.journal.step_state("references") == "started"
    if (way := moves.of(ctx)) is not None:
        restored, kept = way.undo_references(ctx)
    elif ctx.source_path is not None and (unsure or summary.get("rewritten")):
        with open_target(ctx) as target:
            restored, kept = reference_undo.undo(target, ctx.run)
    undone = Undone(files.restored, files.changed, restored, kept, *deploy.restore(ctx))
    if undone.exit_code == EXIT_DONE and runner.run_state(ctx.folder)[0] == "done":
        ctx.journal.put("run", "status", {"status": "undone", "exit_code": EXIT_DONE})
    return undone


def clean(folder: RunFolder, state: State, project: Path, given: Mapping[str, Secret]) -> str:
    """Remove a run's record from the target and the state folder. Returns what was removed, in words.

    Safe to repeat after a kill: the folder's plan goes first, so that no resume takes up what is left of it.
    Raises UsageError `run-unfinished` for a run whose record a resume still needs, `run-in-progress`.
    """
    with state.lock(project):
        return _clean(folder, given)


def _clean(folder: RunFolder, given: Mapping[str, Secret]) -> str:
    status, _ = runner.run_state(folder)
    if status not in (*runner.ENDED, "empty"):
        raise UsageError(
            "run-unfinished",
            f"Run {folder.run} is not finished; its record was kept, a resume needs it.",
            f"`ashore resume {folder.run}` finishes it.",
        )
    words = "state folder"
    if folder.answers.exists():
        answers = answers_file.load(folder.answers)
        url = _target_url(folder, answers, given)
        way = moves.move(_project(answers), answers)
        if url is not None and way is not None:
            way.clean(folder.run, url)
            words = "state folder and the database"
        elif url is not None:
            try:
                with connect(url, f"ashore:{folder.run}:clean") as connection:
                    record.remove(connection, folder.run)
            except psycopg.Error as error:
                raise translate(error) from error
            words = "state folder and the target"
    _forget_variables(folder)
    folder.plan.unlink(missing_ok=True)
    shutil.rmtree(folder.path)
    return f"The record of {folder.run} was removed from the {words}. The app's data was not touched."


def _project(answers: Answers) -> Project:
    """The scan, which tells what kind of database a reference leads to; nothing where the folder is gone."""
    return engine.open_project(answers.project) if answers.project.is_dir() else Project(answers.project)


def _target_url(folder: RunFolder, answers: Answers, given: Mapping[str, Secret]) -> Secret | None:
    """The URL of the run's database; None where no database moved, or the run came not to make it."""
    database = answers.database
    if database is not None and database.source is not None and not answers.moves_database:
        return engine.open_vault(answers, given, answers.project).resolve(database.source)
    if database is None or (database.url is None and database.create is None):
        return None
    made = None
    if database.create is not None:
        if not folder.journal.exists():
            return None
        with closing(Journal(folder.journal)) as journal:
            made = journal.get(*made_database.DATABASE)
        if made is None:
            return None
    vault = engine.open_vault(answers, given, answers.project)
    if database.url is not None:
        return vault.resolve(database.url)
    return made_database.urls(answers, vault, made, time.sleep)[0]


def _forget_variables(folder: RunFolder) -> None:
    """Without its run, nothing would ever give back the old values that the keyring holds."""
    if folder.journal.exists():
        with closing(Journal(folder.journal)) as journal:
            deploy.forget(dict(journal.all(deploy.SET)), folder.run)
