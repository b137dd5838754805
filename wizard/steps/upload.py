"""Send every routed file to its storage. What a server confirmed is recorded in batches, so that a kill
costs at most a batch, and that is recognised by its checksums instead of being sent again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from wizard.answers import StorageRule
from wizard.context import RunContext
from wizard.errors import UsageError
from wizard.events import Warned
from wizard.journal import Journal
from wizard.sources.copies import Copies
from wizard.sources.inventory import Inventory, open_inventory, refresh, store_folder
from wizard.sources.placements import Confirmed, Intent, Placement, Placements
from wizard.sources.progress import Meter
from wizard.steps.upload_routes import route_files
from wizard.storages import LEAVE, open_store
from wizard.storages.base import ObjectStore, Outcome, Upload, Written
from wizard.storages.uploading import Conflict, send_all

name = "upload"
BATCH = 200
BATCH_S = 1.0
SHOWN = 20


class JournalParts:
    """The record of uploads in parts, in the run's journal, apart for each bucket."""

    KIND = "parts"

    def __init__(self, journal: Journal, identity: str) -> None:
        self._journal, self._identity = journal, identity

    def _key(self, key: str) -> str:
        return f"{self._identity}\n{key}"

    def get(self, key: str) -> dict[str, object] | None:
        found: dict[str, object] | None = self._journal.get(self.KIND, self._key(key))
        return found

    def put(self, key: str, value: dict[str, object]) -> None:
        self._journal.put(self.KIND, self._key(key), value)

    def forget(self, key: str) -> None:
        self._journal.forget(self.KIND, self._key(key))

    def recorded(self) -> list[str]:
        """What is on record for this bucket."""
        begin = f"{self._identity}\n"
        return [k.removeprefix(begin) for k, _ in self._journal.all(self.KIND) if k.startswith(begin)]


Opened = dict[str, tuple[ObjectStore, JournalParts]]
"""Every bucket that was written to, with its record of uploads in parts, by identity."""


class Confirmations:
    """Collects what was confirmed and writes it in batches."""

    def __init__(self, placements: Placements) -> None:
        self._placements = placements
        self._waiting: list[Confirmed] = []
        self._written = time.monotonic()

    def add(self, confirmed: Confirmed) -> None:
        self._waiting.append(confirmed)
        if len(self._waiting) >= BATCH or time.monotonic() - self._written > BATCH_S:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._placements.confirm(self._waiting)
            self._waiting.clear()
        self._written = time.monotonic()


def run(ctx: RunContext) -> str:
    """Raises UsageError (`unrouted`, `object-conflict`, …), StepFailed, Refused, ConnectionLost, Stopped."""
    if not ctx.answers.storage:
        return "no files to move"
    with open_inventory(ctx) as inventory:
        route_files(ctx, inventory)
        placements = Placements(inventory)
        conflicts: list[tuple[str, Conflict]] = []
        opened: Opened = {}
        for index, rule in enumerate(ctx.answers.storage):
            if rule.provider == LEAVE or placements.count(index)[0] == 0:
                continue
            conflicts += _send_rule(ctx, inventory, placements, index, rule, opened)
        for store, parts in opened.values():
            for key in parts.recorded():  # of files that are gone, or others by now
                store.abandon(key, parts)
        _check_conflicts(conflicts)
        return _summary(ctx, placements)


