"""A project's files on disk: found inside the project, read, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from wizard.errors import NotAsPlanned, StepFailed

_SUFFIX = ".ashore-new"


def locate(root: Path, path: str) -> Path:
    """The real file behind `path` (relative to `root`, links followed).

    Raises NotAsPlanned `file-outside-project` where it lies outside the project.
    """
    real_root = root.resolve()
    real = (real_root / path).resolve()
    if real == real_root or not real.is_relative_to(real_root):
        raise NotAsPlanned(
            "file-outside-project",
            f"{path} leads out of the project; nothing was written.",
            "Leave it out with skip_edits and change it by hand.",
        )
    return real


def read(path: str, file: Path) -> bytes | None:
    """The bytes, or None where there is no file. Raises NotAsPlanned `file-changed` for a folder."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotAsPlanned(
            "file-changed",
            f"{path} cannot be read: {error.strerror}.",
            "Make it readable to you, then `ashore resume`.",
        ) from error


def write_durably(file: Path, data: bytes) -> None:
    """Write `data` to `file`: whole or not at all, on the disk when this returns.

    Its folder is made where it is missing. A file that exists keeps its mode and, as far as this user may,
    its owner. A kill in between leaves at most a file named like it with the ending `.ashore-new`, which the
    next call replaces.
    Raises StepFailed `file-unwritable`.
    """
    new = leftover(file)
    try:
        if not file.parent.is_dir():
            file.parent.mkdir()
            sync_folder(file.parent.parent)
        known = file.stat() if file.exists() else None
        # The mode stands before the content: what others may not read is never readable in between.
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if known else 0o666)
        with os.fdopen(handle, "wb") as sink:
            if known is not None:
                _keep(new, known)
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
        new.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise StepFailed(
            "file-unwritable",
            f"{file.name} cannot be written: {error.strerror}.",
            "Make it writable to you, free some space, then `ashore resume`.",
        ) from error


def leftover(file: Path) -> Path:
    """Where `write_durably` prepares the new content of `file`."""
    return file.with_name(f".{file.name}{_SUFFIX}")


def remove_durably(file: Path) -> None:
    """Delete `file`, and keep it deleted after a power cut; its folder, too, where nothing else is in it."""
    file.unlink(missing_ok=True)
    sync_folder(file.parent)
    with contextlib.suppress(OSError):
        file.parent.rmdir()
        sync_folder(file.parent.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep(new: Path, known: os.stat_result) -> None:
    if hasattr(os, "chown") and (known.st_uid, known.st_gid) != (new.stat().st_uid, new.stat().st_gid):
        # Only root may give a file away; the content matters more than the owner.
        with contextlib.suppress(PermissionError):
            os.chown(new, known.st_uid, known.st_gid)
    new.chmod(stat.S_IMODE(known.st_mode))
