"""Carries over what changed at the source since the snapshot, rows and files, and verifies it.

Three-way: the base snapshot, a new one, and the target, which must still be base plus the recorded
rewrites. Anything else in the target is a conflict, and the sync refuses. Order of safety: judge the new
rows, apply them in one transaction that also records the new snapshot's name in the target, then
references, constraints, verification. A kill anywhere is decided by that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from wizard.context import RunContext
from wizard.databases.copying import carry
from wizard.databases.copying.meter import Meter
from wizard.databases.copying.mixed import carrier
from wizard.databases.copying.scope import Pair
from wizard.databases.postgres import record
from wizard.databases.postgres.constraints import put_aside, saved_objects
from wizard.databases.postgres.target import SYNCED, Target, open_target
from wizard.databases.sqlite import snapshot
from wizard.databases.sqlite.changes import TableChange, changes, compared
from wizard.decisions import require_decided
from wizard.errors import NotAsPlanned
from wizard.sources import inventory
from wizard.steps import backup, constraints, moves, pausing, preflight, recheck, references, upload, verify
from wizard.steps.copy import table_load
from wizard.steps.moving import moving
from wizard.steps.provision import moves_database
from wizard.steps.snapshot import FILE
from wizard.steps.workshop import bookkeeping

name = "cutover"


def run(ctx: RunContext) -> str:
    """Sync rows and files until the source equals what was verified. May be repeated at any time.

    Raises NotAsPlanned `source-changed` (its schema), `target-changed` (someone else wrote there),
    Undecided where a new row cannot be carried exactly, Differences.
    """
    pausing.tell(ctx)
    way = moves.of(ctx)
    if moves_database(ctx):
        _settle(ctx)
        verify.require_untouched(ctx)
    said = [_files(ctx)] if ctx.answers.storage else []
    if way is not None:
        said.append(way.cutover(ctx))
    elif moves_database(ctx):
        said.append(_rows(ctx))
    return "; ".join(s for s in said if s) or "nothing to carry over"


def _files(ctx: RunContext) -> str:
    """Files that are new or changed since the inventory."""
    inventory.take(ctx)
    if verify.inventory_digest(ctx) == ctx.journal.get(verify.name, "inventory"):
        return "no file changed meanwhile"
    backup.run(ctx)
    summary = upload.run(ctx)
    verify.run(ctx)
    return f"files changed meanwhile and were sent: {summary}"


def _rows(ctx: RunContext) -> str:
    source = ctx.source_path
    if source is None or not source.exists():
        raise NotAsPlanned(
            "source-gone",
            "The source database is not there any more; what was verified is the last snapshot of it.",
            "Put it back, or go on with `ashore resume` once you know why it is gone.",
        )
    base = ctx.snapshot_path
    new, facts = _new_snapshot(ctx, source)
    known = ctx.journal.get("snapshot", "facts" if base.name == FILE else "synced") or {}
    if known.get("sha256") == facts["sha256"]:
        new.unlink()
        return "no row changed meanwhile"
    with compared(base, new) as connection:
        found = changes(connection, skip=bookkeeping(ctx.project, ctx.answers))
    if not found:
        new.unlink()
        return "no row changed meanwhile"
    _judge(ctx, new)
    # Proven equal to the base; nobody may write to what changes between that and the sync.
    seen = verify.require_untouched(ctx)
    seen = {change.table: seen[change.table] for change in found if change.table in seen}
    changed = _apply(ctx, base, new, found, seen)
    _adopt(ctx, new.name, facts)
    return changed


def _settle(ctx: RunContext) -> None:
    """After a kill: the target says which snapshot it holds; finish what that one still lacks.

    It comes before all else: until then nothing can be compared with the snapshot that the journal names.
    """
    with open_target(ctx) as target:
        state = record.get(target.connection, ctx.run)
        waiting = saved_objects(target.connection, ctx.run)
    held = None if state is None else state.facts.get(SYNCED)
    if held is None or held == ctx.journal.get("cutover", "finished"):
        if waiting:
            constraints.run(ctx)
        return
    facts = ctx.journal.get("cutover", "taken") or {}
    _adopt(ctx, str(held), facts)


def _new_snapshot(ctx: RunContext, source: Path) -> tuple[Path, dict[str, object]]:
    number = 1
    current = ctx.snapshot_path.name
    if current.startswith("sync-"):
        number = int(current.removeprefix("sync-").removesuffix(".sqlite3")) + 1
    path = ctx.folder.snapshots / f"sync-{number}.sqlite3"
    path.unlink(missing_ok=True)
    taken = snapshot.take(source, path, cancel=ctx.cancel)
    if taken.fingerprint != ctx.plan.source_fingerprint:
        path.unlink()
        raise NotAsPlanned(
            "source-changed",
            "The source's tables or migrations changed since the plan; its new rows were not carried over.",
            "Start anew with `ashore run` on an empty database.",
        )
    facts: dict[str, object] = {"bytes": taken.bytes, "sha256": taken.sha256, "counts": dict(taken.counts)}
    ctx.journal.put("cutover", "taken", facts)
    return path, facts


def _judge(ctx: RunContext, new: Path) -> None:
    """Preflight and recheck for the new rows, before any of them is written."""
    found = list(preflight.judge(ctx.project, ctx.answers, new, ctx.cancel))
    with moving(ctx, new) as both:
        found += recheck.judge(ctx, both)[0]
    ctx.journal.put("cutover", "decisions", [asdict(d) for d in found])
    require_decided(found, "the rows that changed meanwhile were not carried over.")


def _apply(
    ctx: RunContext,
    base: Path,
    new: Path,
    found: tuple[TableChange, ...],
    seen: Mapping[str, carry.Version],
) -> str:
    by_name = {change.table: change for change in found}
    meter = Meter(ctx.emit, name, {c.table: c.added + c.changed for c in found})
    deleted = written = 0
    with moving(ctx, new) as both:
        both.source.execute("ATTACH DATABASE ? AS base", (f"{base.absolute().as_uri()}?mode=ro",))
        names = [pair.name for pair in both.pairs if pair.name in by_name]
        put_aside(both.target, names)
        with both.target.transaction() as cursor:
            carry.require_unchanged(cursor, both.target, seen)
            for pair in both.pairs:
                change = by_name.get(pair.name)
                if change is None:
                    continue
                orphans = both.orphans.keys(pair.name) and _decides_orphans(both.decisions, pair.name)
                if orphans or _mixes_key(both.decisions, pair):
                    change = TableChange(
                        change.table, change.added, change.changed, change.deleted, whole=True
                    )
                key = [c for k in pair.source.primary_key for c in pair.columns if c.name == k]
                coercers = [
                    (place, carrier(column, both.decisions.get(f"{pair.name}.{column.name}", {}), both.zone))
                    for place, column in enumerate(key)
                ]
                deleted += carry.delete_old(cursor, both.target, both.source, pair, change, coercers)
                load = table_load(ctx, both, pair, meter, partial(carry.new_rows, change=change))
                written += load.stream(cursor).rows
                record.forget_chunks(cursor, ctx.run, pair.name, _count(cursor, both.target, pair.name))
            record.add_facts(cursor, ctx.run, {SYNCED: new.name})
    return f"{written:,} rows written and {deleted:,} taken out in {len(names)} tables that changed meanwhile"


def _count(cursor: psycopg.Cursor, target: Target, table: str) -> int:
    row = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(target.table(table))).fetchone()
    return int(row[0]) if row else 0


def _mixes_key(decisions: Mapping[str, Mapping[str, str]], pair: Pair) -> bool:
    """Whether different keys of the source may be the same in the target."""
    return any("mixed_types" in decisions.get(f"{pair.name}.{c}", {}) for c in pair.source.primary_key)


def _decides_orphans(decisions: Mapping[str, Mapping[str, str]], table: str) -> bool:
    """Rows of such a table can change with their parents: it goes whole."""
    return any("orphans" in d and s.partition(".")[0] == table for s, d in decisions.items())


def _adopt(ctx: RunContext, snapshot_name: str, facts: dict[str, object]) -> None:
    """The target holds this snapshot: go on from it, and prove it."""
    ctx.journal.put_many("snapshot", {"current": snapshot_name, **({"synced": facts} if facts else {})})
    references.run(ctx)
    constraints.run(ctx)
    verify.run(ctx)
    ctx.journal.put("cutover", "finished", snapshot_name)
