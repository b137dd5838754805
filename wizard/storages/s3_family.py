"""What all S3 servers share: the keys' answers, what the app needs, how a bucket is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.options import asked, asked_secret, options_of
from wizard.storages.s3_client import Keys
from wizard.storages.s3_place import Place, check_bucket_name
from wizard.storages.s3_setup import AS_IT_IS, Setup, words
from wizard.storages.s3_store import S3Store

BACKEND = "s3"
BUCKET = "S3_BUCKET_NAME"
REGION = "AWS_REGION"
ENDPOINT = "S3_ENDPOINT_URL"
ACCESS_KEY = "AWS_ACCESS_KEY_ID"
SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name
PUBLIC_URL = "S3_PUBLIC_URL"


@dataclass(frozen=True)
class S3Options:
    """The answers that every S3 server needs. The two keys are references to secrets."""

    bucket: str = field(
        metadata=asked(
            "Bucket",
            "The bucket that will hold the files.",
            "Create it with the provider first, empty and private; the key must be allowed to write to it.",
            example="my-app-media",
        )
    )
    access_key: str = field(
        metadata=asked_secret(
            "Access key",
            "With the secret key, it lets ashore and the app write to the bucket.",
            "A key for this one bucket is enough: read, write, delete objects.",
            variable=ACCESS_KEY,
        )
    )
    secret_key: str = field(
        metadata=asked_secret("Secret key", "The other half of the access key.", variable=SECRET_KEY)
    )


@dataclass(frozen=True)
class SetupOptions(S3Options):
    """What may be set on the bucket itself; None: on a bucket that ashore makes, else not.

    `make_public` lets everybody read the objects below the prefix, by a bucket policy, where `access` is
    public; `versioning` keeps what is overwritten or deleted; `expire_parts` removes uploads that nobody
    finished within seven days.
    """

    make_public: bool | None = None
    versioning: bool | None = None
    expire_parts: bool | None = None


class S3Kind(ABC):
    """An S3 provider: its rules make a Place of a rule, the rest is common.

    Subclasses give `name`, `title`, `Options` and `place`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = "S3-compatible"
    Options: ClassVar[type[S3Options]]

    @abstractmethod
    def place(self, rule: StorageRule) -> Place:
        """The bucket's address. Raises UsageError for answers that cannot be right."""

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        check_bucket_name(place)
        variables = [
            (
                "bucket",
                Variable(
                    BUCKET, f"The bucket at {self.title} that holds uploaded files.", False, place.bucket
                ),
            ),
            ("region", Variable(REGION, "The bucket's region.", False, place.region)),
            ("access_key", Variable(ACCESS_KEY, f"Access key of {self.title}.", True)),
            ("secret_key", Variable(SECRET_KEY, f"Secret key of {self.title}.", True)),
        ]
        if not place.aws:
            about = f"The address of {self.title}'s S3 interface."
            variables.insert(2, ("endpoint", Variable(ENDPOINT, about, False, place.endpoint)))
        if rule.access == "public" and place.public_base is not None:
            about = "The address under which browsers read uploaded files."
            variables.append(("public_url", Variable(PUBLIC_URL, about, False, place.public_base)))
        return Need(
            kind="storage",
            backend=BACKEND,
            variables=tuple(variable for _, variable in variables),
            roles=tuple((role, variable.name) for role, variable in variables),
            access=rule.access,
            prefix=rule.prefix,
        )

    def address(self, rule: StorageRule) -> Address:
        place = self.place(rule)
        check_bucket_name(place)
        return place

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        options = options_of(self.Options, self.name, rule.options)
        return S3Store(
            self.place(rule), Keys(resolve(options.access_key), resolve(options.secret_key)), self.setup(rule)
        )

    def setup(self, rule: StorageRule) -> Setup:
        """What the answers ask of the bucket itself. Raises UsageError `storage-option`."""
        options = options_of(self.Options, self.name, rule.options)
        public = rule.access == "public"
        if not isinstance(options, SetupOptions):
            return replace(AS_IT_IS, public=public)
        if options.make_public and not public:
            raise UsageError(
                "storage-option",
                f"storage: {self.name}: make_public is for files that shall be public.",
                "Answer access: public as well, or leave make_public out.",
            )
        return Setup(public, options.make_public, options.versioning, options.expire_parts)

    def told(self, rule: StorageRule) -> str:
        """What is done to the bucket itself, for the plan; "" for nothing."""
        place, setup = self.place(rule), self.setup(rule)
        now = ", ".join(words(setup, made=False))
        said = [f"bucket {place.bucket}: {now}"] if now else []
        if rule.create:
            made = words(setup, made=True) or ("private",)
            said.append(
                f"makes the bucket {place.bucket} in {place.region}, unless it is there: {', '.join(made)}"
            )
        return "; ".join(said)
