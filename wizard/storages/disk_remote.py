"""A folder on a disk that survives deploys, mounted on this machine."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import AshoreError, Refused
from wizard.storages.base import NO_LIMITS, Limits, Stored, Upload
from wizard.storages.rest_remote import Occupied, Record

PIECE = 8 << 20
PART = ".ashore-part-"
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class DiskPlace:
    """Where the disk is mounted, and the folder in it."""

    title: str
    mount: Path
    prefix: str = ""

    @property
    def limits(self) -> Limits:
        return NO_LIMITS

    @property
    def identity(self) -> str:
        return self.mount.as_uri()

    def key_problem(self, key: str) -> str | None:
        parts = key.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\0" in key:
            return "it is no path below the disk"
        if any(len(part.encode()) > LONGEST_NAME for part in parts):
            return f"a part of it is longer than {LONGEST_NAME} bytes"
        if any(part.startswith(PART) for part in parts):
            return f"names that begin with {PART} are those of unfinished copies"
        return None


class DiskRemote:
    """Implements rest_remote.Remote. Every file is written under another name, flushed, then linked: it
    stands there whole or not at all, and never in the place of another."""

    def __init__(self, place: DiskPlace) -> None:
        self._place = place
        self.name, self.title, self.identity = str(place.mount), place.title, place.identity
        self.prefix, self.piece = place.prefix, PIECE

    def reach(self) -> None:
        if not os.path.ismount(self._place.mount):
            raise Refused(
                "not-a-mount",
                f"{self.name} is not the mount point of a disk on this machine; nothing was written there.",
                "Run ashore where the disk is attached, and write its mount path into the answers. A folder "
                "that only lies there goes with the next deploy.",
            )

    def create(self) -> None:
        """A disk is attached by the platform, never made here; `reach` has told."""

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        """The app itself serves the files."""

    def _path(self, key: str) -> Path:
        """Raises Refused `outside-the-disk` where a link on the way leads elsewhere."""
        path = self._place.mount / key
        root = self._place.mount.resolve()
        if path.is_symlink() or not path.parent.resolve().is_relative_to(root):
            raise Refused(
                "outside-the-disk",
                f"A symbolic link stands in the way of {path}; nothing was written through it.",
                "Remove the link, or choose another prefix.",
            )
        return path

    def _part(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self._path(key).with_name(PART + name)

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._explain(error, doing) from error

    def _explain(self, error: OSError, doing: str) -> AshoreError:
        said = f"The disk at {self.name} says: {error.strerror} ({doing})."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Refused(
                "storage-full", said, "Enlarge the disk; what was copied stays. Then `ashore resume`."
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return Refused("access-denied", said, "Run ashore as the user that the app runs as.")
        return Refused("storage-refused", said, "Mend it, then `ashore resume`.")

    def head(self, key: str) -> Stored | None:
        with self._telling(f"looking at {key}"):
            try:
                status = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(key, status.st_size, None, f"{status.st_size}-{status.st_mtime_ns}")

    def read(self, key: str) -> Iterator[bytes]:
        with self._telling(f"reading {key}"), self._path(key).open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece

    def delete(self, key: str) -> None:
        with self._telling(f"deleting {key}"):
            self._path(key).unlink(missing_ok=True)

    def url(self, key: str) -> str:
        return (self._place.mount / key).as_uri()

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        with self._telling(f"writing {key}"):
            self._write(key, 0, data)
        return self._finish(key, len(data), only_new)

    def begin(self, upload: Upload, only_new: bool) -> Record:
        return {"part": self._part(upload.key).name}

    def standing(self, upload: Upload, record: Record) -> int:
        """Nothing counts: what a power cut left of an unfinished copy is not known."""
        return 0

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        with self._telling(f"writing {upload.key}"):
            self._write(upload.key, start, data)
        end = start + len(data)
        return "" if end < upload.size else self._finish(upload.key, end, only_new)

    def _write(self, key: str, start: int, data: bytes) -> None:
        part = self._part(key)
        self._make_folder(part.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if start == 0 else 0)
        handle = os.open(part, flags, 0o644)
        try:
            view, at = memoryview(data), start
            while view:
                written = os.pwrite(handle, view, at)
                view, at = view[written:], at + written
            os.fsync(handle)
        finally:
            os.close(handle)

    def _make_folder(self, folder: Path) -> None:
        made = [f for f in (folder, *folder.parents) if not f.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for new in made:
            _flush(new.parent)

    def _finish(self, key: str, size: int, only_new: bool) -> str:
        path, part = self._path(key), self._part(key)
        with self._telling(f"writing {key}"):
            if only_new:
                try:
                    os.link(part, path)
                except FileExistsError as error:
                    part.unlink()
                    raise Occupied from error
                part.unlink()
            else:
                part.replace(path)
            _flush(path.parent)
            status = path.stat()
        return f"{size}-{status.st_mtime_ns}"

    def abandon(self, key: str, record: Record) -> None:
        with self._telling(f"giving up the copy of {key}"), suppress(FileNotFoundError):
            self._part(key).unlink()


def _flush(folder: Path) -> None:
    """A folder's entries last once the folder is flushed."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
