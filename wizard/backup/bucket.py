"""Backups in a bucket of an S3 server, and the objects of a bucket that are to be backed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from wizard.backup.layout import HEADER, WRITER, Stored, is_id
from wizard.backup.places import Kept, Staged, digest_of, is_left, kept, missing, writer_note
from wizard.context import Cancel
from wizard.errors import AshoreError, StepFailed
from wizard.storages.base import Upload
from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_store import S3Store

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing. `touched`: its last change, epoch seconds."""

    key: str
    size: int
    touched: float


def listed(store: S3Store, prefix: str) -> Iterator[Listed]:
    """Every object whose key begins with `prefix`, page by page. Raises AshoreError in the server's words."""
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.name, Prefix=prefix)
    try:
        for page in pages:
            for entry in page.get("Contents", ()):
                yield Listed(entry["Key"], entry["Size"], entry["LastModified"].timestamp())
    except (ClientError, BotoCoreError) as error:
        raise translate(error, store.place, f"listing {prefix}") from error


@dataclass
class NoRecord:
    """Uploads in parts of one process: a killed one's are aborted by the next backup, not resumed."""

    known: dict[str, dict[str, object]] = field(default_factory=dict)

    def get(self, key: str) -> dict[str, object] | None:
        return self.known.get(key)

    def put(self, key: str, value: dict[str, object]) -> None:
        self.known[key] = value

    def forget(self, key: str) -> None:
        self.known.pop(key, None)


@dataclass(frozen=True)
class BucketPlace:
    """`prefix` is "" or ends with a slash."""

    store: S3Store
    prefix: str
    title: str

    def begin(self, id: str, mine: Callable[[str], bool]) -> BucketWriting:
        """Raises Refused in the server's words."""
        self._clear(mine)
        writing = BucketWriting(self, id)
        writing.raw(WRITER, writer_note())
        return writing

    def _ids(self) -> list[str]:
        """Names of backups and of what is left of such, by the common prefixes of their keys."""
        found: list[str] = []
        pages = self.store.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.store.name, Prefix=f"{self.prefix}ashore-", Delimiter="/"
        )
        try:
            for page in pages:
                for entry in page.get("CommonPrefixes", ()):
                    found.append(entry["Prefix"].removeprefix(self.prefix).rstrip("/"))
        except (ClientError, BotoCoreError) as error:
            raise translate(error, self.store.place, f"listing {self.prefix}") from error
        return sorted(id for id in found if is_id(id))

    def _clear(self, mine: Callable[[str], bool]) -> None:
        for id in self._ids():
            if not mine(id) or self.store.head(self.key(id, HEADER)) is not None:
                continue
            touched = max((o.touched for o in listed(self.store, self.key(id, ""))), default=time.time())
            if is_left(self._bytes(id, WRITER), touched):
                self._drop_uploads(id)
                for entry in listed(self.store, self.key(id, "")):
                    self.store.delete(entry.key)

    def _drop_uploads(self, id: str) -> None:
        """Abort uploads in parts below a backup that will never stand: their parts cost money unseen."""
        client: Any = self.store.client
        try:
            found = client.list_multipart_uploads(Bucket=self.store.name, Prefix=self.key(id, ""))
            for entry in found.get("Uploads", ()):
                client.abort_multipart_upload(
                    Bucket=self.store.name, Key=entry["Key"], UploadId=entry["UploadId"]
                )
        except ClientError as error:
            if code_of(error) not in ("NotImplemented", "AccessDenied", "NoSuchUpload"):
                raise translate(error, self.store.place, f"clearing {id}") from error
        except BotoCoreError as error:
            raise translate(error, self.store.place, f"clearing {id}") from error

    def key(self, id: str, name: str) -> str:
        return f"{self.prefix}{id}/{name}"

    def _bytes(self, id: str, name: str) -> bytes | None:
        if self.store.head(self.key(id, name)) is None:
            return None
        return b"".join(self.store.read(self.key(id, name)))

    def backups(self) -> list[Kept]:
        found = ((id, self._bytes(id, HEADER)) for id in self._ids())
        return [kept(id, data) for id, data in found if data is not None]

    def holds(self, id: str) -> tuple[int, int]:
        count = size = 0
        for entry in listed(self.store, self.key(id, "")):
            if entry.key not in (self.key(id, HEADER), self.key(id, WRITER)):
                count, size = count + 1, size + entry.size
        return count, size

    def read(self, id: str, name: str) -> Iterator[bytes]:
        if self.store.head(self.key(id, name)) is None:
            raise missing(id, name)
        yield from self.store.read(self.key(id, name))

    def delete(self, id: str) -> None:
        self.store.delete(self.key(id, HEADER))
        for entry in listed(self.store, self.key(id, "")):
            self.store.delete(entry.key)


@dataclass(frozen=True)
class BucketWriting:
    """A backup under way below its own prefix."""

    place: BucketPlace
    id: str

    def raw(self, name: str, data: bytes) -> None:
        """Store a few bytes under a name, whatever stands there."""
        place = self.place
        try:
            place.store.client.put_object(
                Bucket=place.store.name, Key=place.key(self.id, name), Body=data, ContentType=JSON
            )
        except (ClientError, BotoCoreError) as error:
            raise translate(error, place.store.place, f"writing {name}") from error

    def put(self, batch: Sequence[Staged]) -> None:
        uploads = [
            Upload(
                key=self.place.key(self.id, item.stored.name),
                path=item.path,
                size=item.stored.size,
                sha256=bytes.fromhex(item.stored.sha256),
                md5=item.md5,
                content_type=item.content_type,
            )
            for item in batch
        ]
        for outcome in self.place.store.send(uploads, NoRecord(), Cancel(), lambda count: None):
            if outcome.status not in ("sent", "already"):
                raise StepFailed(
                    "place-conflict",
                    f"{outcome.key} in {self.place.title} could not be written: {outcome.status} "
                    f"{outcome.detail}".rstrip()
                    + ".",
                    "Something else writes there; earlier backups are untouched.",
                )

    def read(self, name: str) -> Iterator[bytes]:
        return self.place.read(self.id, name)

    def same(self, stored: Stored) -> bool:
        found = self.place.store.head(self.place.key(self.id, stored.name))
        if found is None or found.size != stored.size:
            return False
        if found.sha256 is not None:
            return found.sha256.hex() == stored.sha256
        return digest_of(self.read(stored.name)) == (stored.size, stored.sha256)

    def finish(self, header: bytes) -> None:
        self.raw(HEADER, header)
        self.place.store.delete(self.place.key(self.id, WRITER))

    def abandon(self) -> None:
        with suppress(AshoreError):
            self.place.delete(self.id)
