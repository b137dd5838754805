"""The stored files as references name them, and the addresses they will have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from wizard.answers import StorageRule
from wizard.sources.inventory import Inventory
from wizard.sources.inventory_file import Entry
from wizard.storages import LEAVE, kind
from wizard.storages.routing import route

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class StoreName:
    """A store below or above the media folder: a path there, without `strip` and with `add`, is a name."""

    store: str
    add: str = ""
    strip: str = ""

    def name(self, path: str) -> str | None:
        """The name of the file at `path` of the store; None where it lies outside the media folder."""
        return self.add + path[len(self.strip) :] if path.startswith(self.strip) else None

    def path(self, name: str) -> str | None:
        """The path in the store of the file called `name`; None where the store cannot hold it."""
        return self.strip + name[len(self.add) :] if name.startswith(self.add) else None


def store_names(stores: Sequence[str], root: Path, media_root: Path | None) -> tuple[StoreName, ...]:
    """The stores that the app serves; all of them where its media folder is not known."""
    if media_root is None:
        return tuple(StoreName(store) for store in stores)
    found = []
    for store in stores:
        folder = root / store
        if folder == media_root:
            found.append(StoreName(store))
        elif folder.is_relative_to(media_root):
            found.append(StoreName(store, add=folder.relative_to(media_root).as_posix() + "/"))
        elif media_root.is_relative_to(folder):
            found.append(StoreName(store, strip=media_root.relative_to(folder).as_posix() + "/"))
    return tuple(found)


class Files:
    """The inventory, by the names that references use. `rules` are the answers' storage rules."""

    def __init__(
        self, inventory: Inventory, stores: Sequence[StoreName], rules: Sequence[StorageRule]
    ) -> None:
        self._inventory = inventory
        self._stores = tuple(stores)
        self._rules = tuple(rules)
        self._bases = tuple(public_base(rule) for rule in self._rules)
        self.address = lru_cache(_REMEMBERED)(self._address)
        self.known = lru_cache(_REMEMBERED)(self._known)

    @property
    def own(self) -> tuple[str, ...]:
        """How every new address begins."""
        return tuple(dict.fromkeys(base for base in self._bases if base is not None))

    def names(self) -> Iterator[str]:
        """The name of every file, one by one."""
        for at in self._stores:
            for _, entry in self._inventory.entries(at.store):
                name = at.name(entry.path)
                if name is not None:
                    yield name

    def _known(self, name: str) -> bool:
        return self._find(name) is not None

    def _find(self, name: str) -> tuple[str, Entry] | None:
        for at in self._stores:
            path = at.path(name)
            if path is None or not _is_inside(path):
                continue
            entry = self._inventory.get(at.store, path)
            if entry is not None:
                return at.store, entry
        return None

    def _address(self, name: str) -> str | None:
        """The public address of the file, or None where it gets none or is not stored."""
        found = self._find(name)
        if found is None:
            return None
        placed = route(self._rules, *found)
        if placed is None:
            return None
        index, key = placed
        base = self._bases[index]
        return None if base is None else base + quote(key, safe="/")


def _is_inside(path: str) -> bool:
    return bool(path) and "\0" not in path and ".." not in PurePosixPath(path).parts


def public_base(rule: StorageRule) -> str | None:
    """What the public address of each of the rule's files begins with, ending in a slash; None if private."""
    if rule.access != "public" or rule.provider == LEAVE:
        return None
    base = kind(rule.provider).need(rule).public_address
    return base.rstrip("/") + "/" if base else None
