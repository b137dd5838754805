"""What of a MongoDB database cannot be carried, or is not: decisions, and words about what stays behind."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.context import RunContext
from wizard.databases.mongo import dump, raw
from wizard.model import Choice, Decision
from wizard.references.documents import general, texts
from wizard.references.repairs import HOST, Tally
from wizard.steps import repairing
from wizard.verifying.bson_leaves import shown

Chosen = Mapping[str, Mapping[str, str]]
_TAKEN = ("time_series", "encrypted_fields", "collection_refused")


def decisions(ctx: RunContext) -> Chosen:
    """The answers' decisions."""
    return ctx.answers.database.decisions if ctx.answers.database is not None else {}


def judge(copied: dump.Dump, chosen: Chosen) -> list[Decision]:
    """The decisions that a copy asks for."""
    found = []
    for one in copied.collections:
        if one.collection.kind == "timeseries":
            found.append(
                _leave(
                    one.name,
                    "time_series",
                    f"{one.name} is a time series: its measurements have no unique _id by which a write that "
                    "was cut off could be told from one that was not.",
                    chosen,
                )
            )
        elif one.collection.encrypted:
            found.append(
                _leave(
                    one.name,
                    "encrypted_fields",
                    f"{one.name} has fields that are encrypted and queryable: their hidden collections "
                    "belong to the server.",
                    chosen,
                )
            )
    return found


def judge_addresses(ctx: RunContext, copied: dump.Dump) -> list[Decision]:
    """What to do about malformed addresses in the documents of a copy. Raises Stopped."""
    if not repairing.asks(ctx.answers):
        return []
    tally, mark, chosen = Tally(), HOST.encode(), decisions(ctx)
    for one in copied.collections:
        if one.collection.kind != "collection" or skipped(chosen, one.name):
            continue
        for document in copied.documents(one):
            if mark not in document:
                continue
            ctx.cancel.check()
            key = shown(raw.identity(document))
            for path, text in texts(document):
                if path[0] != "_id":
                    tally.look(f"{one.name}.{general(path)}", key, text)
    return tally.decisions(chosen)


def _leave(name: str, code: str, message: str, chosen: Chosen) -> Decision:
    choices = (Choice("leave", "stays at the source; mongodump and mongorestore carry it"),)
    return Decision(name, code, message, 1, (), choices, chosen.get(name, {}).get(code))


def skipped(chosen: Chosen, name: str) -> bool:
    """Whether a collection or view was decided to stay behind."""
    return any(chosen.get(name, {}).get(code) == "leave" for code in _TAKEN)


def left_behind(copied: dump.Dump) -> list[tuple[str, str]]:
    """(code, words) on what a move of the documents does not bring along, or brings in an unexpected way."""
    said = [
        (
            "users-not-carried",
            "Users and roles belong to the cluster, not to this database: make the app's user at the target.",
        )
    ]
    names = {c.name for c in copied.collections}
    buckets = sorted(n.removesuffix(".files") for n in names if n.endswith(".files"))
    buckets = [b for b in buckets if f"{b}.chunks" in names]
    if buckets:
        said.append(
            (
                "gridfs-carried",
                f"GridFS ({', '.join(buckets)}) lies in ordinary collections: its files are carried and "
                "compared with all others.",
            )
        )
    expiring = [
        f"{c.name}.{i.name}"
        for c in copied.collections
        for i in c.collection.indexes
        if i.seconds is not None
    ]
    if expiring:
        said.append(
            (
                "expiring-documents",
                f"These indexes delete documents after a time: {', '.join(expiring)}. They are made last, "
                "when all is proven.",
            )
        )
    return said
