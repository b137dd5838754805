"""Google Cloud Storage, and Firebase Storage, whose buckets are Google's under another name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.gcs_auth import ServiceAccount
from wizard.storages.gcs_remote import ENDPOINT, GcsPlace, GcsRemote
from wizard.storages.options import asked, asked_secret, check_endpoint, options_of, public_base
from wizard.storages.rest_store import RestStore

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
BUCKET = "GS_BUCKET_NAME"
CREDENTIALS = "GS_CREDENTIALS_JSON"
PUBLIC_URL = "GS_PUBLIC_URL"
SERVICE_KEY = asked_secret(
    "Service account key",
    "The JSON key of a service account that may write to the bucket.",
    "Paste the whole file. It goes to the keyring, or stays in memory for this run.",
    variable=CREDENTIALS,
)


@dataclass(frozen=True)
class GcsOptions:
    """`credentials` refers to the JSON key file of a service account. `location` is where a bucket is made;
    `endpoint` stays empty for Google's own."""

    bucket: str = field(
        metadata=asked(
            "Bucket",
            "The bucket that will hold the files.",
            "Create it first, with uniform access and public access prevented.",
            example="my-app-media",
        )
    )
    credentials: str = field(metadata=SERVICE_KEY)
    location: str = "US"
    endpoint: str | None = None


@dataclass(frozen=True)
class FirebaseOptions:
    """`project` is the Firebase project's id. `bucket` is only needed where it is not
    PROJECT.firebasestorage.app (older projects: PROJECT.appspot.com)."""

    project: str = field(
        metadata=asked(
            "Firebase project",
            "Its id names the bucket: PROJECT.firebasestorage.app.",
            "It stands on the project's settings page.",
            example="my-app-1a2b3",
        )
    )
    credentials: str = field(metadata=SERVICE_KEY)
    bucket: str | None = None
    location: str = "US"
    endpoint: str | None = None


class Gcs:
    """Google Cloud Storage."""

    name: ClassVar[str] = "gcs"
    title: ClassVar[str] = "Google Cloud Storage"
    Options: ClassVar[type] = GcsOptions

    def given(self, rule: StorageRule) -> GcsOptions:
        """The rule's options, with the bucket named."""
        return options_of(GcsOptions, self.name, rule.options)

    def place(self, rule: StorageRule) -> GcsPlace:
        """The bucket's address. Raises UsageError for answers that cannot be right."""
        given = self.given(rule)
        if _NAME.fullmatch(given.bucket) is None or ".." in given.bucket:
            raise UsageError(
                "bucket-name",
                f"{given.bucket!r} cannot be the name of a bucket at {self.title}.",
                "Choose 3 to 63 lower-case letters, digits, hyphens and underscores.",
            )
        endpoint = ENDPOINT if given.endpoint is None else check_endpoint(given.endpoint)
        return GcsPlace(
            title=self.title,
            bucket=given.bucket,
            endpoint=endpoint,
            prefix=rule.prefix,
            location=given.location,
            public=rule.access == "public",
            public_base=public_base(rule, f"{endpoint}/{given.bucket}"),
        )

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        variables = [
            (
                "bucket",
                Variable(
                    BUCKET, f"The bucket at {self.title} that holds uploaded files.", False, place.bucket
                ),
            ),
            (
                "credentials",
                Variable(CREDENTIALS, "The JSON key of a Google service account, in one line.", True),
            ),
        ]
        if place.public_base is not None:
            about = "The address under which browsers read uploaded files."
            variables.append(("public_url", Variable(PUBLIC_URL, about, False, place.public_base)))
        return Need(
            kind="storage",
            backend="gcs",
            variables=tuple(variable for _, variable in variables),
            roles=tuple((role, variable.name) for role, variable in variables),
            access=rule.access,
            prefix=rule.prefix,
        )

    def address(self, rule: StorageRule) -> Address:
        return self.place(rule)

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        account = ServiceAccount(resolve(self.given(rule).credentials))
        return RestStore(GcsRemote(self.place(rule), account))


class Firebase(Gcs):
    """Firebase Storage."""

    name: ClassVar[str] = "firebase"
    title: ClassVar[str] = "Firebase Storage"
    Options: ClassVar[type] = FirebaseOptions

    def given(self, rule: StorageRule) -> GcsOptions:
        said = options_of(FirebaseOptions, self.name, rule.options)
        bucket = said.bucket or f"{said.project}.firebasestorage.app"
        return GcsOptions(bucket, said.credentials, said.location, said.endpoint)
