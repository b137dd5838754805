"""MongoDB → MongoDB: what each step does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.mongo import build, catalog, dump, load, record
from wizard.databases.mongo.connect import Server, connect, explained
from wizard.decisions import require_decided
from wizard.errors import Differences, NotAsPlanned, StepFailed, UsageError
from wizard.events import FindingSeen, Progress, Warned
from wizard.model import Choice, Decision
from wizard.sources.progress import Meter
from wizard.steps.moves import mongo_verify
from wizard.steps.moves.mongo_judge import decisions, judge, judge_addresses, left_behind, skipped

FIRST = "base.mongo"
FACTS = "documents"
FREE_BYTES = 512_000_000  # Atlas M0, indexes included. Source: Atlas' limits of free clusters


@contextmanager
def opened(url: Secret, database: str | None = None) -> Iterator[Server]:
    """A server, closed at the end; its errors in words."""
    server = connect(url, database)
    try:
        with explained():
            yield server
    finally:
        server.close()


def source_url(ctx: RunContext) -> Secret:
    """The connection string of the source."""
    database = ctx.answers.database
    assert database is not None and database.source is not None
    return ctx.vault.resolve(database.source)


def fingerprint(server: Server) -> str:
    """Identifies a source: MongoDB has no schema that could be behind the code, so its name and its replica
    set's."""
    said = repr((server.name, server.client.admin.command("hello").get("setName")))
    return hashlib.sha256(f"mongodb\n{said}".encode()).hexdigest()


def current(ctx: RunContext) -> Path:
    """The folder of the newest copy that the run goes by."""
    return ctx.folder.snapshots / str(ctx.journal.get(FACTS, "current") or FIRST)


def frozen(ctx: RunContext) -> dump.Dump:
    """The newest copy that the run goes by."""
    return dump.load(current(ctx))


@contextmanager
def target(ctx: RunContext) -> Iterator[record.Target]:
    """The database to write to, in the name of this execution. Raises StepFailed `record-missing`."""
    with opened(ctx.database_url(), frozen(ctx).database) as server:
        yield as_target(ctx, server)


def as_target(ctx: RunContext, server: Server) -> record.Target:
    """`server` in the name of this execution, whose number is taken once."""
    epoch = ctx.journal.get("engine", "epoch")
    if epoch is None:
        epoch = record.raise_epoch(server, ctx.run)
        ctx.journal.put("engine", "epoch", epoch)
    return record.Target(server, ctx.run, int(epoch))


def snapshot(ctx: RunContext) -> str:
    """Copy the source into the run's folder, once.

    Raises NotAsPlanned `source-changed`, `snapshot-changed`.
    """
    if ctx.journal.get(FACTS, "current") is not None:
        return _told(dump.load(current(ctx), check=True))
    with opened(source_url(ctx)) as server:
        if ctx.plan.source_fingerprint not in ("", fingerprint(server)):
            raise NotAsPlanned(
                "source-changed",
                "The source is another database or cluster than the plan saw; nothing was written outside "
                "the run's folder.",
                "Make a new plan with `ashore run`.",
            )
        taken = take(ctx, server, FIRST)
    if not taken.consistent:
        ctx.emit(
            Warned(
                "snapshot-not-one-moment",
                "This server cannot be read as of one moment: the collections were read one after the other. "
                "The last sync, with writes paused, makes up for it.",
            )
        )
    ctx.journal.put(FACTS, "current", FIRST)
    return _told(taken)


def take(ctx: RunContext, server: Server, name: str, step: str = "snapshot") -> dump.Dump:
    """A copy in the run's folder under this name."""

    def progress(collection: str, documents: int) -> None:
        ctx.emit(Progress(step, "database", documents, None, "documents", collection))

    return dump.take(server, ctx.folder.snapshots / name, ctx.cancel, progress)


def _told(taken: dump.Dump) -> str:
    documents = sum(c.documents for c in taken.collections)
    size = sum(c.bytes for c in taken.collections)
    moment = "one moment" if taken.consistent else "read one after the other"
    return f"{len(taken.collections)} collections, {documents:,} documents, {size:,} bytes ({moment})"


def preflight(ctx: RunContext) -> str:
    """Raises Undecided."""
    left = judge(frozen(ctx), decisions(ctx))
    ctx.journal.put(
        "schema", "left", [{"what": "collection", "name": d.subject, "why": d.message} for d in left]
    )
    found = left + judge_addresses(ctx, frozen(ctx))
    settle_decisions(ctx, found)
    for code, text in left_behind(frozen(ctx)):
        ctx.emit(Warned(code, text))
    return f"{len(found)} decisions, all taken" if found else "everything can be carried exactly"


