"""Copies the rows: constraints aside, then table by table, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable

from wizard.context import RunContext
from wizard.databases.copying.chunks import Reading, reading
from wizard.databases.copying.load import TableLoad
from wizard.databases.copying.meter import Meter
from wizard.databases.copying.mixed import carrier
from wizard.databases.copying.scope import Pair
from wizard.databases.postgres.constraints import put_aside
from wizard.databases.sqlite.schema import quote
from wizard.steps import moves
from wizard.steps.moving import Moving, moving
from wizard.steps.provision import moves_database

name = "copy"


def run(ctx: RunContext) -> str:
    """Load what the target's record does not show as loaded. May be repeated after any interruption."""
    if (way := moves.of(ctx)) is not None:
        return way.copy(ctx)
    if not moves_database(ctx):
        return "no database moves"
    with moving(ctx) as both:
        put_aside(both.target, both.names)
        totals = {
            pair.name: int(both.source.execute(f"SELECT count(*) FROM {quote(pair.name)}").fetchone()[0])
            for pair in both.pairs
        }
        meter = Meter(ctx.emit, name, totals)
        loads = [(pair, table_load(ctx, both, pair, meter)) for pair in both.pairs]
        reloaded = _reconcile(ctx, loads)
        for pair, load in loads:
            meter.resumed(pair.name, sum(chunk.rows for chunk in load.recorded()))
        rows = 0
        for pair, load in loads:
            count = load.load()
            meter.at(pair.name, count, finished=True)
            rows += count
    again = f", {reloaded} parts loaded again" if reloaded else ""
    return f"{rows:,} rows in {len(loads)} tables{again}"


def table_load(
    ctx: RunContext,
    both: Moving,
    pair: Pair,
    meter: Meter,
    narrow: Callable[[Reading], Reading] = lambda whole: whole,
) -> TableLoad:
    """The load of one table, of the rows that `narrow` leaves.

    Columns that recheck proved plain on the very snapshot that is read need no coercer.
    """
    judged = ctx.journal.get("recheck", "plain") or {}
    current = judged.get("snapshot") == both.snapshot
    plain = set(judged["columns"].get(pair.name, ())) if current else set()
    columns = [c.name for c in pair.columns]
    coercers = [
        (place, carrier(column, both.decisions.get(f"{pair.name}.{column.name}", {}), both.zone))
        for place, column in enumerate(pair.columns)
        if column.name not in plain
    ]
    return TableLoad(
        both.target,
        both.source,
        narrow(reading(pair.source, columns, both.orphans, both.decisions)),
        coercers,
        pair.range_delete,
        ctx.cancel.check,
        lambda rows: meter.at(pair.name, rows),
    )


def _reconcile(ctx: RunContext, loads: list[tuple[Pair, TableLoad]]) -> int:
    """A record from a lost state folder: its chunks are believed only where this snapshot's are the same."""
    if not ctx.journal.get("copy", "adopted"):
        return 0
    count = sum(load.reconcile() for _, load in loads)
    ctx.journal.put("copy", "adopted", False)
    return count
