"""Where the bytes of a file are read from: the backup's copy where there is one, else the source."""

from __future__ import annotations

from pathlib import Path

from wizard.context import RunContext
from wizard.sources.inventory import Inventory, open_inventory, store_folder


def copies_folder(ctx: RunContext, inventory: Inventory, store: str) -> Path:
    """The folder in the run's folder that holds the copies of `store`."""
    number = next(number for number, path in inventory.stores() if path == store)
    return ctx.folder.backup / "files" / str(number)


class Copies:
    """Answers where each file is read from. Looks up each store's number once."""

    def __init__(self, ctx: RunContext, inventory: Inventory) -> None:
        self._project = ctx.project
        self._folders = {path: copies_folder(ctx, inventory, path) for _, path in inventory.stores()}

    def path(self, store: str, path: str) -> Path:
        """The verified copy of the file if the backup made one, else the file itself."""
        folder = self._folders.get(store)
        if folder is not None and (folder / path).is_file():
            return folder / path
        return store_folder(self._project, store) / path


def stored_path(ctx: RunContext, store: str, path: str) -> Path:
    """`Copies.path` for a single file."""
    with open_inventory(ctx) as inventory:
        return Copies(ctx, inventory).path(store, path)
