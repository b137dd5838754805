"""Azure Blob Storage."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Need, Variable
from wizard.storages.azure_remote import AzurePlace, AzureRemote
from wizard.storages.base import Address, ObjectStore
from wizard.storages.options import asked, asked_secret, check_endpoint, options_of, public_base
from wizard.storages.rest_store import RestStore

CONTAINER = "AZURE_CONTAINER"
ACCOUNT = "AZURE_ACCOUNT_NAME"
KEY = "AZURE_ACCOUNT_KEY"
SUFFIX = "AZURE_ENDPOINT_SUFFIX"
DOMAIN = "AZURE_CUSTOM_DOMAIN"


@dataclass(frozen=True)
class AzureOptions:
    """`account` is the storage account's name, `account_key` refers to one of its two keys; `endpoint` stays
    empty for https://ACCOUNT.blob.core.windows.net; national clouds end otherwise."""

    account: str = field(
        metadata=asked(
            "Storage account",
            "The account that holds the container.",
            "Its name is the first part of ACCOUNT.blob.core.windows.net.",
            example="myappmedia",
        )
    )
    container: str = field(
        metadata=asked(
            "Container",
            "The container that will hold the files.",
            "Create it in the portal first, private.",
            example="media",
        )
    )
    account_key: str = field(
        metadata=asked_secret(
            "Account key",
            "It lets ashore and the app write to the container.",
            "Access keys in the portal, key1, without the rest of the connection string.",
            variable=KEY,
        )
    )
    endpoint: str | None = None


class Azure:
    """Azure Blob Storage, with an account key."""

    name: ClassVar[str] = "azure"
    title: ClassVar[str] = "Azure Blob Storage"
    Options: ClassVar[type] = AzureOptions

    def place(self, rule: StorageRule) -> AzurePlace:
        """The container's address. Raises UsageError for answers that cannot be right."""
        given = options_of(AzureOptions, self.name, rule.options)
        if not re.fullmatch(r"[a-z0-9]{3,24}", given.account):
            raise UsageError(
                "storage-option",
                f"storage: {given.account!r} cannot be the name of a storage account.",
                "It has 3 to 24 lower-case letters and digits.",
            )
        if not re.fullmatch(r"(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*", given.container):
            raise UsageError(
                "bucket-name",
                f"{given.container!r} cannot be the name of a container at {self.title}.",
                "Choose 3 to 63 lower-case letters, digits and single hyphens.",
            )
        if rule.public_url and urlsplit(rule.public_url).path.strip("/") != given.container:
            raise UsageError(
                "storage-option",
                f"storage: azure needs a public_url that ends in the container, /{given.container}.",
                "The container stays in the path of every address, also under a domain of one's own.",
            )
        own = f"https://{given.account}.blob.core.windows.net"
        endpoint = own if given.endpoint is None else check_endpoint(given.endpoint)
        return AzurePlace(
            title=self.title,
            account=given.account,
            container=given.container,
            endpoint=endpoint,
            prefix=rule.prefix,
            public_base=public_base(rule, f"{endpoint}/{given.container}"),
        )

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        about = f"The container at {self.title} that holds uploaded files."
        variables = [
            ("bucket", Variable(CONTAINER, about, False, place.container)),
            ("account", Variable(ACCOUNT, "The storage account's name.", False, place.account)),
            ("secret_key", Variable(KEY, "A key of the storage account.", True)),
        ]
        suffix = place.endpoint.removeprefix(f"https://{place.account}.blob.")
        if suffix not in (place.endpoint, "core.windows.net"):
            variables.append(
                ("suffix", Variable(SUFFIX, "What the account's address ends in.", False, suffix))
            )
        base = place.public_base or ""
        if base and not base.startswith(place.endpoint):
            about = "The host under which browsers read uploaded files."
            variables.append(("domain", Variable(DOMAIN, about, False, urlsplit(base).netloc)))
        return Need(
            kind="storage",
            backend="azure",
            variables=tuple(variable for _, variable in variables),
            roles=tuple((role, variable.name) for role, variable in variables),
            access=rule.access,
            prefix=rule.prefix,
            public_base=base,
        )

    def address(self, rule: StorageRule) -> Address:
        return self.place(rule)

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        given = options_of(AzureOptions, self.name, rule.options)
        return RestStore(AzureRemote(self.place(rule), resolve(given.account_key)))
