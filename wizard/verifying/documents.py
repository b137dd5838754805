"""Compare a copy of a MongoDB database with the target, every document byte for byte.

Field order, number types and the order of array elements count. Where a document's text was rewritten to a
file's new address, the text before must be the source's and the text after what an independent computation
makes of it.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson
import bson.json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from wizard.context import Cancel
from wizard.events import Event
from wizard.sources.progress import Meter
from wizard.verifying import bson_leaves
from wizard.verifying.differences import Difference, Tally, shorten
from wizard.verifying.document_facts import Expiry, fact_differences
from wizard.verifying.rewrites import is_rewrite

IMAGES = "ashore_before_image"
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_SHOWN = 200
Rewritten = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class DocumentComparison:
    """What was compared and what differed.

    `values` counts the documents' top-level fields; `expired` documents an index of the target deleted.
    """

    collections: int
    documents: int
    bytes: int
    values: int
    differences: tuple[Difference, ...]
    total: int
    rewritten: int = 0
    expired: int = 0
    notes: tuple[str, ...] = ()


@dataclass
class _Counts:
    documents: int = 0
    bytes: int = 0
    values: int = 0
    rewritten: int = 0
    expired: int = 0
    notes: list[str] = field(default_factory=list)


def compare_documents(
    folder: Path,
    database: Database[dict[str, Any]],
    *,
    run: str,
    decisions: Mapping[str, Mapping[str, str]],
    bases: tuple[str, ...],
    emit: Callable[[Event], None],
    cancel: Cancel,
    rewritten: Rewritten | None = None,
) -> DocumentComparison:
    """Compare each collection of the copy in `folder` with its namesake. Writes nothing.

    `bases` are the beginnings of public addresses that a rewrite may have put in; `rewritten` says of
    (before, after) whether it is another permitted rewrite. Raises ValueError for damaged files, Stopped, and
    the driver's errors.
    """
    manifest = json.loads((folder / "manifest.json").read_bytes())
    tally, counts = Tally(), _Counts()
    names = [
        c
        for c in manifest["collections"]
        if c["collection"]["kind"] == "collection" and not _left(decisions, c["collection"]["name"])
    ]

    def allowed(before: str, after: str) -> bool:
        return is_rewrite(before, after, bases) or (rewritten is not None and rewritten(before, after))

    expiries = fact_differences(manifest, database, decisions, tally, counts.notes)
    with closing(sqlite3.connect("")) as scratch:
        scratch.execute("CREATE TABLE used (id TEXT PRIMARY KEY) WITHOUT ROWID")
        for said in names:
            one = _Collection(
                folder, said, database, run, allowed, expiries, scratch, tally, counts, emit, cancel
            )
            one.compare()
        _unused(database, run, scratch, tally)
    return DocumentComparison(
        len(names), counts.documents, counts.bytes, counts.values, tuple(tally.kept), tally.total,
        counts.rewritten, counts.expired, tuple(counts.notes),
    )  # fmt: skip


def _left(decisions: Mapping[str, Mapping[str, str]], name: str) -> bool:
    return "leave" in decisions.get(name, {}).values()


@dataclass
class _Collection:
    folder: Path
    said: Mapping[str, Any]
    database: Database[dict[str, Any]]
    run: str
    allowed: Rewritten
    expiries: Mapping[str, tuple[Expiry, ...]]
    scratch: sqlite3.Connection
    tally: Tally
    counts: _Counts
    emit: Callable[[Event], None]
    cancel: Cancel

    @property
    def name(self) -> str:
        return str(self.said["collection"]["name"])

    def compare(self) -> None:
        """In step while both sides come in one order; from the first difference on by `_id`."""
        expected = sum(part["documents"] for part in self.said["parts"])
        meter = Meter(self.emit, "verify", self.name, "documents", expected)
        ours, theirs = self._source(), self._target()
        waiting: list[bytes] = []
        for there in theirs:
            here = next(ours, None)
            if here is None or bson_leaves.identity(here) != bson_leaves.identity(there):
                waiting += [] if here is None else [here]
                self._by_identity(waiting, ours, there, theirs)
                break
            self._pair(here, there)
            meter.add(1)
        for here in ours:
            self._missing(here)
        meter.at(expected)
        meter.close()

    def _source(self) -> Iterator[bytes]:
        for part in self.said["parts"]:
            for document in bson_leaves.documents(self.folder / part["file"]):
                self.counts.documents += 1
                self.counts.bytes += len(document)
                yield document

    def _target(self) -> Iterator[bytes]:
        collection = self.database.get_collection(self.name, codec_options=_RAW)
        options = bson.json_util.loads(self.said["collection"]["options"])
        order = "$natural" if options.get("capped") else "_id"
        batches: Iterator[Any] = collection.find_raw_batches(sort=[(order, 1)])
        for batch in batches:
            self.cancel.check()
            yield from bson_leaves.split(batch)

    def _by_identity(
        self, waiting: list[bytes], ours: Iterator[bytes], first: bytes, theirs: Iterator[bytes]
    ) -> None:
        self.scratch.execute("CREATE TEMP TABLE here (id BLOB PRIMARY KEY, document BLOB) WITHOUT ROWID")
        for stream in (waiting, ours):
            self.scratch.executemany(
                "INSERT INTO here VALUES (?, ?)", ((bson_leaves.identity(d), d) for d in stream)
            )
        for stream in ([first], theirs):
            for there in stream:
                key = bson_leaves.identity(there)
                row = self.scratch.execute("SELECT document FROM here WHERE id = ?", (key,)).fetchone()
                if row is None:
                    self._add("extra", there, target=_document(there))
                    continue
                self.scratch.execute("DELETE FROM here WHERE id = ?", (key,))
                self._pair(row[0], there)
        for (document,) in self.scratch.execute("SELECT document FROM here"):
            self._missing(document)
        self.scratch.execute("DROP TABLE temp.here")

    def _missing(self, document: bytes) -> None:
        now = datetime.datetime.now(datetime.UTC)
        if any(expiry.is_over(document, now) for expiry in self.expiries.get(self.name, ())):
            self.counts.expired += 1
        else:
            self._add("missing", document, source=_document(document))

    def _pair(self, here: bytes, there: bytes) -> None:
        self.counts.values += bson_leaves.fields(here)
        if here == there:
            return
        ours, theirs = bson_leaves.leaves(here), bson_leaves.leaves(there)
        images = self._images(bson_leaves.identity(here))
        if [p for p, _ in ours] != [p for p, _ in theirs]:
            self._shapes(here, dict(ours), dict(theirs))
            return
        for (path, source), (_, target) in zip(ours, theirs, strict=True):
            if source == target:
                continue
            image = images.get(path)
            if image is None:
                self._differ("value", here, path, source, target)
            elif self._as_rewritten(image, source, target):
                self.counts.rewritten += 1
                self.scratch.execute("INSERT OR IGNORE INTO used VALUES (?)", (str(image["_id"]),))
            else:
                self._differ("rewrite", here, path, source, target)
                self.scratch.execute("INSERT OR IGNORE INTO used VALUES (?)", (str(image["_id"]),))

    def _as_rewritten(self, image: Mapping[str, Any], source: bytes, target: bytes) -> bool:
        before, after = bson_leaves.text(source), bson_leaves.text(target)
        return (
            before is not None
            and after is not None
            and image["before"] == before
            and image["after"] == after
            and self.allowed(before, after)
        )

    def _shapes(
        self,
        document: bytes,
        ours: Mapping[bson_leaves.LeafPath, bytes],
        theirs: Mapping[bson_leaves.LeafPath, bytes],
    ) -> None:
        differing = [p for p in {**ours, **theirs} if ours.get(p) != theirs.get(p)]
        for path in differing:
            self._differ("value", document, path, ours.get(path), theirs.get(path))
        if not differing:
            self._add("value", document, detail="the fields stand in another order")

    def _images(self, key: bytes) -> dict[bson_leaves.LeafPath, Mapping[str, Any]]:
        found = self.database[IMAGES].find(
            {"run": self.run, "collection": self.name, "key": bson.Binary(key), "done": True}
        )
        return {tuple(image["path"]): image for image in found}

    def _differ(
        self,
        kind: Any,
        document: bytes,
        path: bson_leaves.LeafPath,
        source: bytes | None,
        target: bytes | None,
    ) -> None:
        ours = "no such field" if source is None else bson_leaves.shown(source)
        theirs = "no such field" if target is None else bson_leaves.shown(target)
        ours_short, theirs_short = shorten(ours, theirs)
        self._add(kind, document, bson_leaves.path_text(path), ours_short, theirs_short)

    def _add(
        self,
        kind: Any,
        document: bytes,
        column: str | None = None,
        source: str | None = None,
        target: str | None = None,
        detail: str = "",
    ) -> None:
        key = bson_leaves.shown(bson_leaves.identity(document))
        self.tally.add(Difference(kind, self.name, key, column, source, target, detail))


def _document(document: bytes) -> str:
    text = bson_leaves.shown(b"\x03" + document)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _unused(database: Database[dict[str, Any]], run: str, scratch: sqlite3.Connection, tally: Tally) -> None:
    """Rewrites that are recorded, but that no document shows."""
    for image in database[IMAGES].find({"run": run, "done": True}):
        if scratch.execute("SELECT 1 FROM used WHERE id = ?", (str(image["_id"]),)).fetchone() is None:
            path = bson_leaves.path_text(tuple(image["path"]))
            key = bson_leaves.shown(bytes(image["key"]))
            before, after = shorten(image["before"], image["after"])
            detail = "a rewrite is recorded that the target does not show"
            tally.add(Difference("rewrite", image["collection"], key, path, after, before, detail))
