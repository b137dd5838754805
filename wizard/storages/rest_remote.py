"""What a provider's own file does for `rest_store`, which does the rest: one bucket behind HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from wizard.storages.base import Stored, Upload

Record = dict[str, object]


class Occupied(Exception):
    """A create-only write found something under the key; nothing was written."""


class Gone(Exception):
    """The server no longer knows this upload in pieces: it must begin anew."""


@runtime_checkable
class TellsLargest(Protocol):
    """A provider that tells what its account takes."""

    def largest(self) -> int | None:
        """The largest file in bytes; None where it is not told."""
        ...


class Remote(Protocol):
    """One bucket. Methods raise errors.Refused in the provider's words, and errors.ConnectionLost.

    `piece` is in bytes: files from this size on are sent in pieces of it, one after the other, the last
    one smaller. `prefix` is where the test object goes.
    """

    name: str
    title: str
    identity: str
    prefix: str
    piece: int

    def reach(self) -> None:
        """Raises Refused `bucket-missing` where there is no such bucket, `access-denied` where it cannot
        be asked for."""
        ...

    def create(self) -> None:
        """Make the bucket, private; one that is ours already is no error."""
        ...

    def allow_origins(self, origins: tuple[str, ...]) -> None: ...

    def head(self, key: str) -> Stored | None: ...

    def read(self, key: str) -> Iterator[bytes]: ...

    def delete(self, key: str) -> None:
        """One that is not there is no error."""
        ...

    def url(self, key: str) -> str: ...

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        """Write all of `data`; returns the ETag. Raises Occupied."""
        ...

    def begin(self, upload: Upload, only_new: bool) -> Record:
        """Announce an upload in pieces; what is returned is recorded before the first byte is sent."""
        ...

    def standing(self, upload: Upload, record: Record) -> int:
        """How many bytes, from the first, need not be sent again. Raises Gone."""
        ...

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        """Send one piece; with the last one the object comes to stand, and its ETag is returned.

        A piece may be sent twice. Raises Occupied (with the last one), Gone.
        """
        ...

    def abandon(self, key: str, record: Record) -> None:
        """Give up an upload in pieces; one that is gone is no error."""
        ...