def settle_decisions(ctx: RunContext, found: list[Decision]) -> None:
    """Write the decisions down; raises Undecided where one is not taken."""
    ctx.journal.put("preflight", "decisions", [asdict(d) for d in found])
    require_decided(found, "nothing was written.")
    for decision in found:
        said = f"{decision.message} Decided: {decision.chosen}."
        ctx.emit(FindingSeen("decision", "info", said, decision.subject))


def provision(ctx: RunContext) -> str:
    """Claim an empty database, or take over what a lost execution of the same job began.

    Raises UsageError `same-database`, `target-not-empty`, `run-elsewhere`.
    """
    copied = frozen(ctx)
    with opened(ctx.database_url(), copied.database) as server:
        _refuse_same(ctx, server)
        adopted = False
        if record.get(server, ctx.run) is None:
            adopted = _take_over(ctx, server)
            _refuse_filled(ctx, server, copied)
            record.insert(server, ctx.run, _source_id(ctx))
        at = as_target(ctx, server)
    verb = "stands, in place of an unfinished run's" if adopted else "stands"
    return f"the run's record {verb} (database {at.server.name}, execution {at.epoch})"


def _source_id(ctx: RunContext) -> str:
    return hashlib.sha256(f"{ctx.plan.source_fingerprint}\n{ctx.project.root.name}".encode()).hexdigest()


def _refuse_same(ctx: RunContext, server: Server) -> None:
    with opened(source_url(ctx)) as source:
        if source.name == server.name and set(source.hosts) & set(server.hosts):
            raise UsageError(
                "same-database",
                "Source and target are the same database; nothing was written.",
                "Name another database in the target's connection string.",
            )


def _take_over(ctx: RunContext, server: Server) -> bool:
    """Drop what unfinished executions of the same job made, whose state folders are lost."""
    took = False
    for old in record.others(server, ctx.run):
        if old.source != _source_id(ctx) or old.state == record.DONE:
            continue
        if old.facts.get("verified"):
            raise UsageError(
                "run-elsewhere",
                f"Run {old.run} of this project has filled and verified this database already. Nothing was "
                "written.",
                "Go on from its state folder, or name an empty database.",
            )
        before = record.Target(server, old.run, record.raise_epoch(server, old.run))
        build.drop_made(before, old.made)
        record.remove(server, old.run)
        took = True
    return took


def _refuse_filled(ctx: RunContext, server: Server, copied: dump.Dump) -> None:
    there = [c.name for c in catalog.read(server)]
    ours = {c.name for c in copied.collections}
    allowed = ctx.answers.database is not None and ctx.answers.database.allow_nonempty
    clash = [name for name in there if name in ours]
    if not there or (allowed and not clash):
        return
    named = clash if allowed else there
    listed = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    raise UsageError(
        "target-not-empty",
        f"The target database is not empty: it holds {listed}. Nothing has been written.",
        "Name an empty database."
        if allowed
        else "Name an empty database, or set database.allow_nonempty where none of its collections is the "
        "app's.",
    )


def schema(ctx: RunContext) -> str:
    """Make the collections and indexes while all is empty: what the server does not take shows before the
    first document. Raises Undecided."""
    copied = frozen(ctx)
    with target(ctx) as at:
        refused = stand(ctx, at, copied)
    collections = sum(c.collection.kind == "collection" for c in copied.collections)
    return f"{collections} collections stand" + (f", {refused} refusals decided" if refused else "")


def stand(ctx: RunContext, at: record.Target, copied: dump.Dump) -> int:
    """Make what is missing; the number of refusals, all decided. Raises Undecided."""
    known = catalog.read(at.server)
    standing = {c.name: {i.name for i in c.indexes} for c in known}
    refusals: list[build.Refusal] = []
    for one in (c for c in copied.collections if c.collection.kind == "collection"):
        ctx.cancel.check()
        if skipped(decisions(ctx), one.name):
            continue
        if one.name not in standing:
            refusal = build.make(at, one.collection)
            if refusal is not None:
                refusals.append(refusal)
                continue
        for index in one.collection.indexes:
            if index.name in standing.get(one.name, ()):
                continue
            if index.seconds is None:
                refusal = build.make_index(at, one.name, index)
            elif one.name not in standing:
                refusal = build.try_index(at, one.name, index)
            else:
                continue  # tried when the collection was made, before a kill
            refusals += [refusal] if refusal is not None else []
    found = [_refused(refusal, decisions(ctx)) for refusal in refusals]
    require_decided(found, "no document has been copied.")
    kept = {d["subject"]: d for d in ctx.journal.get(FACTS, "refused") or []}
    kept.update({d.subject: asdict(d) for d in found})
    ctx.journal.put(FACTS, "refused", list(kept.values()))
    ctx.journal.put("recheck", "decisions", list(kept.values()))
    return len(kept)


