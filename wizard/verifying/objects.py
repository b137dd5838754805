"""Prove that every file's bytes stand under its key, by code of its own.

An object counts as equal by a checksum that the server computed over its bytes (SHA-256, the MD5 of a
single part, or the ETag of parts worked out again from the file), else by reading it back.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import httpx

from wizard.answers import StorageRule
from wizard.context import RunContext
from wizard.sources.copies import Copies
from wizard.sources.inventory import Entry, Inventory, StoreProblem, open_inventory
from wizard.sources.placements import Confirmed, Placement, Placements
from wizard.sources.progress import Meter
from wizard.storages import LEAVE, open_store
from wizard.storages.base import ObjectStore, Stored
from wizard.storages.routing import route

THREADS = 16
PAGE = 500
PIECE = 1 << 20
MOST_SHOWN = 1000
PUBLIC_S = 30.0
# Entries that hold bytes at the source which nobody could read: missing in the target without being gone.
_STILL_THERE = frozenset({"unreadable", "name-not-utf8", "file-keeps-changing"})

Proof = Literal["checksum", "etag", "reading"]


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """An object that is not as its file.

    `sign`: `*` differs, `+` stands at the source only, `-` at the target only, `!` could not be compared.
    """

    store: str
    path: str
    key: str
    sign: Literal["*", "+", "-", "!"]
    what: str


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """What was compared and how it was proven.

    `objects` and `bytes` are those found equal. `differences` holds the first thousand of `different`.
    `kept` objects stayed by the answer on_conflict: keep, `left` files by provider: leave. `not_moved` are
    entries of the source that could not be carried. `only_at_target` are objects of this run whose file
    the inventory no longer holds: no loss, but told.
    """

    objects: int
    bytes: int
    by_checksum: int
    by_etag: int
    by_reading: int
    kept: int
    left: int
    different: int
    differences: tuple[ObjectDifference, ...]
    not_moved: tuple[StoreProblem, ...]
    only_at_target: tuple[ObjectDifference, ...]
    public_fetched: int


@dataclass
class _Tally:
    proofs: dict[Proof, int] = field(default_factory=lambda: {"checksum": 0, "etag": 0, "reading": 0})
    bytes: int = 0
    kept: int = 0
    different: int = 0
    shown: list[ObjectDifference] = field(default_factory=list)
    fetched: int = 0

    def add(self, difference: ObjectDifference) -> None:
        self.different += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(difference)


@dataclass(frozen=True, slots=True)
class _Named:
    """An entry of which only the path is known."""

    path: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    place: Placement
    entry: Entry
    confirmed: Confirmed | None


def verify_objects(ctx: RunContext) -> ObjectComparison:
    """Compare every inventoried file with the object under its key; writes nothing.

    Raises Refused or ConnectionLost where a server cannot be asked, Stopped.
    """
    tally = _Tally()
    with open_inventory(ctx) as inventory:
        placements = Placements(inventory)
        for store, path in placements.unplaced(MOST_SHOWN):
            tally.add(ObjectDifference(store, path, "", "!", "no storage rule took this file"))
        for problem in placements.unmoved():
            if problem.code in _STILL_THERE and not _left(ctx, problem):
                tally.add(ObjectDifference(problem.store, problem.path, "", "!", problem.message))
        left = 0
        for index, rule in enumerate(ctx.answers.storage):
            count = placements.count(index)[0]
            if rule.provider == LEAVE:
                left += count
            elif count:
                _verify_rule(ctx, inventory, placements, index, rule, tally)
        return ObjectComparison(
            objects=sum(tally.proofs.values()),
            bytes=tally.bytes,
            by_checksum=tally.proofs["checksum"],
            by_etag=tally.proofs["etag"],
            by_reading=tally.proofs["reading"],
            kept=tally.kept,
            left=left,
            different=tally.different,
            differences=tuple(tally.shown),
            not_moved=placements.unmoved(),
            only_at_target=tuple(
                ObjectDifference(store, path, key, "-", "the file is no longer in the inventory")
                for _, key, store, path in placements.orphans(MOST_SHOWN)
            ),
            public_fetched=tally.fetched,
        )


def _left(ctx: RunContext, problem: StoreProblem) -> bool:
    """Whether the answers leave this entry where it is."""
    found = route(ctx.answers.storage, problem.store, _Named(problem.path))
    return found is not None and ctx.answers.storage[found[0]].provider == LEAVE


def _verify_rule(
    ctx: RunContext,
    inventory: Inventory,
    placements: Placements,
    index: int,
    rule: StorageRule,
    tally: _Tally,
) -> None:
    store = open_store(rule, ctx.vault.resolve)
    copies = Copies(ctx, inventory)
    files, size = placements.count(index)
    meter = Meter(ctx.emit, "verify", f"{store.title}: {store.name}", "bytes", size)

    def one(task: _Task) -> Proof | Literal["kept"] | ObjectDifference:
        path = copies.path(task.place.store, task.place.path)
        result = _compare(store, task, path)
        meter.add(task.entry.size, task.place.key)
        return result

    tasks = (_Task(*row) for row in placements.all(index))
    public = rule.access == "public" and rule.public_url is not None
    limit = files if ctx.answers.public_sample == "all" else ctx.answers.public_sample
    every = max(1, files // limit) if limit else 0
    seen = fetched = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="head") as pool, _browser() as browser:
        while page := list(islice(tasks, PAGE)):
            ctx.cancel.check()
            for task, result in zip(page, pool.map(one, page), strict=True):
                if isinstance(result, ObjectDifference):
                    tally.add(result)
                elif result == "kept":
                    tally.kept += 1
                else:
                    tally.proofs[result] += 1
                    tally.bytes += task.entry.size
                    if public and every and seen % every == 0 and fetched < limit:
                        fetched += 1
                        _fetch(browser, store, task, tally)
                seen += 1
    meter.close()


def _compare(store: ObjectStore, task: _Task, path: Path) -> Proof | Literal["kept"] | ObjectDifference:
    entry, confirmed = task.entry, task.confirmed
    stored = store.head(task.place.key)
    if stored is None:
        return _differs(task, "+", "no object stands under its key")
    if confirmed is not None and confirmed.status == "kept":
        return "kept"
    if stored.size != entry.size:
        return _differs(task, "*", f"{stored.size} bytes instead of {entry.size}")
    if stored.content_type is not None and stored.content_type != entry.content_type:
        return _differs(task, "*", f"type {stored.content_type} instead of {entry.content_type}")
    if stored.sha256 is not None:
        same = stored.sha256 == entry.sha256
        return "checksum" if same else _differs(task, "*", "other bytes, by the server's SHA-256")
    if stored.md5 is not None:
        return "etag" if stored.md5 == entry.md5 else _differs(task, "*", "other bytes, by the server's MD5")
    if confirmed is not None and confirmed.part_size and _etag_proves(stored, confirmed, entry, path):
        return "etag"
    digest = hashlib.sha256()
    for piece in store.read(task.place.key):
        digest.update(piece)
    same = digest.digest() == entry.sha256
    return "reading" if same else _differs(task, "*", "other bytes, by reading them back")


def _differs(task: _Task, sign: Literal["*", "+", "!"], what: str) -> ObjectDifference:
    return ObjectDifference(task.place.store, task.place.path, task.place.key, sign, what)


def _etag_proves(stored: Stored, confirmed: Confirmed, entry: Entry, path: Path) -> bool:
    """Whether the ETag is the MD5 of the parts' MD5s, worked out from a file that has the inventory's
    SHA-256. False proves nothing: some servers make ETags otherwise."""
    whole = hashlib.sha256()
    parts: list[bytes] = []
    part, filled = hashlib.md5(usedforsecurity=False), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(min(PIECE, confirmed.part_size - filled)):
                whole.update(piece)
                part.update(piece)
                filled += len(piece)
                if filled == confirmed.part_size:
                    parts.append(part.digest())
                    part, filled = hashlib.md5(usedforsecurity=False), 0
    except OSError:
        return False
    if filled:
        parts.append(part.digest())
    joined = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return whole.digest() == entry.sha256 and stored.etag == f"{joined}-{len(parts)}"


def _browser() -> httpx.Client:
    """As a visitor comes: no keys, no cookies."""
    return httpx.Client(follow_redirects=True, timeout=PUBLIC_S)


def _fetch(browser: httpx.Client, store: ObjectStore, task: _Task, tally: _Tally) -> None:
    """Read one object by its public address and compare the bytes."""
    url = store.url(task.place.key)
    digest, size = hashlib.sha256(), 0
    try:
        with browser.stream("GET", url) as answer:
            if answer.status_code != 200:
                tally.add(_differs(task, "*", f"{url} answers {answer.status_code}"))
                return
            for piece in answer.iter_bytes(PIECE):
                digest.update(piece)
                size += len(piece)
    except httpx.HTTPError as error:
        tally.add(_differs(task, "!", f"{url} cannot be read: {type(error).__name__}"))
        return
    if digest.digest() != task.entry.sha256:
        tally.add(_differs(task, "*", f"{url} gives other bytes ({size} of them)"))
        return
    tally.fetched += 1
