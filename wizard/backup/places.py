"""Where backups lie: a folder (which may be synced elsewhere), or a bucket of an S3 server.

Neither ever shows a backup that is not whole: a folder appears by one rename, and in a bucket `backup.json`
comes last. What a killed backup left has no header; the next one to the same place clears it away.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from wizard.answers import StorageRule
from wizard.backup.layout import HEADER, Header, Stored, damaged, read_header
from wizard.credentials import Secret
from wizard.errors import AshoreError, UsageError

PIECE = 1 << 20
LEFT_SECONDS = 24 * 3600.0  # what was not written to for so long is nobody's work under way
Resolve = Callable[[str], Secret]


@dataclass(frozen=True, slots=True)
class Staged:
    """A file on this machine that shall become a part: `stored` is what it must be at the place."""

    stored: Stored
    path: Path
    md5: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup at a place. `header` is None where it cannot be read, and `why` says so."""

    id: str
    header: Header | None
    why: str = ""


class Writing(Protocol):
    """One backup being written to one place."""

    def put(self, batch: Sequence[Staged]) -> None:
        """Store the batch; each name is new. Raises AshoreError."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """What lies there now."""
        ...

    def same(self, stored: Stored) -> bool:
        """Whether what lies there is what it must be: read back, or by the server's own checksum."""
        ...

    def finish(self, header: bytes) -> None:
        """Make the backup stand."""
        ...

    def abandon(self) -> None:
        """Remove what was written, as far as that goes."""
        ...


class Place(Protocol):
    """A place for backups. Methods raise AshoreError."""

    @property
    def title(self) -> str:
        """The place as people know it, without keys."""
        ...

    def begin(self, id: str, mine: Callable[[str], bool]) -> Writing:
        """Begin a backup; first clear away what a killed one left, where `mine(id)` says that it is ours."""
        ...

    def backups(self) -> list[Kept]:
        """Every backup that stands here, by id."""
        ...

    def holds(self, id: str) -> tuple[int, int]:
        """(parts, bytes) that lie in a backup, its header not counted."""
        ...

    def read(self, id: str, name: str) -> Iterator[bytes]:
        """A file of a backup, in pieces. Raises AshoreError `backup-part-missing` where it is not there."""
        ...

    def delete(self, id: str) -> None:
        """Delete a backup; from the first instant on it stands no more."""
        ...


def writer_note() -> bytes:
    """Who writes, so that a backup under way on this machine is not taken for a leftover."""
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()


def is_left(note: bytes | None, touched: float) -> bool:
    """Whether what `note` describes was left by a process that is gone. `touched`: last change, epoch s."""
    if time.time() - touched > LEFT_SECONDS:
        return True
    try:
        said = json.loads(note or b"")
        host, pid = str(said["host"]), int(said["pid"])
    except (ValueError, KeyError, TypeError):
        return False
    # On Windows asking for a process by signal 0 would end it: there the age alone decides.
    if host != socket.gethostname() or pid == os.getpid() or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def digest_of(pieces: Iterable[bytes]) -> tuple[int, str]:
    """(size, SHA-256) of a stream."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def kept(id: str, data: bytes | None) -> Kept:
    """A backup by the bytes of its header."""
    if data is None:
        return Kept(id, None, f"{HEADER} cannot be read")
    try:
        header = read_header(data, f"{id}/{HEADER}")
    except AshoreError as error:
        return Kept(id, None, error.message)
    return Kept(id, header) if header.id == id else Kept(id, None, f"its {HEADER} is that of {header.id}")


def missing(id: str, name: str) -> AshoreError:
    return damaged(f"{id}/{name}", "it is not there")


def open_place(
    text: str, rules: Sequence[StorageRule], resolve: Resolve, environ: Mapping[str, str], base: Path
) -> Place:
    """The place called `text`: a folder, or `s3://bucket/prefix[?endpoint=…&region=…&access_key=REF&secret_key=REF]`.

    Keys that the address does not name are those of the answers' rule for the bucket, else the usual
    variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, S3_ENDPOINT_URL). Raises UsageError.
    """
    if "://" not in text:
        from wizard.backup.folder import FolderPlace

        return FolderPlace(base / Path(text).expanduser())
    from wizard.backup.bucket import BucketPlace

    rule = bucket_rule(text, rules, environ)
    from wizard.storages import open_store
    from wizard.storages.s3_store import S3Store

    store = open_store(rule, resolve)
    if not isinstance(store, S3Store):
        raise _unknown(text)
    return BucketPlace(store, rule.prefix, text.partition("?")[0])


def bucket_rule(text: str, rules: Sequence[StorageRule], environ: Mapping[str, str]) -> StorageRule:
    """The storage rule that reaches `text`; its prefix is "" or ends with a slash. Raises UsageError."""
    parts = urlsplit(text)
    if parts.scheme != "s3" or not parts.hostname or parts.username:
        raise _unknown(text)
    bucket = parts.netloc
    prefix = parts.path.strip("/")
    prefix = prefix + "/" if prefix else ""
    said = dict(parse_qsl(parts.query))
    provider = said.pop("provider", "")
    known = next(
        (r for r in rules if r.options.get("bucket") == bucket and r.options.get("access_key") is not None),
        None,
    )
    if known is not None and not provider:
        provider = known.provider
        options = {**known.options, **said}
    else:
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        endpoint = environ.get("S3_ENDPOINT_URL") or environ.get("AWS_ENDPOINT_URL_S3")
        options = {
            "bucket": bucket,
            "access_key": "env:AWS_ACCESS_KEY_ID",
            "secret_key": "env:AWS_SECRET_ACCESS_KEY",
            "region": region,
            **({"endpoint": endpoint} if endpoint else {}),
            **said,
        }
        provider = provider or ("s3-compatible" if options.get("endpoint") else "s3")
    return StorageRule(provider=provider, prefix=prefix, options=options)


def _unknown(text: str) -> UsageError:
    return UsageError(
        "place-unknown",
        f"{text.partition('?')[0]} is no place for backups; nothing was written.",
        "Name a folder, or a bucket of an S3 server as s3://bucket/prefix.",
    )
