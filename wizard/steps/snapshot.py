"""Freezes the source: a consistent copy of the database, and a list of every file with its digests."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Callable

from wizard.context import RunContext
from wizard.databases.sqlite import snapshot
from wizard.errors import NotAsPlanned
from wizard.events import Progress, Warned
from wizard.sources import inventory
from wizard.steps import moves

name = "snapshot"
FILE = "base.sqlite3"


def run(ctx: RunContext) -> str:
    """Take the snapshot once, and the inventory. A finished snapshot is checked, never taken again.

    Raises NotAsPlanned `source-changed` where the schema is not what the plan saw, `snapshot-changed`
    where the copy in the run's folder is no longer what was taken.
    """
    said = []
    if (way := moves.of(ctx)) is not None:
        said.append(way.snapshot(ctx))
    elif ctx.source_path is not None:
        if ctx.journal.get("snapshot", "facts") is None:
            _take(ctx)
        else:
            check(ctx)
        facts = ctx.journal.get("snapshot", "facts") or {}
        said.append(f"{facts['tables']} tables, {facts['rows']:,} rows, {facts['bytes']:,} bytes")
    files = inventory.take(ctx)
    if ctx.answers.storage:
        said.append(f"{files.files:,} files, {files.bytes:,} bytes")
    return "; ".join(said) or "nothing to copy"


def _take(ctx: RunContext) -> None:
    source = ctx.source_path
    assert source is not None
    ctx.folder.snapshots.mkdir(parents=True, exist_ok=True)
    taken_at = datetime.datetime.now(datetime.UTC).isoformat()
    taken = snapshot.take(
        source, ctx.folder.snapshots / FILE, progress=_reporter(ctx, source.name), cancel=ctx.cancel
    )
    if ctx.plan.source_fingerprint not in ("", taken.fingerprint):
        raise NotAsPlanned(
            "source-changed",
            f"The schema of {source.name} is not what the plan saw; nothing was written outside the run's "
            "folder.",
            "Its tables or migrations changed since. Make a new plan with `ashore run`.",
        )
    if taken.side_files:
        ctx.emit(
            Warned("side-files", f"SQLite's own files beside the database: {', '.join(taken.side_files)}.")
        )
    if taken.unchecked:
        ctx.emit(
            Warned(
                "integrity-unchecked",
                "The indexes of these tables use functions of the app and could not be checked: "
                f"{', '.join(taken.unchecked)}.",
            )
        )
    ctx.journal.put_many(
        "snapshot",
        {
            "current": FILE,
            "facts": {
                "bytes": taken.bytes,
                "sha256": taken.sha256,
                "tables": len(taken.counts),
                "rows": sum(rows for _, rows in taken.counts),
                "counts": dict(taken.counts),
                "page_size": taken.page_size,
                "side_files": list(taken.side_files),
                "orphans": taken.orphans,
                "fingerprint": taken.fingerprint,
                "taken_at": taken_at,
            },
        },
    )


def check(ctx: RunContext) -> None:
    """The snapshot that the run reads from is the one the journal knows; nothing where none was taken.

    Raises NotAsPlanned `snapshot-changed`.
    """
    path = ctx.snapshot_path
    facts = ctx.journal.get("snapshot", "facts" if path.name == FILE else "synced")
    if facts is None:
        return
    same = path.is_file() and path.stat().st_size == facts["bytes"]
    if same:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == facts["sha256"]
    if not same:
        raise NotAsPlanned(
            "snapshot-changed",
            f"The snapshot {path} is not the one this run took.",
            "Start anew with `ashore run`; what stands in the target is compared and taken over.",
        )


def _reporter(ctx: RunContext, item: str) -> Callable[[int, int], None]:
    last = Progress(name, "database", -1, None, "pages", item)

    def report(done: int, total: int) -> None:
        nonlocal last
        if done != last.done:
            last = dataclasses.replace(last, done=done, total=total)
            ctx.emit(last)

    return report
