"""Puts back what the load had set aside, sets the sequences, and refreshes the planner's statistics."""

from __future__ import annotations

from psycopg import sql

from wizard.context import RunContext
from wizard.databases.postgres.constraints import put_back, saved_objects
from wizard.databases.postgres.sequences import set_sequences, wrong_sequences
from wizard.errors import StepFailed
from wizard.events import Progress
from wizard.steps import moves
from wizard.steps.moving import Moving, moving
from wizard.steps.provision import moves_database

name = "constraints"


def run(ctx: RunContext) -> str:
    """Indexes, foreign keys, triggers, sequences. May be repeated after any interruption.

    Raises StepFailed `constraint-broken`, `object-differs`, `sequence-low`.
    """
    if (way := moves.of(ctx)) is not None:
        return way.constraints(ctx)
    if not moves_database(ctx):
        return "no database moves"
    with moving(ctx) as both:
        waiting = saved_objects(both.target.connection, ctx.run)
        for done, saved in enumerate(waiting):
            ctx.cancel.check()
            ctx.emit(Progress(name, "", done, len(waiting), "objects", f"{saved.table}: {saved.name}"))
            put_back(both.target, saved)
        ctx.emit(Progress(name, "", len(waiting), len(waiting), "objects"))
        floors = _floors(both)
        count = set_sequences(both.target, both.names, floors)
        low = wrong_sequences(both.target, both.names, floors)
        if low:
            raise StepFailed(
                "sequence-low",
                f"The sequence {low[0].name} would give out numbers that are in use in {low[0].table}.",
                "`ashore resume` sets it again.",
            )
        for pair in both.pairs:
            ctx.cancel.check()
            both.target.connection.execute(sql.SQL("ANALYZE {}").format(both.target.table(pair.name)))
    return f"{len(waiting)} constraints, indexes and triggers put back, {count} sequences set"


def _floors(both: Moving) -> dict[tuple[str, str], int]:
    """The highest numbers that SQLite's AUTOINCREMENT ever gave out, by table and column."""
    known = both.source.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()
    if known is None:
        return {}
    highest = dict(both.source.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    return {
        (pair.name, pair.source.rowid_alias): int(highest[pair.name])
        for pair in both.pairs
        if pair.source.rowid_alias is not None and isinstance(highest.get(pair.name), int)
    }
