"""Writes new texts into MongoDB documents, with the texts before kept in the same database.

There are no transactions: the images of a document come first (confirmed by the majority), then one update
of the document, filtered on the whole old value of every top-level field that it touches. Where the app
changed one of them meanwhile, the document is read again. An image counts (`done`) once its text stands; a
kill leaves images that do not, which the next pass settles by looking at the document.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import Binary
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteMany, ReplaceOne, UpdateOne

from wizard.databases.mongo import raw
from wizard.databases.mongo.catalog import Collection
from wizard.databases.mongo.connect import Server
from wizard.databases.mongo.record import IMAGES
from wizard.errors import StepFailed
from wizard.references.documents import Path, Rewriter, TextEdit, texts

TRIES = 8
BATCH = 200


@dataclass
class Written:
    """`values` texts changed now, with `references` in them; `unreachable` stand below a field whose name no
    update can spell."""

    values: int = 0
    references: int = 0
    unreachable: int = 0


@dataclass(frozen=True)
class Document:
    """A document as it was read, and what shall change in it."""

    data: bytes
    edits: tuple[TextEdit, ...]

    @property
    def key(self) -> bytes:
        return raw.identity(self.data)


def reachable(path: Path) -> bool:
    """Whether an update can name the top-level field that the path begins with."""
    name = str(path[0])
    return bool(name) and "." not in name and not name.startswith("$") and "\0" not in name


def write(
    server: Server,
    run: str,
    collection: Collection,
    found: Sequence[Document],
    rewriter: Rewriter,
    done: Written,
) -> None:
    """Rewrite a batch of documents. May be repeated. Raises StepFailed `document-keeps-changing` and the
    driver's errors."""
    images = [
        _image(run, collection.name, document.key, edit) for document in found for edit in document.edits
    ]
    if not images:
        return
    table = server.database[IMAGES]
    table.bulk_write([ReplaceOne({"_id": i["_id"]}, i, upsert=True) for i in images], ordered=False)
    result = server.raw(collection.name).bulk_write(
        [_update(collection, document) for document in found], ordered=False, **_options(collection)
    )
    if result.matched_count == len(found):
        table.update_many({"_id": {"$in": [i["_id"] for i in images]}}, {"$set": {"done": True}})
        done.values += len(images)
        done.references += sum(edit.references for document in found for edit in document.edits)
        return
    for document in found:
        _settle(server, run, collection, document.key, rewriter, done)


def settle_left(
    server: Server, run: str, collections: Mapping[str, Collection], rewriter: Rewriter, done: Written
) -> None:
    """Bring what a kill left undone to an end: every image counts afterwards, or is gone."""
    wanted = {"run": run, "done": False}
    # A kill leaves those of one batch: they are few.
    places = {(str(i["collection"]), bytes(i["key"])) for i in server.database[IMAGES].find(wanted)}
    for name, key in sorted(places):
        collection = collections.get(name)
        if collection is None:
            server.database[IMAGES].delete_many({**wanted, "collection": name, "key": Binary(key)})
        else:
            _settle(server, run, collection, key, rewriter, done)


def _settle(
    server: Server, run: str, collection: Collection, key: bytes, rewriter: Rewriter, done: Written
) -> None:
    """One document, looked at anew until it holds what it shall."""
    table = server.database[IMAGES]
    for _ in range(TRIES):
        data = read(server, collection, key)
        now = {} if data is None else dict(texts(data))
        mine = {"run": run, "collection": collection.name, "key": Binary(key), "done": False}
        for image in list(table.find(mine)):
            text = now.get(tuple(image["path"]))
            if text == image["after"]:
                table.update_one({"_id": image["_id"]}, {"$set": {"done": True}})
                done.values += 1
                done.references += int(image["references"])
            elif text != image["before"]:
                table.delete_one({"_id": image["_id"]})  # the app wrote something newer
        if data is None:
            return
        edits = tuple(e for e in rewriter.edits(collection.name, data) if reachable(e.path))
        if not edits:
            table.delete_many(mine)
            return
        images = [_image(run, collection.name, key, edit) for edit in edits]
        table.bulk_write([ReplaceOne({"_id": i["_id"]}, i, upsert=True) for i in images], ordered=False)
        server.raw(collection.name).bulk_write(
            [_update(collection, Document(data, edits))], **_options(collection)
        )
    raise StepFailed(
        "document-keeps-changing",
        f"A document of {collection.name} changed each time it was read; its references were not rewritten.",
        "Pause the app's writes, then `ashore resume`.",
    )


def read(server: Server, collection: Collection, key: bytes) -> bytes | None:
    """The document as it stands."""
    found = server.raw(collection.name).find_one(raw.by_identity(key))
    return None if found is None else bytes(found.raw)


def put(server: Server, collection: Collection, data: bytes, new_texts: Mapping[Path, str]) -> bool:
    """Set texts of a document that still is `data`, as far as it is touched; whether it was."""
    edits = tuple(TextEdit(path, "", text, 0) for path, text in new_texts.items())
    result = server.raw(collection.name).bulk_write(
        [_update(collection, Document(data, edits))], **_options(collection)
    )
    return bool(result.matched_count)


def forget(server: Server, run: str, collection: str, keys: Iterable[bytes] | None = None) -> None:
    """Drop the images of documents that are written anew, as the source has them; None: of all."""
    if keys is None:
        server.database[IMAGES].delete_many({"run": run, "collection": collection})
        return
    filters = [{"run": run, "collection": collection, "key": Binary(key)} for key in keys]
    if filters:
        server.database[IMAGES].bulk_write([DeleteMany(f) for f in filters], ordered=False)


def _image(run: str, collection: str, key: bytes, edit: TextEdit) -> dict[str, Any]:
    digest = hashlib.sha256(repr((run, collection, key, edit.path)).encode()).hexdigest()
    return {
        "_id": digest,
        "run": run,
        "collection": collection,
        "key": Binary(key),
        "path": list(edit.path),
        "before": edit.before,
        "after": edit.after,
        "references": edit.references,
        "done": False,
    }


def _update(collection: Collection, document: Document) -> UpdateOne:
    """Set the touched top-level fields whole, where they still are what was read.

    An equality filter also matches an array that holds the value: hence the conditions on type and size.
    """
    new = {edit.path: edit.after for edit in document.edits}
    touched = {str(path[0]) for path in new}
    conditions = [("_id", raw.exactly(document.key))]
    changed = []
    for name, value in raw.fields(document.data):
        if name in touched:
            conditions.append((name, raw.nested(("$eq", value), _same_shape(value))))
            changed.append((name, raw.with_texts(value, new, (name,))))
    collation = {"locale": "simple"} if collection.option("collation") is not None else None
    return UpdateOne(
        RawBSONDocument(raw.build(*conditions)),
        RawBSONDocument(raw.build(("$set", raw.nested(*changed)))),
        collation=collation,
    )


def _same_shape(value: bytes) -> tuple[str, bytes]:
    if value[0] == 0x04:
        return "$size", b"\x10" + struct.pack("<i", sum(1 for _ in raw.fields(value[1:])))
    array = b"\x02" + struct.pack("<i", 6) + b"array\0"
    return "$not", raw.nested(("$type", array))


def _options(collection: Collection) -> dict[str, Any]:
    validates = collection.option("validator") is not None
    return {"bypass_document_validation": True} if validates else {}
