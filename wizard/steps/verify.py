"""Proves that everything arrived: every value of every row, every byte of every object.

The comparing is done by `wizard.verifying`, which shares no conversion with what wrote the data. Rows are
compared in full in either mode of the answer `verify`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from wizard.context import RunContext
from wizard.databases.copying import carry
from wizard.databases.copying.carry import Version
from wizard.databases.postgres import catalog, record
from wizard.databases.postgres.target import Target, open_target
from wizard.errors import AshoreError, Differences, NotAsPlanned
from wizard.events import FindingSeen, Warned
from wizard.frameworks.django import settings
from wizard.sources.inventory import open_inventory
from wizard.steps import moves
from wizard.steps.provision import moves_database
from wizard.steps.workshop import bookkeeping, decided, naive_zone
from wizard.verifying.database import DatabaseComparison, compare_database
from wizard.verifying.differences import Difference, readable
from wizard.verifying.objects import ObjectComparison, ObjectDifference, verify_objects

name = "verify"
SHOWN = 20


def run(ctx: RunContext) -> str:
    """Compare, and record what was compared (facts `verify`/`database`, `verify`/`objects`).

    Raises Differences `differences`, ConnectionLost, Refused, Stopped. May be repeated at any time.
    """
    said, found, compared = [], 0, ""
    way = moves.of(ctx)
    if way is not None:
        summary, found = way.verify(ctx)
        said.append(summary)
    elif moves_database(ctx):
        rows = _compare(ctx)
        found += rows.total
        for note in rows.notes:
            ctx.emit(Warned("verify-note", note))
        _tell(ctx, rows.differences)
        said.append(
            f"{rows.rows:,} rows of {rows.tables} tables, {rows.values:,} values compared"
            + (" in full" if ctx.answers.verify == "digest" else "")
            + f", {rows.total:,} differences"
        )
    if ctx.answers.storage:
        compared = inventory_digest(ctx)
        objects = verify_objects(ctx)
        ctx.journal.put(name, "objects", _objects_fact(ctx, objects))
        found += objects.different
        _tell(ctx, objects.differences)
        said.append(
            f"{objects.objects:,} files, {objects.bytes:,} bytes compared, {objects.different:,} differences"
            + (f", {objects.kept:,} kept as they stood and not compared" if objects.kept else "")
            + (f", {objects.left:,} left where they are" if objects.left else "")
            + (f", {len(objects.not_moved):,} not moved" if objects.not_moved else "")
        )
    if found:
        raise Differences(
            "differences",
            "Source and target differ: " + "; ".join(said) + ".",
            "The source is unchanged and still complete; do not switch over. The differences are in the "
            "events and in the run's journal. Mend them or find out who wrote there, then `ashore resume` "
            "compares again.",
        )
    if ctx.answers.storage:
        ctx.journal.put(name, "inventory", compared)
    if moves_database(ctx):
        _mark(ctx, said)
    return "; ".join(said) or "nothing to compare"


def inventory_digest(ctx: RunContext) -> str:
    """Identifies the files as last listed. Fact (`verify`, `inventory`): the list that was proven."""
    digest = hashlib.sha256()
    with open_inventory(ctx) as inventory:
        for store, entry in inventory.entries():
            digest.update(repr((store, entry.path, entry.sha256)).encode())
    return digest.hexdigest()


def compare_rows(ctx: RunContext, refuse_as: type[AshoreError] = Differences) -> DatabaseComparison:
    """Compare the current snapshot with the target's rows; raises `refuse_as` `target-changed` where they
    differ, i.e. where someone else wrote to the target."""
    rows = _compare(ctx)
    if rows.total:
        _tell(ctx, rows.differences)
        raise refuse_as(
            "target-changed",
            f"The target is no longer what this run wrote: {rows.total:,} differences, the first: "
            f"{redacted(ctx, rows.differences[0].message)}. Nothing more was written.",
            "Find out what writes to the target; the source is unchanged. Then `ashore resume`.",
        )
    return rows


def require_untouched(ctx: RunContext) -> dict[str, Version]:
    """What the target's tables hold, by table, where nobody wrote since they were found equal to the
    snapshot. Where the cheap look does not tell, they are compared in full.

    Raises NotAsPlanned `target-changed`.
    """
    with open_target(ctx) as target:
        seen = _versions(target)
    proven = ctx.journal.get(name, "versions")
    if proven is None or {table: tuple(version) for table, version in proven.items()} != seen:
        compare_rows(ctx, refuse_as=NotAsPlanned)
    return seen


def _versions(target: Target) -> dict[str, Version]:
    with target.connection.cursor() as cursor:
        tables = catalog.read_tables(target.connection, target.schema).values()
        return carry.versions(cursor, target, [table.name for table in tables if table.owned])


def _compare(ctx: RunContext) -> DatabaseComparison:
    with open_target(ctx) as target:
        seen = _versions(target)  # before it is compared: a write meanwhile is one that was not proven
        rows = compare_database(
            ctx.snapshot_path, target.connection, target.schema, decisions=decided(ctx.project, ctx.answers),
            skip_tables=bookkeeping(ctx.project, ctx.answers), run=ctx.run, scratch=ctx.folder.work,
            naive_zone=naive_zone(ctx), emit=ctx.emit, cancel=ctx.cancel,
            public_bases=public_bases(ctx),
        )  # fmt: skip
    ctx.journal.put(name, "database", _rows_fact(ctx, rows))
    if not rows.total:
        ctx.journal.put(name, "versions", seen)
    return rows


def public_bases(ctx: RunContext) -> tuple[str, ...]:
    """What the addresses of public files begin with, up to the path in the media folder."""
    bases: list[str] = []
    for need in ctx.plan.needs:
        if need.kind != "storage" or need.access != "public":
            continue
        if need.public_address:
            begin = f"{need.public_address.rstrip('/')}/{need.prefix}"
            bases += [begin, *(begin + inner for inner in _inner_folders(ctx))]
    return tuple(dict.fromkeys(bases))


def _inner_folders(ctx: RunContext) -> list[str]:
    """Where the folder that moves lies above the app's media folder: the path between them."""
    django = next((f for f in ctx.project.frameworks if f.name == "django"), None)
    root = None if django is None else settings.read(ctx.project.root, django).media_root
    if root is None:
        return []
    named = [rule.source for rule in ctx.answers.storage if rule.source is not None]
    named += [store.path for store in ctx.project.stores if store.kind == "uploads"]
    above = [ctx.project.root / path for path in dict.fromkeys(named)]
    return [f"{root.relative_to(f).as_posix()}/" for f in above if f != root and root.is_relative_to(f)]


