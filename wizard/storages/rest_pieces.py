"""Large files: pieces one after the other, the upload on record before its first byte, resumed.

The file is read once, in order, and its last piece is sent only when the digest of all of it is right: what
was inventoried is what comes to stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from wizard.context import Cancel
from wizard.storages.base import Outcome, PartsJournal, Upload
from wizard.storages.budget import ByteBudget
from wizard.storages.rest_remote import Gone, Occupied, Record, Remote


@dataclass(frozen=True)
class PiecesSender:
    """Sends large files to one bucket; `budget` bounds the bytes in memory."""

    remote: Remote
    parts: PartsJournal
    cancel: Cancel
    progress: Callable[[int], None]
    budget: ByteBudget

    def send(self, upload: Upload, only_new: bool) -> Outcome | None:
        """Send one file, going on where a recorded upload of the same bytes stopped.

        None where the upload had to be dropped (another write got in between, or the server forgot it):
        look again. Raises Refused, ConnectionLost or Stopped; the record then stays, for a resume.
        """
        record = self._record(upload)
        try:
            if record is None:
                begun = self.remote.begin(upload, only_new)
                record = {**begun, "sha256": upload.sha256.hex(), "piece": self.remote.piece}
                self.parts.put(upload.key, record)
                standing = 0
            else:
                standing = self.remote.standing(upload, record)
            return self._pieces(upload, record, standing, only_new)
        except Gone:
            self.parts.forget(upload.key)
            return None
        except Occupied:
            drop(self.remote, self.parts, upload.key)
            return None

    def _record(self, upload: Upload) -> Record | None:
        """The recorded upload of these bytes; one of other bytes is abandoned and forgotten."""
        record = self.parts.get(upload.key)
        if record is None:
            return None
        if record.get("sha256") == upload.sha256.hex() and record.get("piece") == self.remote.piece:
            return record
        drop(self.remote, self.parts, upload.key)
        return None

    def _pieces(self, upload: Upload, record: Record, standing: int, only_new: bool) -> Outcome | None:
        whole, at, etag = hashlib.sha256(), 0, ""
        with self.budget.lent(self.remote.piece):
            try:
                file = upload.path.open("rb")
            except FileNotFoundError:
                drop(self.remote, self.parts, upload.key)
                return Outcome(upload.key, "vanished")
            except OSError as error:
                drop(self.remote, self.parts, upload.key)
                return Outcome(upload.key, "unreadable", error.strerror or "")
            with file:
                while at < upload.size:
                    self.cancel.check()
                    try:
                        due = min(self.remote.piece, upload.size - at)
                        data = file.read(due)
                        longer = at + len(data) == upload.size and bool(file.read(1))
                    except OSError as error:
                        drop(self.remote, self.parts, upload.key)
                        return Outcome(upload.key, "unreadable", error.strerror or "")
                    whole.update(data)
                    last = at + len(data) == upload.size
                    if len(data) < due or longer or (last and whole.digest() != upload.sha256):
                        drop(self.remote, self.parts, upload.key)
                        return Outcome(upload.key, "changed")
                    if last or at + len(data) > standing:
                        known = max(0, standing - at) if standing < at + len(data) else 0
                        etag = self.remote.send_piece(upload, record, at + known, data[known:], only_new)
                        if not last and self.parts.get(upload.key) != record:
                            self.parts.put(upload.key, record)
                    self.progress(len(data))
                    at += len(data)
        self.parts.forget(upload.key)
        return Outcome(upload.key, "sent", etag=etag)


def drop(remote: Remote, parts: PartsJournal, key: str) -> None:
    """Abandon the recorded upload of `key`, if any, then forget it. Raises Refused, ConnectionLost."""
    record = parts.get(key)
    if record is not None:
        remote.abandon(key, record)
        parts.forget(key)
