"""The protocol behind which every storage stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from wizard.answers import StorageRule
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.model import Check, Need


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes that this run may have stored under a key before a kill: the server's answer was never seen."""

    size: int
    sha256: bytes
    md5: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be stored under `key`. Digests are of its bytes as inventoried; `size` in bytes.

    `replaces` is the ETag of an object that this run itself stored there and that may be replaced: the
    file changed since. Empty: nothing may be. `ours` are bytes that this run may have stored there without
    knowing: an object of exactly these may be replaced too.
    """

    key: str
    path: Path
    size: int
    sha256: bytes
    md5: bytes
    content_type: str
    replaces: str = ""
    ours: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What the server says of an object. A digest is None where the server computed none.

    `sha256` and `md5` are only set where the server computed them over the object's bytes (for md5: a
    single-part ETag without KMS). `etag` is verbatim without quotes. `content_type` is None where the
    storage keeps none and makes it of the name when read.
    """

    key: str
    size: int
    content_type: str | None
    etag: str
    md5: bytes | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one upload ended.

    `sent`, `already` (the same bytes and type stood there), `conflict` (something else stood there; nothing
    was written), `changed` (the file is no longer as inventoried; nothing was written), `vanished`,
    `unreadable`. `etag` is the object's now; `part_size` in bytes where it was sent in parts, else 0.
    """

    key: str
    status: Literal["sent", "already", "conflict", "changed", "vanished", "unreadable"]
    detail: str = ""
    etag: str = ""
    part_size: int = 0


class PartsJournal(Protocol):
    """Where an upload in parts is recorded before its first part (for resuming and for aborting)."""

    def get(self, key: str) -> dict[str, object] | None: ...

    def put(self, key: str, value: dict[str, object]) -> None: ...

    def forget(self, key: str) -> None: ...


class ObjectStore(Protocol):
    """One bucket, opened. Methods raise errors.Refused with the provider's words and a hint, and
    errors.ConnectionLost where the server stays out of reach.

    `name` is the bucket's; `identity` tells this bucket from every other, without secrets.
    """

    name: str
    title: str
    identity: str

    def ensure(self, create: bool) -> bool:
        """Prove that the bucket is there and can be written; with `create`, make it (private) if it is
        not. True where it was made now. Raises Refused `bucket-missing` and others."""
        ...

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        """Let pages of these origins read the objects from scripts; other rules of the bucket stay."""
        ...

    def set_up(self, made: bool) -> None:
        """What the answers ask of the bucket itself (versions, public by policy); more where this run `made`
        it. Repeatable; what others set stays."""
        ...

    def largest(self) -> int | None:
        """The largest file in bytes that the account takes, as the provider tells; None where it does not."""
        ...

    def check(self) -> tuple[Check, ...]:
        """Live test: the bucket, put, head, get and delete of a canary object, create-only writes."""
        ...

    def send(
        self,
        uploads: Iterable[Upload],
        parts: PartsJournal,
        cancel: Cancel,
        progress: Callable[[int], None],
        overwrite: bool = False,
    ) -> Iterator[Outcome]:
        """Store every upload, create-only unless `overwrite`; outcomes in the order they end.

        `progress` is called from several threads with bytes sent since the last call. On a stop or an
        error what is under way is finished and yielded first, then the exception is raised.
        """
        ...

    def abandon(self, key: str, parts: PartsJournal) -> None:
        """Abort the recorded upload in parts of a file that is not sent any more, and forget it."""
        ...

    def head(self, key: str) -> Stored | None:
        """What stands under `key`, or None."""
        ...

    def read(self, key: str) -> Iterator[bytes]:
        """The object's bytes, in pieces of bounded size."""
        ...

    def delete(self, key: str) -> None: ...

    def url(self, key: str) -> str:
        """The address a browser would use: public, or signed for a short time."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file in bytes that a storage takes, and the largest on its free plan where that differs;
    None where none is known."""

    largest: int | None = None
    free: int | None = None


NO_LIMITS = Limits()


class Address(Protocol):
    """Where a rule's objects go, known without secrets and without a connection."""

    @property
    def limits(self) -> Limits:
        """How large a file may be there, as the provider's documentation says."""
        ...

    @property
    def identity(self) -> str:
        """Tells this bucket from every other; equal to the opened store's."""
        ...

    def key_problem(self, key: str) -> str | None:
        """Why no object there can have `key`, or None."""
        ...


class StorageKind(Protocol):
    """A storage: one file in `wizard/storages/`, one line in `wizard.storages.STORAGES`.

    `Options` is a frozen dataclass of the answers' keys that only this storage has; fields whose
    metadata holds {"reference": True} are references to secrets, never literals. `options.asked` and
    `options.asked_secret` make the metadata of keys that the wizard asks for, with the words.

    A kind may also declare `about` (a few words beside its name where it is chosen), `offered_as` (its name
    there, where that is not `title`) and `accesses`: who may read its files, by default both ways; empty
    where the app serves them itself.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type]

    def need(self, rule: StorageRule) -> Need:
        """The environment variables the app will read."""
        ...

    def address(self, rule: StorageRule) -> Address:
        """The rule's target. Raises UsageError for answers that cannot be right."""
        ...

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore: ...
