"""Copy the uploads into the run's folder, each verified by its digest, before anything is written elsewhere.

The database needs no copy here: its snapshot already lies in the run's folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from wizard.context import RunContext
from wizard.errors import StepFailed, UsageError
from wizard.events import Warned
from wizard.sources.copies import copies_folder, stored_path
from wizard.sources.inventory import Entry, Inventory, open_inventory, refresh, store_folder
from wizard.sources.inventory_file import state_full
from wizard.sources.progress import Meter

__all__ = ["name", "run", "stored_path"]

name = "backup"
THREADS = 4
PAGE = 200
PIECE = 1 << 20
TRIES = 3
SPARE = 64 << 20  # bytes left free for the journal, the snapshot's side files and the report


def run(ctx: RunContext) -> str:
    """Raises UsageError `state-full`, StepFailed `file-keeps-changing`, Stopped. Repeatable: what was copied
    and still matches stays."""
    database = "the database's snapshot lies in the run's folder" if ctx.answers.database else ""
    if ctx.answers.backup == "database" or not ctx.answers.storage:
        return database or "nothing to copy"
    with open_inventory(ctx) as inventory:
        _check_space(ctx, inventory)
        files = size = 0
        for _, store in inventory.stores():
            copied = _copy_store(ctx, inventory, store)
            files, size = files + copied[0], size + copied[1]
    _sync_folders(ctx.folder.backup)
    words = f"{files:,} files, {size:,} bytes copied into the run's folder"
    return f"{words}; {database}" if database else words


def _check_space(ctx: RunContext, inventory: Inventory) -> None:
    needed = 0
    folders = {store: copies_folder(ctx, inventory, store) for _, store in inventory.stores()}
    for store, entry in inventory.entries():
        try:
            there = (folders[store] / entry.path).stat().st_size == entry.size
        except OSError:
            there = False
        needed += 0 if there else entry.size
    free = shutil.disk_usage(ctx.folder.backup).free
    if needed and needed + SPARE > free:
        raise state_full(f"The backup needs {needed + SPARE:,} bytes, and {free:,} are free.")


def _copy_store(ctx: RunContext, inventory: Inventory, store: str) -> tuple[int, int]:
    """Copy one store; (files, bytes) that lie in the backup."""
    summary = inventory.summary(store)
    meter = Meter(ctx.emit, name, store, "bytes", summary.bytes)
    folder = copies_folder(ctx, inventory, store)
    folder.mkdir(parents=True, exist_ok=True)
    files = size = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="copy") as pool:

        def one(numbered: tuple[int, tuple[str, Entry]]) -> int | None:
            number, (_, entry) = numbered
            if ctx.cancel.asked():
                return None
            # Beside the store's folder: no name in it can be too long for a suffix, or be taken.
            part = folder.with_name(f"{folder.name}-{number}.part")
            copied = _copy(ctx, inventory, store, entry, folder / entry.path, part)
            meter.add(copied or 0, entry.path)
            return copied

        for page in _pages(inventory.entries(store)):
            for copied in pool.map(one, enumerate(page)):
                files, size = files + (copied is not None), size + (copied or 0)
            ctx.cancel.check()
    meter.close()
    return files, size


def _pages(entries: Iterator[tuple[str, Entry]]) -> Iterator[list[tuple[str, Entry]]]:
    while page := list(islice(entries, PAGE)):
        yield page


def _copy(
    ctx: RunContext, inventory: Inventory, store: str, entry: Entry, target: Path, part: Path
) -> int | None:
    """Bytes of the verified copy, or None where the file is gone."""
    source = store_folder(ctx.project, store) / entry.path
    wanted = entry
    if _sha256(target) == entry.sha256:
        return entry.size
    for _ in range(TRIES + 1):
        try:
            if _write(source, part) == wanted.sha256:
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
                return wanted.size
        except OSError as error:
            part.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _full(error) from error
            if error.filename is not None and Path(os.fsdecode(error.filename)) != source:
                raise UsageError(
                    "state-unwritable",
                    f"The backup of {store}/{entry.path} cannot be written: {error.strerror}.",
                    "Name another folder with --state-dir.",
                ) from error
        part.unlink(missing_ok=True)
        fresh = refresh(ctx, inventory, store, entry.path)
        if fresh is None:
            where = f"{store}/{entry.path}"
            ctx.journal.put("not-moved", where, {})
            ctx.emit(Warned("file-gone", f"{where} is gone or cannot be read any more; it was not copied."))
            return None
        wanted = fresh
    raise StepFailed(
        "file-keeps-changing",
        f"{store}/{entry.path} changed each time it was read; it was not copied.",
        "Stop what writes to it, then `ashore resume`.",
    )


def _full(error: OSError) -> UsageError:
    return state_full(f"({error.strerror}) What was copied stays, and a resume goes on from there.")


def _sha256(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None


def _write(source: Path, part: Path) -> bytes:
    """Copy, flush to the disk, and digest what was written. Raises OSError."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, part.open("wb") as writing:
        while piece := reading.read(PIECE):
            writing.write(piece)
            digest.update(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.digest()


def _sync_folders(top: Path) -> None:
    """Make the renames last: on POSIX a folder's entries are flushed with the folder."""
    if os.name != "posix":
        return
    for here, _, _ in os.walk(top):
        handle = os.open(here, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
