"""Judges the snapshot before anything is written: decisions to take, migrations to apply."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from wizard.answers import Answers
from wizard.context import Cancel, RunContext
from wizard.databases.sqlite import preflight
from wizard.errors import Undecided, UsageError
from wizard.events import FindingSeen
from wizard.model import Decision, Project
from wizard.sources.inventory import open_inventory
from wizard.steps import workshop as workshops
from wizard.steps.upload_routes import route_files

name = "preflight"
_SHOWN = 20


def run(ctx: RunContext) -> str:
    """Find every decision; go on only where all are taken. Writes nothing but the journal.

    Raises UsageError `revision-mismatch`, `unknown-time-zone`, and
    for files `unrouted`, `files-unmovable`, `key-collision`,
    `key-unusable`; Undecided `undecided`.
    """
    if ctx.answers.storage:
        with open_inventory(ctx) as inventory:
            route_files(ctx, inventory)
    if ctx.source_path is None or ctx.answers.database is None:
        return "no database moves"
    _compare_revisions(ctx)
    decisions = judge(ctx.project, ctx.answers, ctx.snapshot_path, ctx.cancel)
    ctx.journal.put(name, "decisions", [dataclasses.asdict(d) for d in decisions])
    ctx.journal.put(name, "naive_zone", workshops.project_zone(ctx.project, ctx.answers))
    open_ones = preflight.undecided(decisions)
    if open_ones:
        raise Undecided("undecided", message(open_ones), "Add to the answers:\n" + paste(open_ones))
    for decision in decisions:
        ctx.emit(
            FindingSeen(
                "decision",
                "info",
                f"{decision.message} Decided: {decision.chosen}.",
                decision.subject,
            )
        )
    return f"{len(decisions)} decisions, all taken" if decisions else "everything can be carried exactly"


def judge(project: Project, answers: Answers, snapshot: Path, cancel: Cancel) -> tuple[Decision, ...]:
    """The decisions that `snapshot` asks for under these answers. Writes nothing.

    Raises UsageError `unknown-time-zone`, Stopped.
    """
    workshops.project_zone(project, answers)
    return preflight.examine(
        snapshot,
        answers.database.decisions if answers.database is not None else {},
        skip_tables=workshops.bookkeeping(project, answers),
        judge_types=workshops.schema_mode(project, answers) == "framework",
        cancel=cancel,
    )


def _compare_revisions(ctx: RunContext) -> None:
    shop, kind = workshops.workshop(ctx), workshops.owner(ctx.project)
    if shop is None or kind is None:
        return
    revision = kind.revision(shop, ctx.snapshot_path)
    if not revision.missing and not revision.unknown:
        return
    parts = []
    if revision.missing:
        parts.append("not applied to the database: " + _listed(revision.missing))
    if revision.unknown:
        parts.append("applied, but no longer in the code: " + _listed(revision.unknown))
    raise UsageError(
        "revision-mismatch",
        f"The database and the code are not at the same migration; {'; '.join(parts)}. Nothing was written.",
        f"Run `{revision.command}` with the app's own settings, check the app, then start again.",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def message(decisions: Sequence[Decision]) -> str:
    """Every undecided subject with count, keys and choices, one a line."""
    lines = ["What follows cannot be carried exactly and needs a decision; nothing was written."]
    for d in decisions:
        keys = f" Rows: {'; '.join(d.keys)}{' …' if d.count > len(d.keys) else ''}." if d.keys else ""
        choices = "; ".join(f"{c.name} ({c.about})" for c in d.choices) or "none: it must be mended first"
        wrong = f" `{d.chosen}` is not one of them." if d.chosen is not None else ""
        lines.append(f"- {d.subject} [{d.code}]: {d.message}{keys} Choices: {choices}.{wrong}")
    return "\n".join(lines)


def paste(decisions: Sequence[Decision]) -> str:
    """YAML for the answers file: the first choice of each decision, the others as a comment."""
    subjects: dict[str, list[Decision]] = {}
    for d in decisions:
        if d.choices:
            subjects.setdefault(d.subject, []).append(d)
    lines = ["database:", "  decisions:"]
    for subject, group in subjects.items():
        chosen = ", ".join(f"{d.code}: {d.choices[0].name}" for d in group)
        others = "; ".join(
            f"{d.code}: {' | '.join(c.name for c in d.choices)}" for d in group if len(d.choices) > 1
        )
        comment = f"  # {others}" if others else ""
        lines.append(f"    {json.dumps(subject, ensure_ascii=False)}: {{{chosen}}}{comment}")
    return "\n".join(lines) if subjects else "(nothing can be chosen; mend the data at the source)"
