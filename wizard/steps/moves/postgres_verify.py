"""Comparing a dump with the target, and telling what differs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from psycopg import sql

from wizard.context import RunContext
from wizard.databases.postgres import record
from wizard.databases.postgres.dumps import dump
from wizard.databases.postgres.dumps.apply import Version, versions
from wizard.databases.postgres.dumps.dump import Dump, Rows
from wizard.databases.postgres.target import Target
from wizard.errors import Differences, NotAsPlanned
from wizard.events import FindingSeen, Warned
from wizard.steps import verify as step
from wizard.steps.moves import postgres_work
from wizard.verifying.differences import readable
from wizard.verifying.postgres_rows import DumpComparison, compare_dump

SHOWN = 20


def run(ctx: RunContext) -> tuple[str, int]:
    """(summary, differences). Notes in the record which dump was proven."""
    found = compare(ctx, postgres_work.current(ctx))
    for note in found.notes:
        ctx.emit(Warned("verify-note", note))
    tell(ctx, found)
    said = (
        f"{found.rows:,} rows of {found.tables} tables, {found.values:,} values compared, "
        f"{found.total:,} differences"
    )
    if not found.total:
        facts = {"verified": {"snapshot": postgres_work.current(ctx).name, "summary": said}}
        with postgres_work.opened(ctx) as target, target.transaction() as cursor:
            record.add_facts(cursor, ctx.run, facts)
    return said, found.total


def compare(ctx: RunContext, folder: Path) -> DumpComparison:
    """Compare, and write the facts of it down; where all is equal also what the tables held."""
    tables = dump.load(folder).tables
    left = {subject for subject, codes in postgres_work.chosen(ctx).items() if "leave" in codes.values()}
    with postgres_work.opened(ctx) as target:
        seen = _versions(target, tables)  # before it is compared: a write meanwhile was not proven
        found = compare_dump(
            folder, target.connection, run=ctx.run, scratch=ctx.folder.work, emit=ctx.emit,
            cancel=ctx.cancel, public_bases=step.public_bases(ctx), left=left,
        )  # fmt: skip
    fact = {**asdict(found), "snapshot": folder.name, "mode": "full"}
    ctx.journal.put("verify", "database", step.redacted(ctx, fact))
    if not found.total:
        ctx.journal.put("verify", "versions", seen)
    return found


def tell(ctx: RunContext, found: DumpComparison) -> None:
    """The first differences as findings."""
    for difference in found.differences[:SHOWN]:
        message = readable(ctx.redactor.text(difference.message))
        ctx.emit(FindingSeen("difference", "error", message, readable(difference.subject)))


def _versions(target: Target, tables: tuple[Rows, ...]) -> dict[str, Version]:
    """Of those that stand: one that is gone is for the comparison to name."""
    with target.connection.cursor() as cursor:
        there = []
        for table in tables:
            place = sql.Identifier(table.schema, table.name).as_string(cursor)
            if cursor.execute("SELECT to_regclass(%s)", (place,)).fetchone() != (None,):
                there.append(table)
        return versions(cursor, there)


def require_untouched(ctx: RunContext, base: Dump) -> dict[str, Version]:
    """What the target's tables hold, by label, where nobody wrote since they were found equal to the dump.
    Where the cheap look does not tell, they are compared in full.

    Raises NotAsPlanned `target-changed` where the target is not the dump plus recorded rewrites.
    """
    with postgres_work.opened(ctx) as target:
        seen = _versions(target, base.tables)
    proven = ctx.journal.get("verify", "versions")
    if proven is not None and {label: tuple(version) for label, version in proven.items()} == seen:
        return seen
    found = compare(ctx, base.folder)
    if found.total:
        tell(ctx, found)
        first = ctx.redactor.text(found.differences[0].message)
        raise NotAsPlanned(
            "target-changed",
            f"The target is no longer what this run wrote: {found.total:,} differences, the first: {first}. "
            "Nothing more was written.",
            "Find out what writes to the target; the source is unchanged. Then `ashore resume`.",
        )
    return seen


def prove(ctx: RunContext) -> None:
    """Raises Differences where the newest dump and the target differ."""
    said, count = run(ctx)
    if count:
        raise Differences(
            "differences",
            f"Source and target differ: {said}.",
            "The source is unchanged and still complete; do not switch over. `ashore resume` compares again.",
        )
