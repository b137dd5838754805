"""The run's own record in the target: one document, so that each change of it is whole.

`ashore_run` holds it, `ashore_before_image` what a rewrite of references replaced. An epoch is the number
of an execution: each one raises it, and a change to the record by an older one finds nothing to change.
MongoDB without transactions has no lock over several documents: a write of an older execution that is on
its way cannot be called back. Therefore all that is written to collections is written by `_id`, the same
however often.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import ReturnDocument

from wizard.databases.mongo.connect import OWN, Server, explained
from wizard.errors import StepFailed

RUN = f"{OWN}run"
IMAGES = f"{OWN}before_image"
CLAIMED, LOADED, DONE = "claimed", "loaded", "done"
SYNCING, SYNCED = "syncing", "snapshot"


@dataclass(frozen=True, slots=True)
class Record:
    """`made` are the collections this run has created, `done` the parts it has loaded (`collection part`)."""

    run: str
    source: str
    epoch: int
    state: str
    made: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)


def get(server: Server, run: str) -> Record | None:
    """The record of `run`, or None."""
    found = server.database[RUN].find_one({"_id": run})
    return None if found is None else _record(found)


def others(server: Server, run: str) -> list[Record]:
    """The records of other runs in this database."""
    return [_record(d) for d in server.database[RUN].find({"_id": {"$ne": run}})]


def insert(server: Server, run: str, source: str) -> None:
    """Make the record of a run; one that stands already stays."""
    server.database[IMAGES].create_index([("run", 1), ("collection", 1), ("key", 1)])
    server.database[RUN].update_one(
        {"_id": run},
        {
            "$setOnInsert": {
                "source": source,
                "epoch": 0,
                "state": CLAIMED,
                "created": datetime.datetime.now(datetime.UTC).isoformat(),
            }
        },
        upsert=True,
    )


def raise_epoch(server: Server, run: str) -> int:
    """The number of this execution. Raises StepFailed `record-missing`."""
    found = server.database[RUN].find_one_and_update(
        {"_id": run}, {"$inc": {"epoch": 1}}, return_document=ReturnDocument.AFTER
    )
    if found is None:
        raise StepFailed(
            "record-missing",
            "The run's record is not in the target any more; nothing was written.",
            "Start anew with `ashore run` on an empty database.",
        )
    return int(found["epoch"])


def remove(server: Server, run: str) -> None:
    """Take the record of `run` out of the database; the last one takes its collections with it."""
    with explained():
        server.database[IMAGES].delete_many({"run": run})
        server.database[RUN].delete_one({"_id": run})
        names = server.database.list_collection_names()
        for name in (IMAGES, RUN):
            if name in names and server.database[name].find_one({}, {"_id": 1}) is None:
                server.database.drop_collection(name)


def _record(found: Mapping[str, Any]) -> Record:
    return Record(
        str(found["_id"]),
        str(found["source"]),
        int(found["epoch"]),
        str(found["state"]),
        tuple(found.get("made", ())),
        frozenset(found.get("done", ())),
        dict(found.get("facts", {})),
    )


@dataclass(frozen=True)
class Target:
    """A database that one execution of a run writes to."""

    server: Server
    run: str
    epoch: int

    def read(self) -> Record:
        """The record. Raises StepFailed `fenced` where another execution took the run over."""
        found = get(self.server, self.run)
        if found is None or found.epoch != self.epoch:
            raise _fenced()
        return found

    def note(self, *, state: str | None = None, **facts: Any) -> None:
        """Set the state and facts; a fact of None goes. Raises StepFailed `fenced`."""
        gone = {f"facts.{k}": "" for k, v in facts.items() if v is None}
        kept = {f"facts.{k}": v for k, v in facts.items() if v is not None}
        if state is not None:
            kept["state"] = state
        self._change({**({"$set": kept} if kept else {}), **({"$unset": gone} if gone else {})})

    def made(self, collection: str) -> None:
        """Note that this run makes `collection`; called before it does."""
        self._change({"$addToSet": {"made": collection}})

    def done(self, part: str) -> None:
        """Note that a part stands whole in the target."""
        self._change({"$addToSet": {"done": part}})

    def forget_done(self) -> None:
        """What was loaded counts no more."""
        self._change({"$set": {"done": []}})

    def _change(self, update: Mapping[str, Any]) -> None:
        changed = self.server.database[RUN].update_one({"_id": self.run, "epoch": self.epoch}, update)
        if changed.matched_count != 1:
            raise _fenced()


def _fenced() -> StepFailed:
    return StepFailed(
        "fenced",
        "Another execution of this run has taken over the target; this one has stopped writing.",
        "Look for ashore on another machine. `ashore resume` takes the run back.",
    )
