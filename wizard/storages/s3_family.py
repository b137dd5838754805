"""What all S3 servers share: the keys' answers, what the app needs, how a bucket is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.s3_client import Keys
from wizard.storages.s3_place import Place, check_bucket_name
from wizard.storages.s3_store import S3Store

BACKEND = "s3"
BUCKET = "S3_BUCKET_NAME"
REGION = "AWS_REGION"
ENDPOINT = "S3_ENDPOINT_URL"
ACCESS_KEY = "AWS_ACCESS_KEY_ID"
SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name
PUBLIC_URL = "S3_PUBLIC_URL"
REFERENCE: Mapping[str, object] = {"reference": True}

Given = TypeVar("Given", bound="S3Options")


@dataclass(frozen=True)
class S3Options:
    """The answers that every S3 server needs. The two keys are references to secrets."""

    bucket: str
    access_key: str = field(metadata=REFERENCE)
    secret_key: str = field(metadata=REFERENCE)


def options_of(kind: type[Given], provider: str, given: Mapping[str, Any]) -> Given:
    """The rule's options as the provider's dataclass. Raises UsageError `storage-option` naming the key."""
    known = {f.name: f for f in fields(kind)}
    for name in given:
        if name not in known:
            raise UsageError(
                "storage-option", f"storage: {provider} knows no {name}.", f"It knows {', '.join(known)}."
            )
    try:
        return kind(**{k: v for k, v in given.items() if v is not None})
    except TypeError as error:
        missing = [n for n in _required(kind) if given.get(n) is None]
        raise UsageError(
            "storage-option",
            f"storage: {provider} needs {', '.join(missing)}.",
            "Add it to the rule in the answers.",
        ) from error


def _required(kind: type[S3Options]) -> list[str]:
    return [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]


def check_endpoint(endpoint: str) -> str:
    """`endpoint` without a trailing slash. Raises UsageError `endpoint` unless it is an http(s) address."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise UsageError(
            "endpoint",
            "storage: the endpoint is not an address like https://s3.example.com.",
            "Write the server's address without bucket, user name or key.",
        )
    return endpoint.rstrip("/")


class S3Kind:
    """An S3 provider: its rules make a Place of a rule, the rest is common.

    Subclasses give `name`, `title`, `Options` and `place`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type[S3Options]]

    def place(self, rule: StorageRule) -> Place:
        """The bucket's address. Raises UsageError for answers that cannot be right."""
        raise NotImplementedError

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
        return S3Store(self.place(rule), Keys(resolve(options.access_key), resolve(options.secret_key)))


def public_base(rule: StorageRule, default: str | None) -> str | None:
    """The address browsers read from: none for signed access, else the answer's or the provider's."""
    return (rule.public_url or default) if rule.access == "public" else None
