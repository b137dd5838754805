"""Large files: parts in parallel, the upload's id on record before the first part, resumable by the
server's own list of parts.

The file is read once, in order: the bytes that were digested are the bytes that were sent.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wizard.context import Cancel
from wizard.errors import StepFailed
from wizard.storages.base import Outcome, PartsJournal, Upload
from wizard.storages.budget import ByteBudget
from wizard.storages.s3_errors import code_of, is_occupied, translate
from wizard.storages.s3_existing import settle
from wizard.storages.s3_place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_SIZE = 8 << 20
MOST_PARTS = 10_000
TRIES = 3


def part_size_for(size: int) -> int:
    """8 MiB, or as many whole MiB as keep a file of `size` bytes within 10,000 equal parts."""
    needed = -(-size // MOST_PARTS)
    return max(PART_SIZE, -(-needed // (1 << 20)) << 20)


@dataclass(frozen=True)
class PartsSender:
    """Sends large files to one bucket. `pool` runs parts, `budget` bounds their bytes in memory."""

    client: S3Client
    place: Place
    parts: PartsJournal
    cancel: Cancel
    progress: Callable[[int], None]
    pool: ThreadPoolExecutor
    budget: ByteBudget
    create_only: bool
    overwrite: bool

    def send(self, upload: Upload) -> Outcome:
        """Send one file, going on where a recorded upload of the same bytes stopped.

        Raises Refused, ConnectionLost, StepFailed or Stopped; the record then stays, for a resume.
        """
        for _ in range(TRIES):
            outcome = self._once(upload)
            if outcome is not None:
                return outcome
        raise StepFailed(
            "object-contested",
            f"Something else writes {upload.key} in {self.place.bucket} at the same time.",
            "Stop it, then `ashore resume`.",
        )

    def _once(self, upload: Upload) -> Outcome | None:
        """One attempt; None where another write got in between and the upload had to be dropped."""
        record = self._record(upload)
        size = int(str(record["part_size"])) if record else part_size_for(upload.size)
        settled = settle(self.client, self.place, upload, size, self.overwrite)
        if settled is not None:
            self._drop(upload.key)
            if settled.status == "already":
                self.progress(upload.size)
            return settled
        upload_id, standing = self._begin_or_resume(upload, record, size)
        etags: dict[int, str] = {}
        try:
            ended = self._send_parts(upload, upload_id, size, standing, etags)
        except FileNotFoundError:
            ended = Outcome(upload.key, "vanished")
        except OSError as error:
            ended = Outcome(upload.key, "unreadable", error.strerror or "")
        if ended is not None:
            self._drop(upload.key)
            return ended
        return self._complete(upload, upload_id, size, etags)

    def _record(self, upload: Upload) -> dict[str, object] | None:
        """The recorded upload of these bytes; one of other bytes, or without an id, is aborted and
        forgotten."""
        record = self.parts.get(upload.key)
        if record is None or (record["upload_id"] and record.get("sha256") == upload.sha256.hex()):
            return record
        self._drop(upload.key)
        return None

    def _drop(self, key: str) -> None:
        drop_parts(self.client, self.place, self.parts, key)

    def _begin_or_resume(
        self, upload: Upload, record: dict[str, object] | None, size: int
    ) -> tuple[str, dict[int, tuple[int, str]]]:
        """The upload's id and the parts that already stand: number → (size, ETag)."""
        try:
            if record is not None:
                upload_id = str(record["upload_id"])
                try:
                    pages = self.client.get_paginator("list_parts").paginate(
                        Bucket=self.place.bucket, Key=upload.key, UploadId=upload_id
                    )
                    return upload_id, {
                        part["PartNumber"]: (part["Size"], part["ETag"].strip('"'))
                        for page in pages
                        for part in page.get("Parts", [])
                    }
                except ClientError as error:
                    if code_of(error) not in ("NoSuchUpload", "404"):
                        raise
                    self.parts.forget(upload.key)
            facts = {"sha256": upload.sha256.hex(), "size": upload.size, "part_size": size}
            # A kill between the server's making it and our noting its id leaves what this list lacks.
            standing = open_uploads(self.client, self.place, upload.key)
            self.parts.put(upload.key, {"upload_id": "", "open": standing, **facts})
            begun = self.client.create_multipart_upload(
                Bucket=self.place.bucket, Key=upload.key, ContentType=upload.content_type
            )["UploadId"]
        except (ClientError, BotoCoreError) as error:
            raise translate(error, self.place, f"writing {upload.key}") from error
        self.parts.put(upload.key, {"upload_id": begun, **facts})
        return begun, {}

    def _send_parts(
        self,
        upload: Upload,
        upload_id: str,
        size: int,
        standing: dict[int, tuple[int, str]],
        etags: dict[int, str],
    ) -> Outcome | None:
        """Read the file and send what does not stand yet; an outcome where it is not as inventoried."""
        whole, read, number = hashlib.sha256(), 0, 0
        running: dict[int, Future[str]] = {}
        try:
            with upload.path.open("rb") as file:
                while not self.cancel.asked() and not _failed(running):
                    held = self.budget.take(size)
                    lent = False
                    try:
                        data = file.read(size)
                        if not data:
                            break
                        number, read = number + 1, read + len(data)
                        if read > upload.size:
                            break
                        whole.update(data)
                        md5 = hashlib.md5(data, usedforsecurity=False).digest()
                        if standing.get(number) == (len(data), md5.hex()):
                            etags[number] = md5.hex()
                            self.progress(len(data))
                            continue
                        running[number] = self.pool.submit(
                            self._part, upload.key, upload_id, number, data, md5, held
                        )
                        lent = True
                    finally:
                        if not lent:
                            self.budget.give(held)
        finally:
            wait(running.values())
        for part, future in running.items():
            etags[part] = future.result()
        self.cancel.check()
        if read != upload.size or whole.digest() != upload.sha256:
            return Outcome(upload.key, "changed")
        return None

    def _part(self, key: str, upload_id: str, number: int, data: bytes, md5: bytes, held: int) -> str:
        try:
            done = self.client.upload_part(
                Bucket=self.place.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ContentMD5=base64.b64encode(md5).decode(),
            )
        except ClientError as error:
            if code_of(error) == "NoSuchUpload":
                self.parts.forget(key)
            raise translate(error, self.place, f"writing part {number} of {key}") from error
        except BotoCoreError as error:
            raise translate(error, self.place, f"writing part {number} of {key}") from error
        finally:
            self.budget.give(held)
        self.progress(len(data))
        return done["ETag"].strip('"')

    def _complete(self, upload: Upload, upload_id: str, size: int, etags: dict[int, str]) -> Outcome | None:
        listed: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in sorted(etags.items())
        ]
        guarded = self.create_only and not (self.overwrite or upload.replaces or upload.ours)
        try:
            if guarded:
                done = self.client.complete_multipart_upload(
                    Bucket=self.place.bucket,
                    Key=upload.key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": listed},
                    IfNoneMatch="*",
                )
            else:
                done = self.client.complete_multipart_upload(
                    Bucket=self.place.bucket,
                    Key=upload.key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": listed},
                )
        except ClientError as error:
            if code_of(error) == "NoSuchUpload":
                # An earlier attempt's answer was lost, or someone aborted it: the next look tells.
                return self._after_lost_answer(upload, size)
            if guarded and is_occupied(error):
                self._drop(upload.key)
                return None
            raise translate(error, self.place, f"completing {upload.key}") from error
        except BotoCoreError as error:
            raise translate(error, self.place, f"completing {upload.key}") from error
        self.parts.forget(upload.key)
        return Outcome(upload.key, "sent", etag=done["ETag"].strip('"'), part_size=size)

    def _after_lost_answer(self, upload: Upload, size: int) -> Outcome | None:
        settled = settle(self.client, self.place, upload, size)
        self.parts.forget(upload.key)
        if settled is not None and settled.status == "already":
            return Outcome(upload.key, "sent", etag=settled.etag, part_size=size)
        return settled


