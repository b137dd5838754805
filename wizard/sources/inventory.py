"""Fill the inventory: list every uploads folder that the answers route, and hash what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path, PurePosixPath

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.errors import UsageError
from wizard.model import Project
from wizard.sources.hashing import Digested, KeepsChanging, digest
from wizard.sources.inventory_file import FILE, PAGE, Entry, Inventory, InventorySummary, StoreProblem
from wizard.sources.local import Found, Problem, walk
from wizard.sources.progress import Meter

__all__ = [
    "Entry",
    "Inventory",
    "InventorySummary",
    "StoreProblem",
    "open_inventory",
    "refresh",
    "store_folder",
    "take",
    "uploads_folders",
]

THREADS = 4


def open_inventory(ctx: RunContext) -> Inventory:
    """The run's inventory."""
    return Inventory(ctx.folder.path / FILE)


def uploads_folders(answers: Answers, project: Project) -> tuple[str, ...]:
    """The stores that the storage rules speak of, as paths relative to the project, without doubles.

    A rule without a source means every uploads store of the scan. Raises UsageError `source-kind` for
    a source that is not a folder of this machine.
    """
    scanned = [store.path for store in project.stores if store.kind == "uploads"]
    chosen: dict[str, None] = {}
    for rule in answers.storage:
        for source in scanned if rule.source is None else [rule.source]:
            if "://" in source:
                raise UsageError(
                    "source-kind",
                    f"The source {source} is not a folder on this machine.",
                    "Run ashore where the files are, or name a downloaded copy of them.",
                )
            chosen[PurePosixPath(source).as_posix()] = None
    return tuple(chosen)


def store_folder(project: Project, store: str) -> Path:
    """Where `store` lies on this machine."""
    return project.root / store


def take(ctx: RunContext) -> InventorySummary:
    """List and hash all uploads folders of the answers; repeated calls only hash what changed.

    Raises UsageError `uploads-missing` for a folder that does not exist, `state-full`; Stopped.
    """
    stores = uploads_folders(ctx.answers, ctx.project)
    for store in stores:
        if not store_folder(ctx.project, store).is_dir():
            raise UsageError(
                "uploads-missing",
                f"The uploads folder {store} does not exist in the project.",
                "Correct `source` under `storage` in the answers.",
            )
    with open_inventory(ctx) as inventory:
        inventory.forget_stores_except(stores)
        for store in stores:
            _list(ctx, inventory, store)
            _hash(ctx, inventory, store)
        return inventory.summary()


def refresh(ctx: RunContext, inventory: Inventory, store: str, path: str) -> Entry | None:
    """Hash one file again after it changed; None where it is gone or cannot be read (then noted)."""
    result = _digest(store_folder(ctx.project, store) / path, path)
    inventory.hashed(store, [(path, result)])
    return inventory.get(store, path)


def _list(ctx: RunContext, inventory: Inventory, store: str) -> None:
    number = inventory.begin(store)
    for page in _pages(walk(store_folder(ctx.project, store))):
        ctx.cancel.check()
        inventory.listed(store, number, page)
    inventory.end(store, number)


def _pages(items: Iterator[Found | Problem]) -> Iterator[list[Found | Problem]]:
    while page := list(islice(items, PAGE)):
        yield page


def _hash(ctx: RunContext, inventory: Inventory, store: str) -> None:
    folder = store_folder(ctx.project, store)
    total = inventory.summary(store).files
    todo = inventory.rows("SELECT count(*) FROM file WHERE store = ? AND sha256 IS NULL", (store,))[0][0]
    meter = Meter(ctx.emit, "snapshot", store, "files", total, total - todo)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as pool:

        def one(path: str) -> tuple[str, Digested | Problem] | None:
            if ctx.cancel.asked():
                return None
            result = _digest(folder / path, path)
            meter.add(1, path)
            return path, result

        for page in inventory.unhashed(store):
            done: Sequence[tuple[str, Digested | Problem]] = [r for r in pool.map(one, page) if r is not None]
            inventory.hashed(store, done)
            ctx.cancel.check()
    meter.close()


def _digest(path: Path, name: str) -> Digested | Problem:
    try:
        return digest(path, name)
    except FileNotFoundError:
        return Problem(name, "vanished", "It was there when the run began and is gone.")
    except OSError as error:
        return Problem(name, "unreadable", f"It cannot be read: {error.strerror}.")
    except KeepsChanging:
        return Problem(name, "file-keeps-changing", "It changed each time it was read.")
