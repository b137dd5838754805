"""Cloudinary."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Access, Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.cloudinary_remote import ENDPOINT, CloudinaryRemote, CloudPlace
from wizard.storages.options import asked, asked_secret, check_endpoint, options_of
from wizard.storages.rest_store import RestStore

CLOUD_NAME = "CLOUDINARY_CLOUD_NAME"
API_KEY = "CLOUDINARY_API_KEY"
API_SECRET = "CLOUDINARY_API_SECRET"  # noqa: S105 - a variable's name


@dataclass(frozen=True)
class CloudinaryOptions:
    """`resource_type` is what all files of the rule are kept as; `endpoint` stays empty unless the account
    is kept in another region; `algorithm` is that of the account's signatures."""

    cloud_name: str = field(
        metadata=asked(
            "Cloud name",
            "The cloud that will hold the files.",
            "It stands on Cloudinary's dashboard. Files are kept as images; for others, an answers file.",
            example="my-cloud",
        )
    )
    api_key: str = field(
        metadata=asked_secret(
            "API key",
            "With the API secret, it lets ashore and the app upload.",
            "Both stand on Cloudinary's page of API keys.",
            variable=API_KEY,
        )
    )
    api_secret: str = field(
        metadata=asked_secret("API secret", "The other half of the API key.", variable=API_SECRET)
    )
    resource_type: Literal["image", "video", "raw"] = "image"
    endpoint: str | None = None
    algorithm: Literal["sha1", "sha256"] = "sha1"


class Cloudinary:
    """Cloudinary: images, videos, or raw files, under the names that the app's own storage class resolves."""

    name: ClassVar[str] = "cloudinary"
    title: ClassVar[str] = "Cloudinary"
    Options: ClassVar[type] = CloudinaryOptions
    about: ClassVar[str] = "images; public only"
    accesses: ClassVar[tuple[Access, ...]] = ("public",)

    def place(self, rule: StorageRule) -> CloudPlace:
        """The cloud's address. Raises UsageError for answers that cannot be right."""
        given = options_of(CloudinaryOptions, self.name, rule.options)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", given.cloud_name):
            raise UsageError(
                "bucket-name",
                f"{given.cloud_name!r} cannot be the name of a cloud at Cloudinary.",
                "It stands on the dashboard as Cloud name.",
            )
        if rule.access != "public":
            raise UsageError(
                "storage-public-only",
                "What is kept at Cloudinary can be read by everyone who knows its address.",
                "Answer access: public, or choose another storage for files that are behind a login.",
            )
        if rule.prefix and not rule.prefix.endswith("/"):
            raise UsageError(
                "storage-option",
                f"storage: cloudinary needs a prefix that ends in a slash, not {rule.prefix!r}.",
                "Write it as prefix: NAME/.",
            )
        default = f"https://res.cloudinary.com/{given.cloud_name}/{given.resource_type}/upload/v1"
        return CloudPlace(
            title=self.title,
            cloud=given.cloud_name,
            resource_type=given.resource_type,
            public_base=rule.public_url or default,
            endpoint=ENDPOINT if given.endpoint is None else check_endpoint(given.endpoint),
            prefix=rule.prefix,
            algorithm=given.algorithm,
        )

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        variables = (
            ("bucket", Variable(CLOUD_NAME, "The cloud that holds uploaded files.", False, place.cloud)),
            ("access_key", Variable(API_KEY, "API key of Cloudinary.", True)),
            ("secret_key", Variable(API_SECRET, "API secret of Cloudinary.", True)),
        )
        return Need(
            kind="storage",
            backend=f"{self.name}-{place.resource_type}",
            variables=tuple(variable for _, variable in variables),
            roles=tuple((role, variable.name) for role, variable in variables),
            access=rule.access,
            prefix=rule.prefix,
            public_base=place.public_base,
        )

    def address(self, rule: StorageRule) -> Address:
        return self.place(rule)

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        given = options_of(CloudinaryOptions, self.name, rule.options)
        keys = resolve(given.api_key), resolve(given.api_secret)
        return RestStore(CloudinaryRemote(self.place(rule), *keys))
