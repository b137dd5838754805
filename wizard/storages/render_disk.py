"""A Render persistent disk, on the machine that it is attached to. https://render.com/docs/disks"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Access, Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.disk_remote import DiskPlace, DiskRemote
from wizard.storages.options import asked, options_of
from wizard.storages.rest_store import RestStore

UPLOAD_PATH = "UPLOAD_PATH"


@dataclass(frozen=True)
class DiskOptions:
    """`mount` is the disk's mount path, as Render's page of the service shows it."""

    mount: str = field(
        metadata=asked(
            "Mount path",
            "Where the disk is mounted on this machine.",
            "Run ashore in the service's own shell; attaching a disk is a deploy, so back up first.",
            example="/var/data",
        )
    )


class RenderDisk:
    """A folder on the disk; the app goes on serving the files itself."""

    name: ClassVar[str] = "render-disk"
    title: ClassVar[str] = "Render disk"
    Options: ClassVar[type] = DiskOptions
    about: ClassVar[str] = "attached to this machine; the app serves the files itself"
    accesses: ClassVar[tuple[Access, ...]] = ()

    def place(self, rule: StorageRule) -> DiskPlace:
        """The folder's address. Raises UsageError for answers that cannot be right."""
        mount = PurePosixPath(options_of(DiskOptions, self.name, rule.options).mount)
        problem = None
        if not mount.is_absolute() or ".." in mount.parts or mount == PurePosixPath("/"):
            problem = "mount must be the absolute path of a mounted disk, like /var/data."
        elif rule.access != "signed" or rule.public_url is not None:
            problem = "a disk has no addresses of its own; leave access and public_url out."
        elif rule.cors or rule.create:
            problem = "a disk is attached on Render's page; leave create and cors out."
        elif rule.prefix and not rule.prefix.endswith("/"):
            problem = "prefix is a folder on the disk and ends in a slash."
        if problem is not None:
            raise UsageError("storage-option", f"storage: render-disk: {problem}", "Correct the rule.")
        return DiskPlace(self.title, Path(mount), rule.prefix)

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        folder = str(place.mount / rule.prefix)
        about = "The folder on the disk that holds uploaded files."
        return Need(
            kind="storage",
            backend="disk",
            variables=(Variable(UPLOAD_PATH, about, False, folder),),
            roles=(("path", UPLOAD_PATH),),
            access=rule.access,
            prefix=rule.prefix,
        )

    def address(self, rule: StorageRule) -> Address:
        return self.place(rule)

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        return RestStore(DiskRemote(self.place(rule)))
