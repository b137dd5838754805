"""The files of a backup into a new folder, or below an empty prefix of a bucket."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wizard.backup.bucket import BucketPlace, NoRecord, listed
from wizard.backup.layout import Part, damaged
from wizard.backup.read import Opened
from wizard.backup.staging import BATCH_BYTES, BATCH_FILES
from wizard.context import Cancel
from wizard.errors import StepFailed, UsageError
from wizard.patchers.files import sync_folder
from wizard.storages.base import Upload


def into_folder(opened: Opened, target: Path) -> tuple[int, int]:
    """Restore into a folder that does not exist or is empty; it appears whole. Returns (files, bytes).

    Raises UsageError `target-exists`, StepFailed `target-unwritable`.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            "target-exists",
            f"{target} is not an empty folder; nothing was restored, and nothing is overwritten.",
            "Name a new folder with --files-to.",
        )
    new = target.with_name(f".{target.name}.ashore-new")
    try:
        shutil.rmtree(new, ignore_errors=True)  # what a killed restore left
        new.mkdir(parents=True)
        files = size = 0
        for part, path in _files(opened):
            place = new.joinpath(*PurePosixPath(path).parts)
            if not place.resolve().is_relative_to(new.resolve()):
                raise damaged(opened.header.manifest.name, f"{path} leads out of the folder")
            place.parent.mkdir(parents=True, exist_ok=True)
            opened.fetch(part, place)
            files, size = files + 1, size + part.size
        if target.exists():
            target.rmdir()
        new.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StepFailed("target-unwritable", f"{target} cannot be written: {error.strerror}.", "") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return files, size


def into_bucket(opened: Opened, target: BucketPlace) -> tuple[int, int]:
    """Restore below a prefix that holds nothing. Returns (files, bytes). Raises `target-exists`."""
    if next(listed(target.store, target.prefix), None) is not None:
        raise UsageError(
            "target-exists",
            f"{target.title} holds objects; nothing was restored, and nothing is overwritten.",
            "Name an empty bucket or a new prefix with --files-to.",
        )
    batch: list[Upload] = []
    files = size = held = 0
    for part, path in _files(opened):
        local = opened.fetch(part, opened.scratch / f"u{files}")
        data = hashlib.md5(usedforsecurity=False)
        with local.open("rb") as file:
            while piece := file.read(1 << 20):
                data.update(piece)
        batch.append(
            Upload(
                target.prefix + path,
                local,
                part.size,
                bytes.fromhex(part.sha256),
                data.digest(),
                part.content_type,
            )
        )
        files, size, held = files + 1, size + part.size, held + part.size
        if held >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            _send(target, batch)
            batch, held = [], 0
    _send(target, batch)
    return files, size


def _send(target: BucketPlace, batch: list[Upload]) -> None:
    for outcome in target.store.send(batch, NoRecord(), Cancel(), lambda count: None):
        if outcome.status not in ("sent", "already"):
            raise StepFailed(
                "target-conflict",
                f"{outcome.key} could not be written: {outcome.status} {outcome.detail}.",
                "",
            )
    for upload in batch:
        upload.path.unlink()


def _files(opened: Opened) -> Iterator[tuple[Part, str]]:
    """Each file with its path: one store's directly, several stores' each in a folder of its name."""
    several = len(opened.about.stores) > 1
    for part in opened.parts():
        if part.kind == "file":
            yield part, f"{part.store}/{part.path}" if several else part.path