def open_uploads(client: S3Client, place: Place, key: str) -> list[str] | None:
    """Ids of the unfinished uploads of exactly `key`; None where the server does not list them."""
    try:
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=key)
        return [u["UploadId"] for page in pages for u in page.get("Uploads", []) if u["Key"] == key]
    except ClientError:
        return None  # without the right to list, or on a server that cannot, nothing can be told


def drop_parts(client: S3Client, place: Place, parts: PartsJournal, key: str) -> None:
    """Abort the recorded upload of `key`, if any, then forget it. Raises Refused, ConnectionLost.

    One that was recorded without an id is the one that came since and has no part yet; no other is touched.
    """
    record = parts.get(key)
    if record is None:
        return
    doing = f"giving up the parts of {key}"
    try:
        for upload_id in _recorded_ids(client, place, key, record):
            try:
                client.abort_multipart_upload(Bucket=place.bucket, Key=key, UploadId=upload_id)
            except ClientError as error:
                if code_of(error) not in ("NoSuchUpload", "404"):
                    raise translate(error, place, doing) from error
    except BotoCoreError as error:
        raise translate(error, place, doing) from error
    parts.forget(key)


def _recorded_ids(client: S3Client, place: Place, key: str, record: dict[str, object]) -> list[str]:
    if record["upload_id"]:
        return [str(record["upload_id"])]
    before = record.get("open")
    if not isinstance(before, list):
        return []
    since = [i for i in open_uploads(client, place, key) or [] if i not in before]
    return [i for i in since if not _has_parts(client, place, key, i)]


def _has_parts(client: S3Client, place: Place, key: str, upload_id: str) -> bool:
    try:
        return bool(client.list_parts(Bucket=place.bucket, Key=key, UploadId=upload_id).get("Parts"))
    except ClientError:
        return True  # gone, or not ours to see


def _failed(running: dict[int, Future[str]]) -> bool:
    return any(future.done() and future.exception() is not None for future in running.values())
