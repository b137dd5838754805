"""References to files inside a PostgreSQL database, moved or kept: looked for, rewritten with undo, told."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.databases.postgres.target import Target, open_target
from wizard.events import Progress, Warned
from wizard.references.apply import apply_change
from wizard.references.columns import ARRAYS, columns_everywhere
from wizard.references.files import Files, public_base, store_names
from wizard.references.find import Found
from wizard.references.repairs import Repairs
from wizard.references.server import Places, find_server
from wizard.sources.inventory import open_inventory
from wizard.steps import references as step
from wizard.steps import repairing


def wanted(ctx: RunContext) -> bool:
    """Whether the database is looked through at all."""
    return step.wanted(ctx)


def writes(ctx: RunContext) -> bool:
    """Whether this run may change values: links get new addresses only where files become public, malformed
    addresses are repaired where that was decided."""
    public = any(public_base(rule) is not None for rule in ctx.answers.storage)
    repairs = bool(repairing.wanted(ctx.answers))
    return wanted(ctx) and ctx.answers.references == "rewrite" and (public or repairs)


def run(ctx: RunContext) -> str:
    """Look through the target; with public access rewrite there. The journal's fact ("references",
    "summary") counts what was found, rewritten, dangling and unnamed."""
    if not wanted(ctx):
        return "references stay as they are"
    with open_target(ctx) as target:
        return look(ctx, target)


def look(ctx: RunContext, target: Target) -> str:
    """`run` on an open target."""
    media_url, media_root = step.media_folder(ctx)
    with open_inventory(ctx) as inventory, repairing.opened(ctx) as repairs:
        paths = [path for _, path in inventory.stores()]
        stores = store_names(paths, ctx.project.root, media_root)
        files = Files(inventory, stores, ctx.answers.storage)
        places = Places.of(files, paths, media_url if media_root is not None else None)
        columns = columns_everywhere(target.connection)
        found = Found()
        if ctx.answers.storage:
            found = find_server(target.connection, list(columns.values()), places, ctx.cancel)
        mode = "report" if ctx.answers.references == "report" else "rewrite" if files.own else "signed"
        if not ctx.answers.storage:
            mode = "repair"
        rewritten = too_long = 0
        links = found.columns if mode == "rewrite" else set()
        if links or repairing.wanted(ctx.answers):
            too_long = _rewrite(ctx, target, places, links, repairs)
        if writes(ctx):
            row = target.connection.execute(
                "SELECT count(*) FROM ashore.before_image WHERE run = %s", (ctx.run,)
            ).fetchone()
            rewritten = int(row[0]) if row else 0
        more = repairing.tell(ctx, repairs)
        said = repairing.sentence(repairs)
    facts = {**step.facts(mode, media_url, found), **more}
    ctx.journal.put(step.name, "summary", {**facts, "rewritten": rewritten, "too_long": too_long})
    step.tell(ctx, found, too_long)
    return step.sentence(mode, found, rewritten) + said


def _rewrite(
    ctx: RunContext, target: Target, places: Places, links: set[tuple[str, str]], repairs: Repairs
) -> int:
    """Returns how many values were too long."""
    columns = columns_everywhere(target.connection)
    seen = too_long = 0
    mended = repairing.named(ctx, columns.values())
    repairing.confirm(ctx, target.connection, mended.values(), repairs)
    for label, name in sorted(links | set(mended)):
        column = columns[label, name]
        if not column.key or name in {k.name for k in column.key} or _limited(column.type, column.limit):
            ctx.emit(
                Warned(
                    "references-not-rewritten",
                    f"{label}.{name} names files, but a row of it cannot be told from others by a primary "
                    "key, or it is a list of texts of limited length; it stays as it is.",
                )
            )
            continue

        def progress(rows: int, item: str = f"{label}.{name}") -> None:
            nonlocal seen
            seen += rows
            ctx.emit(Progress(step.name, "", seen, None, "rows", item))

        change, needles = step.changing(
            repairs if (label, name) in mended else None,
            places.change if (label, name) in links else None,
            places.needles,
        )
        done = apply_change(target, column, needles, change, ctx.cancel, progress)
        too_long += done.too_long
    return too_long


def _limited(kind: str, limit: int | None) -> bool:
    return kind in ARRAYS and limit is not None
