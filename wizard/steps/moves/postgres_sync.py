"""PostgreSQL → PostgreSQL: carries over what changed at the source since the dump, three-way, and proves it.

The new dump's name goes into the target's record in the transaction that applies it: a kill anywhere is
decided by that name.
"""

from __future__ import annotations

import shutil

from wizard.context import RunContext
from wizard.databases.postgres import record
from wizard.databases.postgres.dumps import apply, diff, dump, load
from wizard.databases.postgres.dumps.apply import Change
from wizard.databases.postgres.dumps.dump import Dump
from wizard.databases.postgres.target import SYNCED, Target
from wizard.errors import NotAsPlanned, UsageError
from wizard.steps.moves import postgres_verify, postgres_work


def run(ctx: RunContext) -> str:
    """Sync until the source equals what was verified. May be repeated at any time.

    Raises NotAsPlanned `source-changed`, `target-changed`; Undecided; Differences.
    """
    _settle(ctx)
    base = postgres_work.frozen(ctx)
    # The target first, even where nothing changed at the source: once the app writes there, the move is over.
    proven = postgres_verify.require_untouched(ctx, base)
    new = postgres_work.take(ctx, _next(base.folder.name), "cutover")
    if new.fingerprint != base.fingerprint:
        shutil.rmtree(new.folder)
        raise NotAsPlanned(
            "source-changed",
            "The source's tables or migrations changed since the plan; its new rows were not carried over.",
            "Start anew with `ashore run` on an empty database.",
        )
    ctx.cancel.check()
    work = ctx.folder.work / "sync"
    shutil.rmtree(work, ignore_errors=True)
    found = diff.changes(base, new, work, ctx.cancel)
    if not found and new.about["sequences"] == base.about["sequences"]:
        shutil.rmtree(new.folder)
        shutil.rmtree(work, ignore_errors=True)
        return "no row changed meanwhile"
    postgres_work.settle_decisions(ctx, postgres_work.judged(ctx, new), "the new rows were not carried over.")
    seen = {change.table.label: proven[change.table.label] for change in found}
    with postgres_work.opened(ctx) as target:
        written, deleted = apply.apply(target, new, found, seen, {SYNCED: new.folder.name})
    shutil.rmtree(work, ignore_errors=True)
    _adopt(ctx, new.folder.name)
    return f"{written:,} rows written and {deleted:,} taken out in {len(found)} tables that changed meanwhile"


def _next(name: str) -> str:
    number = int(name.removeprefix("sync-").removesuffix(".pgdump")) + 1 if name.startswith("sync-") else 1
    return f"sync-{number}.pgdump"


def _settle(ctx: RunContext) -> None:
    """After a kill: the target says which dump it holds; finish what that one still lacks."""
    with postgres_work.opened(ctx) as target:
        state = record.get(target.connection, ctx.run)
    held = None if state is None else state.facts.get(SYNCED)
    if held is not None and held != ctx.journal.get("cutover", "finished"):
        _adopt(ctx, str(held))


def _adopt(ctx: RunContext, name: str) -> None:
    """The target holds this dump: go on from it, and prove it."""
    from wizard.steps.moves import postgres_references

    ctx.journal.put(postgres_work.FACTS, "current", name)
    postgres_references.run(ctx)
    postgres_work.constraints(ctx)
    postgres_verify.prove(ctx)
    ctx.journal.put("cutover", "finished", name)


def settled(ctx: RunContext) -> bool:
    """Whether the source still is what was verified last. Reads only."""
    base = postgres_work.frozen(ctx)
    folder = ctx.folder.work / "settled.pgdump"
    try:
        new = dump.take(postgres_work.source_url(ctx), ctx.run, folder, ctx.cancel)
        old = {table.label: table.content for table in base.tables}
        return new.fingerprint == base.fingerprint and all(
            old.get(table.label) == table.content for table in new.tables
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reconcile(ctx: RunContext, target: Target, copied: Dump) -> int:
    """A record from a lost state folder: its chunks are believed only where this dump's are the same.

    Tables that differ go whole, all in one transaction. Returns how many. Raises UsageError `target-changed`
    where a table does not hold the rows that the record tells of.
    """
    different: list[Change] = []
    for table in copied.tables:
        known = load.recorded(target, table)
        ours = [bytes.fromhex(chunk.sha256) for chunk in table.chunks[: len(known)]]
        if ours != [digest for _, digest in known]:
            different.append(Change(table, table.rows, sum(rows for rows, _ in known)))
    if not different:
        return 0
    with target.connection.cursor() as cursor:
        seen = apply.versions(cursor, [change.table for change in different])
    for change in different:
        if seen[change.table.label][0] != change.deleted:
            raise UsageError(
                "target-changed",
                f"Rows of the target's table {change.table.label} were added or removed since ashore loaded "
                "it. They were left as they are.",
                "If the app already uses this database, the move is done; else use an empty database.",
            )
    apply.apply(target, copied, different, seen, {})
    return len(different)
