"""What stands under a key, and whether it is what we would write there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wizard.storages.base import Outcome, Stored, Upload, Written
from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

PIECE = 1 << 20


def head(client: S3Client, place: Place, key: str) -> Stored | None:
    """What the server says of `key`, or None where nothing stands there."""
    try:
        found = client.head_object(Bucket=place.bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchKey", "NotFound"):
            return None
        raise translate(error, place, f"looking at {key}") from error
    except BotoCoreError as error:
        raise translate(error, place, f"looking at {key}") from error
    etag = found["ETag"].strip('"')
    return Stored(
        key=key,
        size=found["ContentLength"],
        content_type=found.get("ContentType", ""),
        etag=etag,
        md5=_md5(etag, found),
        sha256=_sha256(found),
    )


def _md5(etag: str, found: HeadObjectOutputTypeDef) -> bytes | None:
    """The ETag as MD5: true of a single part unless a key of KMS or the client's own encrypts it."""
    encrypted = found.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in found
    return bytes.fromhex(etag) if re.fullmatch(r"[0-9a-f]{32}", etag) and not encrypted else None


def _sha256(found: HeadObjectOutputTypeDef) -> bytes | None:
    """The server's SHA-256 over the whole object; one over parts only (COMPOSITE, `-N`) is none."""
    text = found.get("ChecksumSHA256", "")
    if not text or "-" in text or found.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def read(client: S3Client, place: Place, key: str) -> Iterator[bytes]:
    """The object's bytes, a megabyte at a time."""
    try:
        yield from client.get_object(Bucket=place.bucket, Key=key)["Body"].iter_chunks(PIECE)
    except (ClientError, BotoCoreError) as error:
        raise translate(error, place, f"reading {key}") from error


def parts_etag(upload: Upload, part_size: int) -> tuple[str, bytes]:
    """The ETag that the file would have in parts of `part_size`, and the SHA-256 of what was read."""
    whole, of_parts, count = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with upload.path.open("rb") as file:
        while True:
            part, left = hashlib.md5(usedforsecurity=False), part_size
            while left and (piece := file.read(min(left, PIECE))):
                part.update(piece)
                whole.update(piece)
                left -= len(piece)
            if left == part_size:
                break
            of_parts.update(part.digest())
            count += 1
    return f"{of_parts.hexdigest()}-{count}", whole.digest()


def settle(
    client: S3Client, place: Place, upload: Upload, part_size: int = 0, overwrite: bool = False
) -> Outcome | None:
    """The outcome where something stands under the key, or None where it is free to be written.

    An object counts as the file's only by a checksum over all its bytes, or by reading it back. None
    also where it may be replaced: `overwrite`, or it is the one named by `upload.replaces` or `upload.ours`.
    """
    stored = head(client, place, upload.key)
    if stored is None:
        return None
    if stored.size == upload.size and _same_bytes(client, place, stored, upload, part_size):
        if stored.content_type == upload.content_type:
            parts = part_size if "-" in stored.etag else 0
            return Outcome(upload.key, "already", etag=stored.etag, part_size=parts)
        detail = f"the same bytes stand there as {stored.content_type}, not {upload.content_type}"
    else:
        detail = f"another object of {stored.size} bytes stands there"
    if overwrite or (upload.replaces and stored.etag == upload.replaces):
        return None
    if any(_is(client, place, stored, upload, written) for written in upload.ours):
        return None
    return Outcome(upload.key, "conflict", detail, etag=stored.etag)


def _is(client: S3Client, place: Place, stored: Stored, upload: Upload, written: Written) -> bool:
    """Whether the object holds what this run had written before a kill."""
    then = replace(upload, size=written.size, sha256=written.sha256, md5=written.md5)
    return stored.size == written.size and _same_bytes(client, place, stored, then, 0)


def _same_bytes(client: S3Client, place: Place, stored: Stored, upload: Upload, part_size: int) -> bool:
    if stored.sha256 is not None:
        return stored.sha256 == upload.sha256
    if stored.md5 is not None:
        return stored.md5 == upload.md5
    if part_size and stored.etag.endswith(f"-{-(-upload.size // part_size)}"):
        try:
            etag, sha256 = parts_etag(upload, part_size)
        except OSError:
            etag, sha256 = "", b""
        if etag == stored.etag and sha256 == upload.sha256:
            return True
    digest = hashlib.sha256()
    for piece in read(client, place, upload.key):
        digest.update(piece)
    return digest.digest() == upload.sha256


def delete(client: S3Client, place: Place, key: str) -> None:
    """Delete one object; one that is not there is no error."""
    try:
        client.delete_object(Bucket=place.bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise translate(error, place, f"deleting {key}") from error
