"""MongoDB → MongoDB: what changed at the source since the copy, carried over and proven.

Three-way by `_id`: the copy the target holds, a new one, and the target, which must still be the first plus
the recorded rewrites. The record says `syncing` before the first document is touched: after a kill the same
changes are written again, which changes nothing where they stand.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from itertools import islice

from wizard.context import RunContext
from wizard.databases.mongo import build, catalog, changes, dump, load, record
from wizard.databases.mongo.record import SYNCED, SYNCING
from wizard.decisions import require_decided
from wizard.errors import NotAsPlanned
from wizard.references import documents_write
from wizard.steps.moves import mongo_references, mongo_verify, mongo_work
from wizard.steps.moves.mongo_judge import decisions, judge, judge_addresses, skipped

AT_ONCE = 200


def run(ctx: RunContext) -> str:
    """Sync until the source equals what was verified; then make the indexes that delete documents.

    Raises NotAsPlanned `source-changed`, `target-changed`, Undecided, Differences.
    """
    _settle(ctx)
    said = _sync(ctx)
    with mongo_work.target(ctx) as at:
        expiring = mongo_work.last_indexes(ctx, at)
    return said + (f"; {expiring} indexes that delete documents after a time stand now" if expiring else "")


def _settle(ctx: RunContext) -> None:
    """After a kill: the record says which copy the target holds, or is being brought to."""
    with mongo_work.target(ctx) as at:
        facts = at.read().facts
        if SYNCING in facts:
            old = dump.load(ctx.folder.snapshots / str(facts.get(SYNCED) or mongo_work.FIRST))
            _apply(ctx, at, old, dump.load(ctx.folder.snapshots / str(facts[SYNCING])))
            facts = at.read().facts
    held = facts.get(SYNCED)
    if held is not None and held != ctx.journal.get("cutover", "finished"):
        _adopt(ctx, str(held))


def _sync(ctx: RunContext) -> str:
    old = mongo_work.frozen(ctx)
    with mongo_work.opened(mongo_work.source_url(ctx)) as server:
        new = mongo_work.take(ctx, server, _next(old.folder.name), "cutover")
    if _same(old, new):
        shutil.rmtree(new.folder)
        return "no document changed meanwhile"
    _judge(ctx, old, new)
    with mongo_work.target(ctx) as at:
        if SYNCED not in at.read().facts or ctx.journal.get("cutover", "finished") == old.folder.name:
            found = mongo_verify.compare(ctx, at.server, old.folder)
            if found.total:
                mongo_verify.tell(ctx, found)
                raise NotAsPlanned(
                    "target-changed",
                    f"The target is no longer what this run wrote: {found.total:,} differences, the first: "
                    f"{ctx.redactor.text(found.differences[0].message)}. Nothing more was written.",
                    "Find out what writes to the target; the source is unchanged. Then `ashore resume`.",
                )
        at.note(**{SYNCING: new.folder.name})
        said = _apply(ctx, at, old, new)
    _adopt(ctx, new.folder.name)
    return said


def _next(name: str) -> str:
    number = int(name.removeprefix("sync-").removesuffix(".mongo")) + 1 if name.startswith("sync-") else 1
    return f"sync-{number}.mongo"


def _same(old: dump.Dump, new: dump.Dump) -> bool:
    """Parts are cut alike, so that equal collections have equal digests."""
    return [(c.collection, [p.sha256 for p in c.parts]) for c in old.collections] == [
        (c.collection, [p.sha256 for p in c.parts]) for c in new.collections
    ]


def _judge(ctx: RunContext, old: dump.Dump, new: dump.Dump) -> None:
    """What is new must be decided as what was there; a collection of other options is another one."""
    found = judge(new, decisions(ctx)) + judge_addresses(ctx, new)
    require_decided(found, "the documents that changed meanwhile were not carried over.")
    for one in new.collections:
        before = old.get(one.name)
        if before is not None and (before.collection.kind, before.collection.options) != (
            one.collection.kind,
            one.collection.options,
        ):
            raise NotAsPlanned(
                "source-changed",
                f"The options of {one.name} changed at the source since the copy; what changed meanwhile was "
                "not carried over.",
                "Start anew with `ashore run` on an empty database.",
            )


def _apply(ctx: RunContext, at: record.Target, old: dump.Dump, new: dump.Dump) -> str:
    """Bring the target from `old` to `new`. May be repeated from any point."""
    mongo_work.stand(ctx, at, new)
    written = deleted = 0
    chosen = decisions(ctx)
    for after in new.collections:
        if after.collection.kind == "collection" and not skipped(chosen, after.name):
            counts = _collection(ctx, at, old, old.get(after.name), new, after)
            written, deleted = written + counts[0], deleted + counts[1]
            _drop_indexes(at, old.get(after.name), after)
    for before in old.collections:
        if new.get(before.name) is None and before.name in at.read().made:
            documents_write.forget(at.server, ctx.run, before.name)
            at.server.database.drop_collection(before.name)
    for after in new.collections:
        new_view = after.collection.kind == "view" and old.get(after.name) is None
        if new_view and not skipped(chosen, after.name):
            build.make(at, after.collection)
    at.forget_done()
    at.note(**{SYNCED: new.folder.name, SYNCING: None})
    return f"{written:,} documents written and {deleted:,} taken out that changed meanwhile"


def _collection(
    ctx: RunContext,
    at: record.Target,
    old: dump.Dump,
    before: dump.Copied | None,
    new: dump.Dump,
    after: dump.Copied,
) -> tuple[int, int]:
    """First what goes, then what comes.

    Where values are unique, one may have moved on from document to document: there all that changed goes
    first. A kill in between is made good by doing all of it again.
    """
    written = deleted = 0
    if before is not None and [p.sha256 for p in before.parts] == [p.sha256 for p in after.parts]:
        return 0, 0
    unique = any(index.definition.get("unique") for index in after.collection.indexes)
    put = load.insert if unique else load.replace
    for going in (True, False):
        with closing(changes.changes(old, before, new, after)) as found:
            wanted = (c for c in found if (c.document is None or unique if going else c.document is not None))
            while some := list(islice(wanted, AT_ONCE)):
                ctx.cancel.check()
                at.read()
                keys = [c.identity for c in some]
                documents_write.forget(at.server, ctx.run, after.name, keys)
                if going:
                    load.delete(at, after, keys)
                    deleted += sum(c.document is None for c in some)
                else:
                    put(at, after, [c.document for c in some if c.document is not None])
                    written += len(some)
    return written, deleted


def _drop_indexes(at: record.Target, before: dump.Copied | None, after: dump.Copied) -> None:
    kept = {i.name: i for i in after.collection.indexes}
    for index in before.collection.indexes if before is not None else ():
        now = kept.get(index.name)
        if now is None:
            build.drop_index(at, after.name, index.name)
        elif not catalog.same_index(now, index):
            build.drop_index(at, after.name, index.name)
            if now.seconds is None:
                build.make_index(at, after.name, now)


def _adopt(ctx: RunContext, name: str) -> None:
    """The target holds this copy: go on from it, and prove it."""
    ctx.journal.put(mongo_work.FACTS, "current", name)
    with mongo_work.target(ctx) as at:
        mongo_references.run(ctx, at.server, at)
        mongo_work.prove(ctx, at)
    ctx.journal.put("cutover", "finished", name)


def finish(ctx: RunContext) -> None:
    """A new run no longer takes this one's record over."""
    with mongo_work.target(ctx) as at:
        at.note(state=record.DONE)


def settled(ctx: RunContext) -> bool:
    """Whether the source still is what was verified last. Reads only; the copy it takes is thrown away."""
    old = mongo_work.frozen(ctx)
    folder = ctx.folder.work / "settled.mongo"
    try:
        with mongo_work.opened(mongo_work.source_url(ctx)) as server:
            return _same(old, dump.take(server, folder, ctx.cancel))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
