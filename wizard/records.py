"""What is done with the record of a run afterwards: undo it, or remove it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wizard import answers_file, engine, runner
from wizard import undo as file_undo
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect
from wizard.databases.postgres.target import open_target
from wizard.errors import EXIT_DONE, EXIT_NOT_AS_PLANNED, UsageError
from wizard.references import undo as reference_undo
from wizard.state import RunFolder, State


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo restored, and what it left because something newer stands there."""

    files: tuple[str, ...]
    files_changed: tuple[str, ...]
    references: int
    references_kept: int

    @property
    def exit_code(self) -> int:
        """0, or 5 where something newer was left."""
        return EXIT_NOT_AS_PLANNED if self.files_changed or self.references_kept else EXIT_DONE


def undo(ctx: RunContext) -> Undone:
    """Restore the patched files and the rewritten references. Safe to repeat."""
    files = file_undo.undo(ctx.folder, ctx.journal, ctx.project.root)
    restored, kept = 0, 0
    summary = ctx.journal.get("references", "summary") or {}
    unsure = ctx.journal.step_state("references") == "started"
    if ctx.source_path is not None and (unsure or summary.get("rewritten")):
        with open_target(ctx) as target:
            restored, kept = reference_undo.undo(target, ctx.run)
    undone = Undone(files.restored, files.changed, restored, kept)
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
        if answers.database is not None and answers.database.url is not None:
            vault = engine.open_vault(answers, given, answers.project)
            url = vault.resolve(answers.database.url)
            with connect(url, f"ashore:{folder.run}:clean") as connection:
                record.remove(connection, folder.run)
            words = "state folder and the target"
    folder.plan.unlink(missing_ok=True)
    shutil.rmtree(folder.path)
    return f"The record of {folder.run} was removed from the {words}. The app's data was not touched."
