"""A copy of a database in a folder: BSON files of bounded size, each with its digest, and a manifest.

The files are what `mongodump` writes (documents one after the other), so that other tools read them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pymongo import errors
from pymongo.client_session import ClientSession

from wizard.context import Cancel
from wizard.databases.mongo import catalog, raw
from wizard.databases.mongo.connect import Server, explained
from wizard.errors import NotAsPlanned
from wizard.state import write_whole

PART_BYTES = 16 << 20
MANIFEST = "manifest.json"
# The server keeps no history for reading at one moment, or no longer: read what stands.
_NO_HISTORY = (20, 72, 123, 239, 246, 263)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the copy: its documents are one chunk of the load."""

    file: str
    documents: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Copied:
    """A collection and its files, in order of `_id`; a capped one in the order of insertion."""

    collection: catalog.Collection
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Dump:
    """A finished copy. `consistent` means that all collections show one moment."""

    folder: Path
    database: str
    taken_at: str
    consistent: bool
    collections: tuple[Copied, ...]

    def documents(self, copied: Copied) -> Iterator[bytes]:
        """The documents of one collection, one at a time in memory."""
        for part in copied.parts:
            yield from raw.read(self.folder / part.file)

    def get(self, name: str) -> Copied | None:
        return next((c for c in self.collections if c.name == name), None)


def take(
    server: Server, folder: Path, cancel: Cancel, progress: Callable[[str, int], None] = lambda name, n: None
) -> Dump:
    """Copy the whole database. An unfinished copy in `folder` is replaced. `progress` gets collection and
    documents so far. Raises Stopped, OSError, and what `explained` makes of the driver's errors."""
    with explained():
        hello = server.client.admin.command("hello")
        if "setName" in hello or hello.get("msg") == "isdbgrid":
            try:
                with server.client.start_session(snapshot=True) as session:
                    return _take(server, folder, cancel, progress, session)
            except errors.OperationFailure as error:
                if error.code not in _NO_HISTORY:
                    raise
        return _take(server, folder, cancel, progress, None)


def _take(
    server: Server,
    folder: Path,
    cancel: Cancel,
    progress: Callable[[str, int], None],
    session: ClientSession | None,
) -> Dump:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    taken_at = datetime.datetime.now(datetime.UTC).isoformat()
    found = []
    for number, collection in enumerate(catalog.read(server)):
        parts: tuple[Part, ...] = ()
        if collection.kind == "collection":
            writer = _Writer(folder, number)
            for batch in batches(server, collection, session):
                cancel.check()
                for document in raw.split(batch):
                    writer.add(document)
                progress(collection.name, writer.total)
            parts = writer.close()
        found.append(Copied(collection, parts))
    dump = Dump(folder, server.name, taken_at, session is not None, tuple(found))
    _sync(folder)
    write_whole(folder / MANIFEST, json.dumps(_to_json(dump), indent=1).encode())
    _sync(folder)
    return dump


def batches(
    server: Server, collection: catalog.Collection, session: ClientSession | None = None
) -> Iterator[bytes]:
    """The server's answers as they come, in order of `_id`; of a capped collection in that of insertion."""
    order = "$natural" if collection.capped else "_id"
    yield from server.raw(collection.name).find_raw_batches(sort=[(order, 1)], session=session)


class _Writer:
    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._parts: list[Part] = []
        self._pieces: list[bytes] = []
        self._size = self.total = 0

    def add(self, document: bytes) -> None:
        raw.identity(document)  # one without cannot be told from others
        self._pieces.append(document)
        self._size += len(document)
        self.total += 1
        if self._size >= PART_BYTES:
            self._flush()

    def close(self) -> tuple[Part, ...]:
        if self._pieces:
            self._flush()
        return tuple(self._parts)

    def _flush(self) -> None:
        name = f"{self._number:04d}-{len(self._parts):06d}.bson"
        data = b"".join(self._pieces)
        with (self._folder / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._parts.append(Part(name, len(self._pieces), len(data), hashlib.sha256(data).hexdigest()))
        self._pieces, self._size = [], 0


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _to_json(dump: Dump) -> dict[str, Any]:
    return {
        "version": 1,
        "database": dump.database,
        "taken_at": dump.taken_at,
        "consistent": dump.consistent,
        "collections": [asdict(c) for c in dump.collections],
    }


def load(folder: Path, *, check: bool = False) -> Dump:
    """A copy taken before; `check` reads every byte of it. Raises NotAsPlanned `snapshot-changed`."""
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        found = tuple(
            Copied(
                catalog.Collection(
                    **{
                        **c["collection"],
                        "indexes": tuple(catalog.Index(**i) for i in c["collection"]["indexes"]),
                    }
                ),
                tuple(Part(**p) for p in c["parts"]),
            )
            for c in said["collections"]
        )
        dump = Dump(folder, said["database"], said["taken_at"], said["consistent"], found)
        same = not check or all(_unchanged(folder, part) for copied in found for part in copied.parts)
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise NotAsPlanned(
            "snapshot-changed",
            f"The snapshot {folder} is not the one this run took.",
            "Start anew with `ashore run`.",
        )
    return dump


def _collection(said: dict[str, Any]) -> catalog.Collection:
    indexes = tuple(catalog.Index(**index) for index in said["indexes"])
    return catalog.Collection(said["name"], said["kind"], said["options"], indexes)


def _unchanged(folder: Path, part: Part) -> bool:
    with (folder / part.file).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
