"""One bucket behind an HTTP interface, opened: what wizard.storages.base.ObjectStore asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property

from wizard.context import Cancel
from wizard.errors import Refused, StepFailed
from wizard.model import Check
from wizard.storages import rest_canary
from wizard.storages.base import Outcome, PartsJournal, Stored, Upload, Written
from wizard.storages.budget import ByteBudget
from wizard.storages.pipeline import run_pipeline
from wizard.storages.rest_pieces import PiecesSender, drop
from wizard.storages.rest_remote import Occupied, Remote, TellsLargest

TRIES = 3


class RestStore:
    """One bucket. Connects when first used; safe to use from several threads."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.name = remote.name
        self.title = remote.title
        self.identity = remote.identity

    @cached_property
    def create_only(self) -> bool:
        """Whether the server honours create-only writes; tried once."""
        return rest_canary.honours_create_only(self.remote)

    def ensure(self, create: bool) -> bool:
        made = False
        try:
            self.remote.reach()
        except Refused as error:
            if error.code == "bucket-missing" and create:
                self.remote.create()
                made = True
            elif error.code != "access-denied":
                raise
            # Without the right to look at the bucket itself, the write below tells.
        failed = [check for check in self.check() if not check.ok]
        if failed:
            # The reason decides the exit code, so the failing action is done again, uncaught.
            rest_canary.clear(self.remote)
            key = rest_canary.key_of(self.remote)
            self.remote.put(key, rest_canary.body(), rest_canary.TYPE, only_new=False)
            self.remote.delete(key)
            raise Refused(
                "storage-test",
                f"{self.title}, {self.name}: {failed[0].what}: no. {failed[0].said}",
                failed[0].hint or "Check the key's rights and the storage's settings.",
            )
        return made

    def set_up(self, made: bool) -> None:
        """What is made here is private and complete when it is made."""

    def largest(self) -> int | None:
        return self.remote.largest() if isinstance(self.remote, TellsLargest) else None

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        self.remote.allow_origins(origins)

    def check(self) -> tuple[Check, ...]:
        return rest_canary.live_test(self.remote)

    def send(
        self,
        uploads: Iterable[Upload],
        parts: PartsJournal,
        cancel: Cancel,
        progress: Callable[[int], None],
        overwrite: bool = False,
    ) -> Iterator[Outcome]:
        budget = ByteBudget()
        guarded = self.create_only and not overwrite
        pieces = PiecesSender(self.remote, parts, cancel, progress, budget)

        def small(upload: Upload) -> Outcome:
            # The request holds the bytes once more, between what stands around them.
            with budget.lent(2 * upload.size):
                outcome = self._small(upload, guarded, overwrite)
            if outcome.status in ("sent", "already"):
                progress(upload.size)
            return outcome

        def large(upload: Upload) -> Outcome:
            for _ in range(TRIES):
                settled = settle(self.remote, upload, overwrite)
                if settled is not None:
                    drop(self.remote, parts, upload.key)
                    if settled.status == "already":
                        progress(upload.size)
                    return settled
                outcome = pieces.send(upload, guarded and not (upload.replaces or upload.ours))
                if outcome is not None:
                    return outcome
            raise StepFailed(
                "object-contested",
                f"Something else writes {upload.key} in {self.name} at the same time.",
                "Stop it, then `ashore resume`.",
            )

        def is_large(upload: Upload) -> bool:
            return upload.size > self.remote.piece

        yield from run_pipeline(uploads, small, large, is_large, cancel)

    def _small(self, upload: Upload, guarded: bool, overwrite: bool) -> Outcome:
        try:
            with upload.path.open("rb") as file:
                data = file.read(upload.size + 1)
        except FileNotFoundError:
            return Outcome(upload.key, "vanished")
        except OSError as error:
            return Outcome(upload.key, "unreadable", error.strerror or "")
        if len(data) != upload.size or hashlib.sha256(data).digest() != upload.sha256:
            return Outcome(upload.key, "changed")
        if guarded:
            with suppress(Occupied):
                etag = self.remote.put(upload.key, data, upload.content_type, only_new=True)
                return Outcome(upload.key, "sent", etag=etag)
        settled = settle(self.remote, upload, overwrite)
        if settled is not None:
            return settled
        etag = self.remote.put(upload.key, data, upload.content_type, only_new=False)
        return Outcome(upload.key, "sent", etag=etag)

    def abandon(self, key: str, parts: PartsJournal) -> None:
        drop(self.remote, parts, key)

    def head(self, key: str) -> Stored | None:
        return self.remote.head(key)

    def read(self, key: str) -> Iterator[bytes]:
        return self.remote.read(key)

    def delete(self, key: str) -> None:
        self.remote.delete(key)

    def url(self, key: str) -> str:
        return self.remote.url(key)


def settle(remote: Remote, upload: Upload, overwrite: bool) -> Outcome | None:
    """The outcome where something stands under the key, or None where it is free to be written.

    An object counts as the file's only by a checksum of the server over all its bytes, or by reading it
    back. None also where it may be replaced: `overwrite`, or it is the one named by `upload.replaces`
    or holds one of `upload.ours`.
    """
    stored = remote.head(upload.key)
    if stored is None:
        return None
    if stored.size == upload.size and _same_bytes(remote, stored, upload):
        if stored.content_type in (upload.content_type, None):
            return Outcome(upload.key, "already", etag=stored.etag)
        detail = f"the same bytes stand there as {stored.content_type}, not {upload.content_type}"
    else:
        detail = f"another object of {stored.size} bytes stands there"
    if overwrite or (upload.replaces and stored.etag == upload.replaces):
        return None
    if any(stored.size == ours.size and _same_bytes(remote, stored, ours) for ours in upload.ours):
        return None
    return Outcome(upload.key, "conflict", detail, etag=stored.etag)


def _same_bytes(remote: Remote, stored: Stored, wanted: Upload | Written) -> bool:
    if stored.sha256 is not None:
        return stored.sha256 == wanted.sha256
    if stored.md5 is not None:
        return stored.md5 == wanted.md5
    digest = hashlib.sha256()
    for piece in remote.read(stored.key):
        digest.update(piece)
    return digest.digest() == wanted.sha256