def _refused(refusal: build.Refusal, chosen: Mapping[str, Mapping[str, str]]) -> Decision:
    code = "index_refused" if refusal.index else "collection_refused"
    what = f"the index {refusal.index} of {refusal.collection}" if refusal.index else refusal.collection
    return Decision(
        refusal.subject,
        code,
        f"The target's server does not take {what}: {refusal.said}",
        1,
        (),
        (Choice("leave", "is not carried over; the report says so"),),
        chosen.get(refusal.subject, {}).get(code),
    )


def recheck(ctx: RunContext) -> str:
    """Warn where the target may be too small."""
    copied = frozen(ctx)
    size = sum(c.bytes for c in copied.collections)
    with target(ctx) as at:
        if at.server.is_atlas and size > FREE_BYTES * 0.8:
            ctx.emit(
                Warned(
                    "atlas-free-limit",
                    f"The documents have {size:,} bytes; a free Atlas cluster (M0) holds 512 MB, indexes "
                    "included.",
                )
            )
    return f"{size:,} bytes of documents to copy"


def copy(ctx: RunContext) -> str:
    """Load every part that does not stand yet."""
    copied = frozen(ctx)
    documents = size = 0
    with target(ctx) as at:
        for one in copied.collections:
            if one.collection.kind != "collection" or skipped(decisions(ctx), one.name):
                continue
            meter = Meter(ctx.emit, "copy", one.name, "documents", one.documents)
            loaded = load.load(at, copied, one, ctx.cancel, meter.add)
            meter.close()
            documents, size = documents + loaded[0], size + loaded[1]
        at.note(state=record.LOADED)
    return f"{documents:,} documents, {size:,} bytes written in this execution"


def constraints(ctx: RunContext) -> str:
    """Make the views; indexes stand since the step `schema`, but for those that delete documents."""
    copied = frozen(ctx)
    made = 0
    with target(ctx) as at:
        standing = {c.name for c in catalog.read(at.server)}
        for one in copied.collections:
            if one.collection.kind != "view" or skipped(decisions(ctx), one.name):
                continue
            if one.name not in standing:
                refusal = build.make(at, one.collection)
                if refusal is not None:
                    raise StepFailed(
                        "view-refused",
                        f"The target's server does not take the view {one.name}: {refusal.said}.",
                        f"To go on without it, decide `{one.name}: {{collection_refused: leave}}`.",
                    )
            made += 1
    waiting = sum(i.seconds is not None for c in copied.collections for i in c.collection.indexes)
    said = f"{made} views stand"
    if waiting:
        said += (
            f"; {waiting} indexes that delete documents after a time are made last, when all is proven: "
            "they would delete while documents are copied and compared"
        )
    return said


def last_indexes(ctx: RunContext, at: record.Target) -> int:
    """Make the indexes that delete documents, for good. Returns how many stand."""
    stand = 0
    refused = {d["subject"] for d in ctx.journal.get(FACTS, "refused") or []}
    for one in frozen(ctx).collections:
        if one.collection.kind != "collection" or skipped(decisions(ctx), one.name):
            continue
        for index in one.collection.indexes:
            if index.seconds is None or f"{one.name}.{index.name}" in refused:
                continue
            refusal = build.make_index(at, one.name, index)
            if refusal is not None:
                raise StepFailed(
                    "index-refused",
                    f"The target's server does not take the index {index.name} any more: {refusal.said}.",
                    "`ashore resume` tries again.",
                )
            stand += 1
    return stand


def verify(ctx: RunContext) -> tuple[str, int]:
    """(summary, differences)."""
    with target(ctx) as at:
        return _compared(ctx, at)


def prove(ctx: RunContext, at: record.Target) -> None:
    """Raises Differences."""
    require_equal(*_compared(ctx, at))


def require_equal(said: str, differences: int) -> None:
    """Raises Differences where there are any."""
    if differences:
        raise Differences(
            "differences",
            f"Source and target differ: {said}.",
            "The source is unchanged and still complete; do not switch over. `ashore resume` compares again.",
        )


def _compared(ctx: RunContext, at: record.Target) -> tuple[str, int]:
    found = mongo_verify.compare(ctx, at.server, current(ctx))
    said = mongo_verify.tell(ctx, found)
    if not found.total:
        at.note(verified=current(ctx).name)
    return said, found.total
