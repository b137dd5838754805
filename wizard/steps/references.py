"""Rewrites what the database says of files to the addresses they have now, and says what dangles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.postgres.target import open_target
from wizard.events import FindingSeen, Progress, Warned
from wizard.frameworks.django import settings as django_settings
from wizard.references.apply import Change, apply_change
from wizard.references.columns import text_columns
from wizard.references.files import Files, store_names
from wizard.references.find import Found, find
from wizard.references.locate import MediaUrl
from wizard.references.repairs import HOST, Repairs
from wizard.references.rewrite import rewrite
from wizard.sources.inventory import open_inventory
from wizard.steps import moves, repairing
from wizard.steps import workshop as workshops

name = "references"
DEFAULT_MEDIA_URL = "/media/"


def run(ctx: RunContext) -> str:
    """Look for references; with public access rewrite them in the target, with before-images.

    The journal's fact ("references", "summary") counts what was found, rewritten, dangling and unnamed.
    """
    if (way := moves.of(ctx)) is not None:
        return way.references(ctx)
    if ctx.source_path is None or ctx.answers.database is None:
        return "no database moves"
    if not wanted(ctx):
        return "references stay as they are"
    media_url, media_root = media_folder(ctx)
    media = MediaUrl.parse(media_url)
    with open_inventory(ctx) as inventory, repairing.opened(ctx) as repairs:
        stores = store_names([path for _, path in inventory.stores()], ctx.project.root, media_root)
        files = Files(inventory, stores, ctx.answers.storage)
        skipped = workshops.bookkeeping(ctx.project, ctx.answers)
        found = Found()
        if ctx.answers.storage:
            found = find(ctx.snapshot_path, files, media, skip_tables=skipped, cancel=ctx.cancel)
        mode = _mode(ctx, files, media)
        rewritten = too_long = 0
        links = found.columns if mode == "rewrite" and media is not None else set()
        if links or repairing.wanted(ctx.answers):

            def relink(text: str) -> tuple[str, int]:
                assert media is not None
                return rewrite(text, media, files.known, files.address, files.own)

            needles = media.needles() if media is not None else ()
            rewritten, too_long = _rewrite(ctx, links, needles, relink, repairs)
        more = repairing.tell(ctx, repairs)
        said = repairing.sentence(repairs)
    counted = {**facts(mode, media_url, found), **more}
    ctx.journal.put(name, "summary", {**counted, "rewritten": rewritten, "too_long": too_long})
    tell(ctx, found, too_long)
    return sentence(mode, found, rewritten) + said


def wanted(ctx: RunContext) -> bool:
    """Whether the database is looked through: files move, or malformed addresses are to be repaired."""
    return ctx.answers.references != "keep" and bool(ctx.answers.storage or repairing.wanted(ctx.answers))


def media_folder(ctx: RunContext) -> tuple[str, Path | None]:
    """MEDIA_URL and MEDIA_ROOT, as the app's settings say."""
    django = next((f for f in ctx.project.frameworks if f.name == "django"), None)
    if django is None:
        return DEFAULT_MEDIA_URL, None
    settings = django_settings.read(ctx.project.root, django)
    return settings.media_url or DEFAULT_MEDIA_URL, settings.media_root


def _mode(ctx: RunContext, files: Files, media: MediaUrl | None) -> str:
    """`rewrite`, `report`, or why not: `signed` (nothing has a public address), `whole-site`."""
    if ctx.answers.references == "report":
        return "report"
    if not ctx.answers.storage:
        return "repair"
    if media is None:
        return "whole-site"
    return "rewrite" if files.own else "signed"


def _rewrite(
    ctx: RunContext,
    links: set[tuple[str, str]],
    needles: tuple[str, ...],
    relink: Change,
    repairs: Repairs,
) -> tuple[int, int]:
    """Returns how many values this run has rewritten in all its executions, and how many were too long."""
    seen = too_long = 0

    def progress(rows: int) -> None:
        nonlocal seen
        seen += rows
        ctx.emit(Progress(name, "", seen, None, "rows", f"{table}.{column}"))

    with open_target(ctx) as target:
        columns = text_columns(target.connection, target.schema)
        mended = repairing.named(ctx, columns.values())
        repairing.confirm(ctx, target.connection, mended.values(), repairs)
        for table, column in sorted(links | set(mended)):
            spec = columns.get((table, column))
            if spec is None or not spec.key or column in {k.name for k in spec.key}:
                ctx.emit(
                    Warned(
                        "references-not-rewritten",
                        f"{table}.{column} names files, but is no text, or a row of it cannot be told from "
                        "others by a primary key; it stays as it is.",
                    )
                )
                continue
            change, holds = changing(
                repairs if (table, column) in mended else None,
                relink if (table, column) in links else None,
                needles,
            )
            too_long += apply_change(target, spec, holds, change, ctx.cancel, progress).too_long
        row = target.connection.execute(
            "SELECT count(*) FROM ashore.before_image WHERE run = %s", (ctx.run,)
        ).fetchone()
    return (int(row[0]) if row else 0), too_long


def changing(
    repairs: Repairs | None, relink: Change | None, needles: Sequence[str]
) -> tuple[Change, tuple[str, ...]]:
    """(what changes a text, one of which stands in every text that it changes): both in one, since a value
    has one text before."""
    if repairs is None:
        assert relink is not None
        return relink, tuple(needles)
    if relink is None:
        return repairs.change, (HOST,)
    repair, link = repairs.change, relink

    def both(text: str) -> tuple[str, int]:
        text, repaired = repair(text)
        text, linked = link(text)
        return text, repaired + linked

    return both, (*needles, HOST)


def facts(mode: str, media_url: str, found: Found) -> dict[str, object]:
    return {
        "mode": mode,
        "media_url": media_url,
        "columns": [f"{table}.{column}" for table, column in sorted(found.columns)],
        "addresses": found.addresses,
        "relative": found.relative,
        "hosts": found.hosts,
        "dangling": found.dangling,
        "dangling_examples": [dataclasses.asdict(e) for e in found.dangling_examples],
        "unnamed": found.unnamed,
        "unnamed_examples": found.unnamed_examples,
    }


def tell(ctx: RunContext, found: Found, too_long: int) -> None:
    if too_long:
        ctx.emit(
            Warned(
                "references-too-long",
                f"{too_long:,} values would not fit their column with the new address; they stay as "
                "they are, and the app's redirect serves them.",
            )
        )
    for example in found.dangling_examples:
        column = f"{example.table}.{example.column}"
        ctx.emit(
            FindingSeen(
                "dangling-reference",
                "warning",
                f"{column} ({example.key}) names {example.name}, which does not exist.",
                column,
            )
        )


def sentence(mode: str, found: Found, rewritten: int) -> str:
    if mode == "repair":
        return f"{rewritten:,} values with malformed addresses repaired, undo kept"
    parts = [f"{found.relative:,} names of files stay: the storage finds them"]
    if mode == "rewrite":
        parts.append(f"{rewritten:,} values rewritten, undo kept")
    elif mode == "signed":
        parts.append(
            f"{found.addresses:,} links stay as they are: the app redirects them to signed addresses"
        )
    elif mode == "whole-site":
        parts.append("links are not looked for: MEDIA_URL is the whole site")
    else:
        parts.append(f"{found.addresses:,} links found, none changed")
    if found.dangling:
        parts.append(f"{found.dangling:,} references name files that do not exist")
    if found.unnamed:
        parts.append(
            "1 file is named by no value"
            if found.unnamed == 1
            else f"{found.unnamed:,} files are named by no value"
        )
    return "; ".join(parts)
