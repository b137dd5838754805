"""What is done with the record of a run afterwards: undo it, or remove it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

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
    if ctx.source_path is not None and ctx.journal.step_state("references") != "pending":
        with open_target(ctx) as target:
            restored, kept = reference_undo.undo(target, ctx.run)
    for step in ("patch", "references"):
        if ctx.journal.step_state(step) == "finished":
            ctx.journal.step_reopened(step)
    ctx.journal.put("run", "undone", True)
    return Undone(files.restored, files.changed, restored, kept)


def clean(folder: RunFolder, state: State, given: Mapping[str, Secret]) -> str:
    """Remove a run's record from the target and the state folder. Returns what was removed, in words.

    Raises UsageError `run-unfinished` for a run whose record a resume still needs.
    """
    status, _ = runner.run_state(folder)
    if status not in ("done", "empty"):
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
        with state.lock(answers.project):
            shutil.rmtree(folder.path)
    else:
        shutil.rmtree(folder.path)
    return f"The record of {folder.run} was removed from the {words}. The app's data was not touched."
