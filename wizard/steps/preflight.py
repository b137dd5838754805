"""Judges the snapshot before anything is written: decisions to take, migrations to apply."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from wizard.answers import Answers
from wizard.context import Cancel, RunContext
from wizard.databases import derive_judge
from wizard.databases.sqlite import preflight
from wizard.databases.sqlite.failures import explained
from wizard.databases.sqlite.schema import open_readonly, quote, read_schema
from wizard.decisions import require_decided
from wizard.errors import UsageError
from wizard.events import FindingSeen
from wizard.model import Choice, Decision, Project
from wizard.sources.inventory import open_inventory
from wizard.steps import moves, repairing
from wizard.steps import workshop as workshops
from wizard.steps.upload_routes import route_files

name = "preflight"
_SHOWN = 20


def run(ctx: RunContext) -> str:
    """Find every decision; go on only where all are taken. Writes nothing but the journal.

    Raises UsageError `revision-mismatch`, `unknown-time-zone`, and for files `unrouted`,
    `files-unmovable`, `key-collision`, `key-unusable`; Undecided `undecided`.
    """
    if ctx.answers.storage:
        with open_inventory(ctx) as inventory:
            route_files(ctx, inventory)
    if (way := moves.of(ctx)) is not None:
        return way.preflight(ctx)
    if ctx.source_path is None or ctx.answers.database is None:
        return "no database moves"
    zone = workshops.project_zone(ctx.project, ctx.answers)
    modelled = _compare_revisions(ctx)
    decisions = judge(ctx.project, ctx.answers, ctx.snapshot_path, ctx.cancel)
    decisions += _without_model(ctx, modelled)
    ctx.journal.put(name, "decisions", [dataclasses.asdict(d) for d in decisions])
    ctx.journal.put(name, "naive_zone", zone)
    require_decided(decisions, "nothing was written.")
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

    Raises UsageError `unknown-time-zone`, for a derived schema `name-not-possible`; Stopped.
    """
    workshops.project_zone(project, answers)
    chosen = workshops.decided(project, answers)
    derived = workshops.schema_mode(project, answers) == "derived"
    found = preflight.examine(
        snapshot,
        chosen,
        skip_tables=workshops.bookkeeping(project, answers),
        judge_types=not derived,
        cancel=cancel,
    )
    if derived:
        with explained(snapshot), closing(open_readonly(snapshot)) as source:
            found += tuple(derive_judge.judge(read_schema(source), source, chosen, cancel))
    if repairing.asks(answers):
        skipped = workshops.bookkeeping(project, answers)
        found += tuple(repairing.judge_snapshot(snapshot, chosen, skipped, cancel))
    return found


def _without_model(ctx: RunContext, modelled: tuple[str, ...] | None) -> tuple[Decision, ...]:
    """Tables that the app's models do not name, left by an app or a model that is gone: a decision each."""
    if modelled is None:
        return ()
    assert ctx.answers.database is not None
    known = {*modelled, *workshops.bookkeeping(ctx.project, ctx.answers)}
    with explained(ctx.snapshot_path), closing(open_readonly(ctx.snapshot_path)) as source:
        left = [table.name for table in read_schema(source).tables if table.name not in known]
        counts = [source.execute(f"SELECT count(*) FROM {quote(name)}").fetchone()[0] for name in left]
    return tuple(
        Decision(
            table,
            "missing_table",
            f"No model of the app names the table {table} ({count:,} rows); unless a migration builds it, it "
            "is not carried over.",
            count,
            (),
            (Choice("leave", "stays at the source, where no migration builds it in the target"),),
            ctx.answers.database.decisions.get(table, {}).get("missing_table"),
        )
        for table, count in zip(left, counts, strict=True)
    )


def _compare_revisions(ctx: RunContext) -> tuple[str, ...] | None:
    """The tables that the app's models name, None where not known. Raises UsageError `revision-mismatch`."""
    shop, kind = workshops.workshop(ctx), workshops.owner(ctx.project)
    if shop is None or kind is None:
        return None
    revision = kind.revision(shop, ctx.snapshot_path)
    if not revision.missing and not revision.unknown:
        ctx.journal.put(name, "history", revision.history)
        return revision.tables
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
