"""Loads the copy's documents into the target, a part after the other, each however often with one result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, InsertOne, ReplaceOne, errors
from pymongo.collection import Collection

from wizard.context import Cancel
from wizard.databases.mongo import raw
from wizard.databases.mongo.dump import Copied, Dump
from wizard.databases.mongo.record import Target
from wizard.errors import StepFailed

BATCH_BYTES = 4 << 20
BATCH_DOCUMENTS = 1000
_DUPLICATE = 11000
Write = InsertOne[RawBSONDocument] | ReplaceOne[RawBSONDocument] | DeleteOne


def load(
    target: Target, dump: Dump, copied: Copied, cancel: Cancel, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Load one collection; (documents, bytes) that this call wrote. Parts that stand are passed over.

    Raises StepFailed `fenced`, `duplicate-key`, Stopped, and the driver's errors.
    """
    known = target.read().done
    documents = size = 0
    for number, part in enumerate(copied.parts):
        key = part_key(copied.name, number, part.sha256)
        if key in known:
            progress(part.documents)
            continue
        for batch in batched(raw.read(dump.folder / part.file)):
            cancel.check()
            target.read()  # a newer execution ends this one before it writes more
            insert(target, copied, batch)
            progress(len(batch))
        target.done(key)
        documents, size = documents + part.documents, size + part.bytes
    return documents, size


def part_key(collection: str, number: int, sha256: str) -> str:
    """How the record calls a part."""
    return f"{number} {sha256} {collection}"


def batched(documents: Iterator[bytes], most: int = BATCH_DOCUMENTS) -> Iterator[list[bytes]]:
    """At most `most` documents and about 4 MB at a time."""
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if len(batch) >= most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def insert(target: Target, copied: Copied, batch: Sequence[bytes]) -> None:
    """Insert documents; one that stands already becomes what the copy says.

    Into a capped collection one by one, in order: there the order of insertion is data.
    """
    collection = target.server.raw(copied.name)
    writes: list[Write] = [InsertOne(RawBSONDocument(d)) for d in batch]
    standing = write(collection, copied, writes, ordered=copied.collection.capped)
    if standing:
        left = write(collection, copied, [_replace(batch[place]) for place in standing])
        if left:
            raise _duplicate(copied.name, len(left))


def replace(target: Target, copied: Copied, batch: Sequence[bytes]) -> None:
    """Make each document what the copy says, whether it stands or not."""
    refused = write(target.server.raw(copied.name), copied, [_replace(d) for d in batch])
    if refused:
        raise _duplicate(copied.name, len(refused))


def delete(target: Target, copied: Copied, identities: Sequence[bytes]) -> None:
    """Take documents out, those that are there."""
    write(target.server.raw(copied.name), copied, [DeleteOne(raw.by_identity(i)) for i in identities])


def write(
    collection: Collection[RawBSONDocument], copied: Copied, writes: Sequence[Write], *, ordered: bool = False
) -> list[int]:
    """One bulk write; the places of writes that a unique index refused. Raises the driver's other errors.

    The source's documents may be older than its validator: the target must take them all the same.
    """
    refused: list[int] = []
    start = 0
    options: dict[str, Any] = {}
    if copied.collection.option("validator") is not None:
        options["bypass_document_validation"] = True
    while start < len(writes):
        try:
            collection.bulk_write(list(writes[start:]), ordered=ordered, **options)
            break
        except errors.BulkWriteError as error:
            found = (error.details or {}).get("writeErrors") or []
            if not found or any(f.get("code") != _DUPLICATE for f in found):
                raise
            refused += [start + int(f["index"]) for f in found]
            if not ordered:
                break
            start = refused[-1] + 1
    return refused


def _replace(document: bytes) -> ReplaceOne[RawBSONDocument]:
    return ReplaceOne(raw.by_identity(raw.identity(document)), RawBSONDocument(document), upsert=True)


def _duplicate(collection: str, count: int) -> StepFailed:
    return StepFailed(
        "duplicate-key",
        f"A unique index of {collection} refuses {count:,} documents of the source.",
        "Documents that this run did not write stand there, or the index means something else on this "
        "server. `ashore resume` tries again.",
    )
