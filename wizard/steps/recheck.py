"""Judges every value against the target's real types, before the first row is written."""

from __future__ import annotations

from dataclasses import asdict

from wizard.context import RunContext
from wizard.databases.copying import recheck
from wizard.databases.copying.collisions import judge_collisions
from wizard.databases.postgres import catalog
from wizard.decisions import require_decided
from wizard.errors import NotAsPlanned
from wizard.model import Decision
from wizard.steps import moves
from wizard.steps.moving import Moving, moving
from wizard.steps.provision import moves_database

name = "recheck"


def run(ctx: RunContext) -> str:
    """Read the snapshot once more, with the target's types in hand. Writes nothing.

    Facts: ("recheck", "decisions") as dictionaries of model.Decision, ("recheck", "plain") the columns
    that need no coercion, with the snapshot they were judged on. Raises Undecided `undecided`, NotAsPlanned
    `zone-unknown`.
    """
    if (way := moves.of(ctx)) is not None:
        return way.recheck(ctx)
    if not moves_database(ctx):
        return "no database moves"
    with moving(ctx) as both:
        _require_zone(both)
        found, plain = judge(ctx, both)
        columns = sum(len(pair.columns) for pair in both.pairs)
    ctx.journal.put("recheck", "decisions", [asdict(decision) for decision in found])
    ctx.journal.put("recheck", "plain", {"snapshot": ctx.snapshot_path.name, "columns": plain})
    require_decided(found, "no row has been copied.")
    decided = f", {len(found)} decided" if found else ""
    return f"{columns} columns judged against the target's types{decided}"


def _require_zone(both: Moving) -> None:
    """Raises NotAsPlanned `zone-unknown`: verification and the app ask the server for times in that zone."""
    known = both.target.connection.execute(
        "SELECT 1 FROM pg_timezone_names WHERE lower(name) = lower(%s)", (both.zone,)
    ).fetchone()
    if both.zone != "UTC" and known is None:
        raise NotAsPlanned(
            "zone-unknown",
            f"The target's server knows no time zone {both.zone}, in which the app's times are meant. No row "
            "has been copied.",
            "The app could not connect to this server either. Correct TIME_ZONE in its settings, or use a "
            "server with the full time zone data.",
        )


def judge(ctx: RunContext, both: Moving) -> tuple[list[Decision], dict[str, list[str]]]:
    """What the source's values mean for the target's types: (decisions, columns that need no coercer)."""
    found: list[Decision] = []
    plain: dict[str, list[str]] = {}
    unique = catalog.read_unique_keys(both.target.connection, both.target.schema)
    for pair in both.pairs:
        ctx.cancel.check()
        judged = recheck.judge_values(
            both.source, pair.source, pair.columns, both.decisions, both.zone, ctx.cancel.check
        )
        found += judged.decisions
        plain[pair.name] = list(judged.plain)
        keys = [key for key in unique if key.table == pair.name]
        twice = recheck.judge_unique(both.source, pair.source, keys, [c.name for c in pair.columns])
        found += twice or judge_collisions(
            both.source,
            both.target.connection,
            both.target.schema,
            pair,
            keys,
            both.decisions,
            both.zone,
            ctx.cancel.check,
        )
    found += recheck.judge_references(
        both.source,
        {pair.name: pair.source for pair in both.pairs},
        {pair.name: pair.columns for pair in both.pairs},
        both.orphans,
    )
    return found, plain