def _send_rule(
    ctx: RunContext,
    inventory: Inventory,
    placements: Placements,
    index: int,
    rule: StorageRule,
    opened: Opened,
) -> list[tuple[str, Conflict]]:
    store = open_store(rule, ctx.vault.resolve)
    copies = Copies(ctx, inventory)
    total = placements.count(index)[1]
    meter = Meter(ctx.emit, name, f"{store.title}: {store.name}", "bytes", total)
    places: dict[str, Placement] = {}
    confirmations = Confirmations(placements)
    parts = JournalParts(ctx.journal, store.identity)
    # What an earlier execution was about to send when it was killed: it may stand there without our knowing.
    unsure = placements.intents(store.identity)
    opened[store.identity] = store, parts

    def intend(uploads: Sequence[Upload]) -> None:
        placements.intend([Intent(store.identity, u.key, u.sha256, u.md5, u.size) for u in uploads])

    def pending() -> Iterator[Upload]:
        waiting = unsent()
        while batch := list(islice(waiting, BATCH)):
            intend(batch)
            yield from batch

    def unsent() -> Iterator[Upload]:
        for place, entry, confirmed in placements.all(index):
            if confirmed is not None and confirmed.sha256 == entry.sha256:
                meter.add(entry.size, entry.path)
                continue
            places[place.key] = place
            yield Upload(
                key=place.key,
                path=copies.path(place.store, place.path),
                size=entry.size,
                sha256=entry.sha256,
                md5=entry.md5,
                content_type=entry.content_type,
                # Only what this run itself wrote there may give way to the file's new bytes.
                replaces=confirmed.etag if confirmed is not None and confirmed.status == "sent" else "",
                ours=tuple(Written(i.size, i.sha256, i.md5) for i in unsure.get(place.key, ())),
            )

    def again(upload: Upload) -> Upload | None:
        place = places[upload.key]
        entry = refresh(ctx, inventory, place.store, place.path)
        if entry is None:
            _tell_gone(ctx, place)
            return None
        fresh = replace(
            upload,
            path=store_folder(ctx.project, place.store) / place.path,
            size=entry.size,
            sha256=entry.sha256,
            md5=entry.md5,
            content_type=entry.content_type,
        )
        intend([fresh])
        return fresh

    def confirm(upload: Upload, outcome: Outcome) -> None:
        place = places.pop(upload.key)
        status = "kept" if outcome.status == "conflict" else outcome.status
        if status == "already" and any(i.sha256 == upload.sha256 for i in unsure.get(upload.key, ())):
            status = "sent"
        confirmations.add(
            Confirmed(
                target=place.target,
                key=place.key,
                store=place.store,
                path=place.path,
                status=status,
                size=upload.size,
                sha256=upload.sha256,
                etag=outcome.etag,
                part_size=outcome.part_size,
            )
        )

    try:
        sending = send_all(
            store,
            pending(),
            on_conflict=rule.on_conflict,
            parts=parts,
            cancel=ctx.cancel,
            progress=meter.add,
            again=again,
            confirm=confirm,
        )
    finally:
        confirmations.flush()
    meter.close()
    for conflict in sending.conflicts if rule.on_conflict == "keep" else ():
        ctx.emit(Warned("object-kept", f"{store.name}/{conflict.key} was kept: {conflict.detail}."))
    return [(store.name, conflict) for conflict in sending.conflicts if rule.on_conflict == "stop"]


def _tell_gone(ctx: RunContext, place: Placement) -> None:
    where = f"{place.store}/{place.path}"
    ctx.journal.put("not-moved", where, {"key": place.key})
    ctx.emit(Warned("file-gone", f"{where} is gone or cannot be read any more; it was not moved."))


def _check_conflicts(conflicts: list[tuple[str, Conflict]]) -> None:
    if not conflicts:
        return
    shown = "; ".join(f"{bucket}/{c.key} ({c.detail})" for bucket, c in conflicts[:SHOWN])
    more = f" and {len(conflicts) - SHOWN} more" if len(conflicts) > SHOWN else ""
    raise UsageError(
        "object-conflict",
        f"Other objects stand where {len(conflicts)} files belong: {shown}{more}. They were not touched; all "
        "other files were sent.",
        "Choose another prefix or bucket, or answer on_conflict: keep or replace; then `ashore resume`.",
    )


def _summary(ctx: RunContext, placements: Placements) -> str:
    """The step's summary and its fact, counted from the records so that resumed runs tell the same."""
    settled = placements.settled()
    stand = [settled.get(status, (0, 0)) for status in ("sent", "already")]
    files, size = sum(count for count, _ in stand), sum(size for _, size in stand)
    kept = settled.get("kept", (0, 0))[0]
    left = sum(placements.count(i)[0] for i, rule in enumerate(ctx.answers.storage) if rule.provider == LEAVE)
    gone = sum(problem.code in ("vanished", "unreadable") for problem in placements.unmoved())
    ctx.journal.put(
        name, "summary", {"files": files, "bytes": size, "kept": kept, "left": left, "not_moved": gone}
    )
    words = [f"{files:,} files, {size:,} bytes stored"]
    words += [f"{count:,} {what}" for count, what in ((kept, "kept as they stood"), (left, "left in place"))
              if count]  # fmt: skip
    if gone:
        words.append(f"{gone:,} NOT moved because they are gone or unreadable")
    return ", ".join(words)
