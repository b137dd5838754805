"""A MongoDB database that stays: what each step does. It is written to only where links are rewritten."""

from __future__ import annotations

from dataclasses import asdict

from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.mongo import catalog, record
from wizard.events import FindingSeen, Warned
from wizard.references import documents_undo
from wizard.references.files import public_base
from wizard.sources.progress import Meter
from wizard.steps import repairing
from wizard.steps.moves import mongo_judge, mongo_references, mongo_work
from wizard.steps.moves.mongo_verify import SHOWN, bases
from wizard.verifying.differences import readable
from wizard.verifying.documents_kept import compare_kept


def writes(ctx: RunContext) -> bool:
    """Whether this run may change documents: links get new addresses only where files become public,
    malformed addresses are repaired where that was decided."""
    public = any(public_base(rule) is not None for rule in ctx.answers.storage)
    return ctx.answers.references == "rewrite" and (public or bool(repairing.wanted(ctx.answers)))


def preflight(ctx: RunContext) -> str:
    """Nothing moves; malformed addresses can be repaired where they stand. Raises Undecided."""
    found = mongo_judge.judge_addresses(ctx, mongo_work.frozen(ctx))
    mongo_work.settle_decisions(ctx, found)
    return "the database stays" + (f", {len(found)} decisions, all taken" if found else "")


def provision(ctx: RunContext) -> str:
    """Make the run's record in the database, where the run will write to it."""
    if not writes(ctx):
        return "nothing is written to the database"
    with mongo_work.opened(mongo_work.source_url(ctx)) as server:
        record.insert(server, ctx.run, ctx.plan.source_fingerprint)
        at = mongo_work.as_target(ctx, server)
    return f"the run's record stands (database {at.server.name}, execution {at.epoch})"


def references(ctx: RunContext) -> str:
    """Look through the database as it stands; with public access rewrite there."""
    with mongo_work.opened(mongo_work.source_url(ctx)) as server:
        at = mongo_work.as_target(ctx, server) if writes(ctx) else None
        return mongo_references.run(ctx, server, at)


def verify(ctx: RunContext) -> tuple[str, int]:
    """(summary, differences)."""
    if not writes(ctx):
        return "the database stays, and nothing was written to it", 0
    meter = Meter(ctx.emit, "verify", "references", "texts", None)
    with mongo_work.opened(mongo_work.source_url(ctx)) as server:
        found = compare_kept(
            mongo_work.current(ctx), server.database, run=ctx.run, bases=bases(ctx), cancel=ctx.cancel,
            progress=meter.add,
        )  # fmt: skip
    meter.close()
    for difference in found.differences[:SHOWN]:
        message = readable(ctx.redactor.text(difference.message))
        ctx.emit(FindingSeen("difference", "error", message, readable(difference.subject)))
    if found.newer:
        ctx.emit(
            Warned(
                "references-newer",
                f"{found.newer:,} rewritten texts were changed by the app since; what it wrote stands.",
            )
        )
    ctx.journal.put(
        "verify",
        "database",
        {
            "tables": 0,
            "rows": found.documents,
            "values": found.texts,
            "differences": [asdict(d) for d in found.differences],
            "total": found.total,
            "notes": ["The database stays: the texts that were rewritten in it were compared."],
            "snapshot": mongo_work.current(ctx).name,
            "mode": "full",
        },
    )
    said = (
        f"{found.texts:,} rewritten texts in {found.documents:,} documents compared, "
        f"{found.total:,} differences"
    )
    if found.newer:
        said += f", {found.newer:,} changed by the app since"
    return said, found.total


def cutover(ctx: RunContext) -> str:
    """Links that the app has written since the last look are rewritten, too, and all is compared again."""
    if not writes(ctx):
        return "the database stays"
    said = references(ctx)
    mongo_work.require_equal(*verify(ctx))
    return said


def undo(ctx: RunContext, url: Secret) -> tuple[int, int]:
    """(restored, left)."""
    with mongo_work.opened(url) as server:
        collections = {c.name: c for c in catalog.read(server) if c.kind == "collection"}
        return documents_undo.undo(server, ctx.run, collections)


def clean(run: str, url: Secret) -> None:
    """Take the record of `run` out of the database."""
    with mongo_work.opened(url) as server:
        record.remove(server, run)
