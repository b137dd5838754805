"""What the database steps share: the tables on both sides, the decisions, the foreign keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.copying.orphans import Decisions, Orphans
from wizard.databases.copying.scope import Pair, pairs
from wizard.databases.postgres import catalog, record
from wizard.databases.postgres.target import Target, open_target
from wizard.databases.sqlite.schema import open_readonly, read_schema
from wizard.errors import StepFailed
from wizard.steps.workshop import bookkeeping, decided, naive_zone


@dataclass(frozen=True, slots=True)
class Moving:
    """Source and target, open. `source` is the snapshot, `snapshot` its file's name.

    `zone` is the one in which the app means times without an offset.
    """

    snapshot: str
    source: sqlite3.Connection
    target: Target
    pairs: tuple[Pair, ...]
    decisions: Decisions
    orphans: Orphans
    zone: str

    @property
    def names(self) -> list[str]:
        return [pair.name for pair in self.pairs]


@contextmanager
def moving(ctx: RunContext, snapshot: Path | None = None) -> Iterator[Moving]:
    """Both sides, closed at the end. `snapshot` stands in for the run's current one.

    Raises StepFailed `schema-missing` before the step `schema` has made the tables.
    """
    decisions = decided(ctx.project, ctx.answers)
    path = snapshot or ctx.snapshot_path
    with closing(open_readonly(path)) as source, open_target(ctx) as target:
        found = record.get(target.connection, ctx.run)
        if found is None or "foreign_keys" not in found.facts:
            raise StepFailed(
                "schema-missing", "The target's tables do not stand yet.", "`ashore resume` makes them."
            )
        keys = [
            catalog.ForeignKey(table, tuple(columns), parent, tuple(parents))
            for table, columns, parent, parents in found.facts["foreign_keys"]
        ]
        tables = catalog.read_tables(target.connection, target.schema)
        both = pairs(read_schema(source), tables, bookkeeping(ctx.project, ctx.answers), decisions)
        copied = {pair.name for pair in both}
        orphans = Orphans((k for k in keys if {k.table, k.parent} <= copied), decisions)
        yield Moving(path.name, source, target, both, decisions, orphans, naive_zone(ctx))
