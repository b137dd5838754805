"""The live test of a bucket, with one small object of our own under a fixed name.

The name is fixed so that a test that was killed leaves nothing: the next one removes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wizard.errors import AshoreError, Refused
from wizard.model import Check
from wizard.storages.privacy import privacy
from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_existing import delete, head
from wizard.storages.s3_place import Place
from wizard.storages.s3_small import Occupied, put

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store as SmallStore

NAME = ".ashore-canary"
MARK = b"ashore test object, may be deleted\n"
TYPE = "text/x-ashore-canary"


@dataclass(frozen=True)
class Canary:
    """The test object of one bucket."""

    client: S3Client
    small: SmallStore
    place: Place

    @property
    def key(self) -> str:
        return self.place.prefix + NAME

    def look(self) -> bytes | None:
        """What stands under the canary's key, up to 200 bytes; None where nothing does.

        Raises Refused (`bucket-missing`, …): unlike HEAD, a GET answers with words.
        """
        try:
            return self.client.get_object(Bucket=self.place.bucket, Key=self.key)["Body"].read(200)
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise translate(error, self.place, "reading a test object") from error
        except BotoCoreError as error:
            raise translate(error, self.place, "reading a test object") from error

    def clear(self) -> None:
        """Remove a canary that an earlier, killed test left. Another object there is refused."""
        try:
            standing = self.look()
        except Refused as error:
            if error.code == "access-denied":
                # Without the right to list, a missing object is AccessDenied: the write will tell.
                return
            raise
        if standing is None:
            return
        if not standing.startswith(MARK):
            raise Refused(
                "canary-taken",
                f"An object called {self.key} that is not ashore's stands in {self.place.bucket}.",
                "Rename it, or choose another prefix.",
            )
        delete(self.client, self.place, self.key)

    def write(self, data: bytes, create_only: bool) -> None:
        put(self.client, self.small, self.place, self.key, data, TYPE, create_only)

    def body(self) -> bytes:
        return MARK + secrets.token_hex(8).encode()

    def privacy(self) -> Check:
        """Whether the canary that stands there is hidden from visitors."""
        return privacy(
            self.client.generate_presigned_url(
                "get_object", Params={"Bucket": self.place.bucket, "Key": self.key}
            ),
            MARK,
        )

    def region_problem(self) -> Check | None:
        """A region that differs from the bucket's own, as far as the server tells."""
        try:
            found = self.client.head_bucket(Bucket=self.place.bucket)
        except (ClientError, BotoCoreError):
            # Needs the right to list; the tests that matter come after this one.
            return None
        told = found.get("BucketRegion") or ""
        if not self.place.aws or told in ("", self.place.region):
            return None
        return Check(
            f"the bucket is in {self.place.region}",
            False,
            f"It is in {told}.",
            f"Write region: {told} into the answers.",
        )


def honours_create_only(canary: Canary) -> bool:
    """Whether the server refuses to overwrite when asked to; leaves nothing behind.

    Two writes of different bytes under one key, then the bytes are read back: a server that ignores
    If-None-Match holds the second.
    """
    canary.clear()
    first, second = canary.body(), canary.body()
    try:
        canary.write(first, create_only=True)
    except Refused as error:
        if error.code != "storage-refused":
            raise
        # A server that knows no conditional writes may refuse the header itself.
        return False
    except Occupied:
        return False
    try:
        try:
            canary.write(second, create_only=True)
        except Occupied:
            return canary.look() == first
        except Refused:
            return False
        return False
    finally:
        delete(canary.client, canary.place, canary.key)


def live_test(canary: Canary) -> tuple[Check, ...]:
    """What the credentials may do, one line each; stops at the first that makes the rest pointless."""
    checks: list[Check] = []

    def attempt(what: str, work: Callable[[], bool], otherwise: str = "") -> bool:
        try:
            ok = work()
        except AshoreError as error:
            checks.append(Check(what, False, error.message, error.hint))
            return False
        checks.append(Check(what, ok, "" if ok else otherwise))
        return ok

    def cleared() -> bool:
        canary.clear()
        return True

    body = canary.body()

    def written() -> bool:
        canary.write(body, create_only=False)
        return True

    def described() -> bool:
        stored = head(canary.client, canary.place, canary.key)
        return stored is not None and stored.size == len(body) and stored.content_type == TYPE

    def deleted() -> bool:
        delete(canary.client, canary.place, canary.key)
        return head(canary.client, canary.place, canary.key) is None

    if not attempt(f"the bucket {canary.place.bucket} is there", cleared):
        return tuple(checks)
    region = canary.region_problem()
    if region is not None:
        return (*checks, region)
    if not attempt("an object can be written", written):
        return tuple(checks)
    attempt("its size and type come back", described, "The server tells another size or type.")
    attempt("its bytes come back unchanged", lambda: canary.look() == body, "Other bytes came back.")
    if canary.place.public_base is None:
        checks.append(canary.privacy())
    if attempt("it can be deleted", deleted, "It is still there."):
        honoured = honours_create_only(canary)
        said = "" if honoured else "This server overwrites regardless; ashore looks before each write."
        checks.append(Check("an object is never overwritten", True, said))
    return tuple(checks)
