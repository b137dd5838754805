"""One S3 bucket, opened: what wizard.storages.base.ObjectStore asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from wizard.context import Cancel
from wizard.errors import Refused
from wizard.model import Check
from wizard.storages import s3_existing
from wizard.storages.base import Outcome, PartsJournal, Stored, Upload
from wizard.storages.budget import ByteBudget
from wizard.storages.pipeline import run_pipeline
from wizard.storages.s3_canary import Canary, honours_create_only, live_test
from wizard.storages.s3_client import Keys, open_client, open_small
from wizard.storages.s3_cors import allow_origins
from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_parts import PART_SIZE, PartsSender, drop_parts
from wizard.storages.s3_place import Place, check_bucket_name
from wizard.storages.s3_setup import AS_IT_IS, Setup, set_up
from wizard.storages.s3_small import Occupied, put

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store as SmallStore

PART_THREADS = 6
SIGNED_S = 600


class S3Store:
    """One bucket. Connects when first used; safe to use from several threads."""

    def __init__(self, place: Place, keys: Keys, setup: Setup = AS_IT_IS) -> None:
        """Raises UsageError `bucket-name`."""
        check_bucket_name(place)
        self.place = place
        self.name = place.bucket
        self.title = place.title
        self.identity = place.identity
        self._keys, self._setup = keys, setup

    @cached_property
    def client(self) -> S3Client:
        return open_client(self.place, self._keys)

    @cached_property
    def small(self) -> SmallStore:
        return open_small(self.place, self._keys)

    @cached_property
    def create_only(self) -> bool:
        """Whether the server honours create-only writes; tried once."""
        return honours_create_only(Canary(self.client, self.small, self.place))

    def ensure(self, create: bool) -> bool:
        canary = self._quick_canary()
        made = False
        try:
            canary.clear()
        except Refused as error:
            if error.code != "bucket-missing" or not create:
                raise
            self._create()
            made = True
        failed = [check for check in live_test(canary) if not check.ok]
        if failed:
            # The reason decides the exit code, so the failing action is done again, uncaught.
            canary.clear()
            canary.write(canary.body(), create_only=False)
            s3_existing.delete(self.client, self.place, canary.key)
            raise Refused(
                "storage-test",
                f"{self.title}, bucket {self.name}: {failed[0].what}: no. {failed[0].said}",
                failed[0].hint or "Check the key's rights and the bucket's settings.",
            )
        return made

    def _create(self) -> None:
        """Make the bucket, private as the provider makes it; `set_up` does the rest."""
        elsewhere = self.place.aws and self.place.region != "us-east-1"
        try:
            if elsewhere:
                region = self.place.region
                self.client.create_bucket(
                    Bucket=self.name,
                    CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
                )
            else:
                self.client.create_bucket(Bucket=self.name)
            self.client.get_waiter("bucket_exists").wait(Bucket=self.name)
        except ClientError as error:
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise translate(error, self.place, "creating the bucket") from error
        except BotoCoreError as error:
            raise translate(error, self.place, "creating the bucket") from error

    def largest(self) -> int | None:
        return None  # no S3 server tells; what is documented is the place's `limits`

    def set_up(self, made: bool) -> None:
        set_up(self.client, self.place, self._setup, made)

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        allow_origins(self.client, self.place, origins)

    def _quick_canary(self) -> Canary:
        """For a person who waits: a server out of reach is told after two attempts."""
        return Canary(open_client(self.place, self._keys, attempts=2), self.small, self.place)

    def check(self) -> tuple[Check, ...]:
        return live_test(self._quick_canary())

    def send(
        self,
        uploads: Iterable[Upload],
        parts: PartsJournal,
        cancel: Cancel,
        progress: Callable[[int], None],
        overwrite: bool = False,
    ) -> Iterator[Outcome]:
        budget = ByteBudget()
        create_only = self.create_only
        with ThreadPoolExecutor(PART_THREADS, thread_name_prefix="part") as pool:
            sender = PartsSender(
                self.client, self.place, parts, cancel, progress, pool, budget, create_only, overwrite
            )

            def small(upload: Upload) -> Outcome:
                with budget.lent(upload.size):
                    outcome = self._send_small(upload, create_only, overwrite)
                if outcome.status in ("sent", "already"):
                    progress(upload.size)
                return outcome

            yield from run_pipeline(uploads, small, sender.send, _is_large, cancel)

    def _send_small(self, upload: Upload, create_only: bool, overwrite: bool) -> Outcome:
        try:
            with upload.path.open("rb") as file:
                data = file.read(upload.size + 1)
        except FileNotFoundError:
            return Outcome(upload.key, "vanished")
        except OSError as error:
            return Outcome(upload.key, "unreadable", error.strerror or "")
        if len(data) != upload.size or hashlib.sha256(data).digest() != upload.sha256:
            return Outcome(upload.key, "changed")

        def write(guarded: bool) -> Outcome:
            etag = put(self.client, self.small, self.place, upload.key, data, upload.content_type, guarded)
            return Outcome(upload.key, "sent", etag=etag)

        if create_only:
            with suppress(Occupied):
                return write(guarded=True)
        settled = s3_existing.settle(self.client, self.place, upload, overwrite=overwrite)
        return write(guarded=False) if settled is None else settled

    def abandon(self, key: str, parts: PartsJournal) -> None:
        drop_parts(self.client, self.place, parts, key)

    def head(self, key: str) -> Stored | None:
        return s3_existing.head(self.client, self.place, key)

    def read(self, key: str) -> Iterator[bytes]:
        return s3_existing.read(self.client, self.place, key)

    def delete(self, key: str) -> None:
        s3_existing.delete(self.client, self.place, key)

    def url(self, key: str) -> str:
        if self.place.public_base is not None:
            return f"{self.place.public_base.rstrip('/')}/{quote(key, safe='/')}"
        return self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=SIGNED_S
        )


def _is_large(upload: Upload) -> bool:
    return upload.size >= PART_SIZE
