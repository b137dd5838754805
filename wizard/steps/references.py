"""Rewrites what the database says of files to the addresses they have now, and says what dangles."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.postgres.target import open_target
from wizard.events import FindingSeen, Progress, Warned
from wizard.frameworks.django import settings as django_settings
from wizard.references.apply import apply
from wizard.references.columns import text_columns
from wizard.references.files import Files, store_names
from wizard.references.find import Found, find
from wizard.references.locate import MediaUrl
from wizard.sources.inventory import open_inventory
from wizard.steps import moves
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
    if not ctx.answers.storage or ctx.answers.references == "keep":
        return "references stay as they are"
    media_url, media_root = _media(ctx)
    media = MediaUrl.parse(media_url)
    with open_inventory(ctx) as inventory:
        stores = store_names([path for _, path in inventory.stores()], ctx.project.root, media_root)
        files = Files(inventory, stores, ctx.answers.storage)
        skipped = workshops.bookkeeping(ctx.project, ctx.answers)
        found = find(ctx.snapshot_path, files, media, skip_tables=skipped, cancel=ctx.cancel)
        mode = _mode(ctx, files, media)
        rewritten = too_long = 0
        if mode == "rewrite" and media is not None and found.columns:
            rewritten, too_long = _rewrite(ctx, files, media, found)
    facts = _facts(mode, media_url, found)
    ctx.journal.put(name, "summary", {**facts, "rewritten": rewritten, "too_long": too_long})
    _tell(ctx, found, too_long)
    return _sentence(mode, found, rewritten)


def _media(ctx: RunContext) -> tuple[str, Path | None]:
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
    if media is None:
        return "whole-site"
    return "rewrite" if files.own else "signed"


def _rewrite(ctx: RunContext, files: Files, media: MediaUrl, found: Found) -> tuple[int, int]:
    """Returns how many values this run has rewritten in all its executions, and how many were too long."""
    seen = too_long = 0

    def progress(rows: int) -> None:
        nonlocal seen
        seen += rows
        ctx.emit(Progress(name, "", seen, None, "rows", f"{table}.{column}"))

    with open_target(ctx) as target:
        columns = text_columns(target.connection, target.schema)
        for table, column in sorted(found.columns):
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
            too_long += apply(target, spec, files, media, ctx.cancel, progress).too_long
        row = target.connection.execute(
            "SELECT count(*) FROM ashore.before_image WHERE run = %s", (ctx.run,)
        ).fetchone()
    return (int(row[0]) if row else 0), too_long


def _facts(mode: str, media_url: str, found: Found) -> dict[str, object]:
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


def _tell(ctx: RunContext, found: Found, too_long: int) -> None:
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


def _sentence(mode: str, found: Found, rewritten: int) -> str:
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
        parts.append(f"{found.unnamed:,} files are named by no value")
    return "; ".join(parts)