def _mark(ctx: RunContext, said: list[str]) -> None:
    """Note in the target's record which snapshot was proven, for a run whose state folder is lost."""
    with open_target(ctx) as target, target.transaction() as cursor:
        facts = {"verified": {"snapshot": ctx.snapshot_path.name, "summary": "; ".join(said)}}
        record.add_facts(cursor, ctx.run, facts)


def _tell(ctx: RunContext, differences: tuple[Difference, ...] | tuple[ObjectDifference, ...]) -> None:
    for difference in differences[:SHOWN]:
        if isinstance(difference, Difference):
            subject, message = difference.subject, difference.message
        else:
            subject = f"{difference.store}/{difference.path}"
            message = f"{subject} ({difference.key}): {difference.what}"
        ctx.emit(FindingSeen("difference", "error", readable(redacted(ctx, message)), readable(subject)))


def redacted(ctx: RunContext, value: Any) -> Any:
    """Every text in a JSON-like value without the secrets this run knows."""
    if isinstance(value, str):
        return ctx.redactor.text(value)
    if isinstance(value, dict):
        return {key: redacted(ctx, part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(ctx, part) for part in value]
    return value


def _rows_fact(ctx: RunContext, rows: DatabaseComparison) -> Any:
    return redacted(ctx, {**asdict(rows), "snapshot": ctx.snapshot_path.name, "mode": "full"})


def _objects_fact(ctx: RunContext, objects: ObjectComparison) -> Any:
    return redacted(ctx, asdict(objects))
