"""Writes report.json and report.html, whole or not at all, and closes the run's record in the target."""

from __future__ import annotations

import json
import os
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.postgres import record
from wizard.databases.postgres.target import open_target
from wizard.errors import UsageError
from wizard.report.build import build
from wizard.report.html import page
from wizard.steps import moves
from wizard.steps.provision import moves_database

name = "report"


def run(ctx: RunContext) -> str:
    """May be repeated. Raises UsageError `state-full`, and what opening the target raises."""
    made = build(ctx)
    _write(ctx.folder.report_json, json.dumps(made, ensure_ascii=True, indent=2) + "\n")
    _write(ctx.folder.report_html, page(made))
    if made["status"] == "done" and (way := moves.of(ctx)) is not None:
        way.finish(ctx)
    elif moves_database(ctx) and made["status"] == "done":
        # From here on a new run does not take this record over any more.
        with open_target(ctx) as target, target.transaction() as cursor:
            record.set_state(cursor, ctx.run, record.DONE)
    return f"{made['headline']} {len(made['to_do'])} things are left for you: {ctx.folder.report_html}"


def _write(path: Path, text: str) -> None:
    """Replace `path` whole; a kill leaves the old file or the new one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            "state-full",
            f"The report {path} cannot be written: {error.strerror}.",
            "Free some space or mend the folder's rights, then `ashore resume`.",
        ) from error
