"""The storages that files can move to. A new one is one file and one line in STORAGES."""

from __future__ import annotations

from collections.abc import Callable

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.storages.azure import Azure
from wizard.storages.b2 import B2
from wizard.storages.base import ObjectStore, StorageKind
from wizard.storages.cloudinary import Cloudinary
from wizard.storages.database import Database
from wizard.storages.gcs import Firebase, Gcs
from wizard.storages.r2 import R2
from wizard.storages.render_disk import RenderDisk
from wizard.storages.s3 import Aws
from wizard.storages.s3_compatible import Compatible
from wizard.storages.supabase import Supabase

STORAGES: tuple[StorageKind, ...] = (
    Aws(),
    R2(),
    B2(),
    Supabase(),
    Compatible(),
    Gcs(),
    Firebase(),
    Azure(),
    Cloudinary(),
    RenderDisk(),
    Database(),
)
LEAVE = "leave"


def kind(name: str) -> StorageKind:
    """The storage called `name` in the answers. Raises UsageError `storage-unknown`."""
    for storage in STORAGES:
        if storage.name == name:
            return storage
    known = ", ".join(storage.name for storage in STORAGES)
    raise UsageError(
        "storage-unknown", f"Files cannot be moved to {name!r} yet.", f"Choose one of {known}, {LEAVE}."
    )


def open_store(rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
    """The rule's bucket, opened with the secrets that `resolve` finds; connects when first used.

    Raises UsageError for answers that cannot be right, `secret-missing` among them.
    """
    return kind(rule.provider).open(rule, resolve)
