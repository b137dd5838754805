"""Walk a folder on this machine: what is a file to carry, and what cannot be carried and why.

Opens nothing for writing; follows a symbolic link only where it ends inside the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_KINDS = (
    (stat.S_ISFIFO, "fifo", "a named pipe"),
    (stat.S_ISSOCK, "socket", "a socket"),
    (stat.S_ISCHR, "device", "a character device"),
    (stat.S_ISBLK, "device", "a block device"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file. `path` is relative to the walked folder, with forward slashes; sizes in bytes."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be carried as it is.

    `code` is one of name-not-utf8, symlink-outside, symlink-broken, symlink-loop, fifo, socket, device,
    unreadable, vanished, file-keeps-changing. `path` is printable: bytes that are not UTF-8 show as
    `\\xNN`.
    """

    path: str
    code: str
    message: str


def printable(path: str) -> str:
    """`path` as valid UTF-8 text, with undecodable bytes as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(path: str) -> bool:
    """Whether the name's bytes are UTF-8, so that an object key can carry them."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def walk(folder: Path) -> Iterator[Found | Problem]:
    """Every file below `folder`, streamed in the order of the file system.

    At any time only the names of folders still to be opened are held, so a million files cost no
    memory; whoever needs an order sorts (the inventory does). A folder that cannot be listed is a
    problem, not an error; so is the top one.
    """
    root = Path(os.path.realpath(folder))
    waiting: list[tuple[str, tuple[str, ...]]] = [("", (os.fspath(root),))]
    while waiting:
        prefix, chain = waiting.pop()
        subfolders: list[tuple[str, tuple[str, ...]]] = []
        try:
            with os.scandir(root / prefix) as entries:
                for entry in entries:
                    path = f"{prefix}/{entry.name}" if prefix else entry.name
                    seen = _look(root, path, entry, chain)
                    if isinstance(seen, str):
                        subfolders.append((path, (*chain, seen)))
                    else:
                        yield seen
        except OSError as error:
            words = f"The folder cannot be read: {error.strerror}."
            yield Problem(printable(prefix or "."), "unreadable", words)
        waiting += sorted(subfolders, reverse=True)


def _look(root: Path, path: str, entry: os.DirEntry[str], chain: tuple[str, ...]) -> Found | Problem | str:
    """A file, a problem, or (for a folder to descend into) its real path."""
    shown = printable(path)
    try:
        real = os.path.join(chain[-1], entry.name)  # noqa: PTH118 - a str, a million times
        if entry.is_symlink():
            real = os.path.realpath(real)
            if real != os.fspath(root) and not real.startswith(os.fspath(root) + os.sep):
                return Problem(shown, "symlink-outside", "The link points outside the folder.")
        status = entry.stat(follow_symlinks=True)
    except FileNotFoundError:
        if entry.is_symlink():
            return Problem(shown, "symlink-broken", "The link points to nothing.")
        return Problem(shown, "vanished", "The file was gone when it was looked at.")
    except OSError as error:
        code = "symlink-loop" if entry.is_symlink() else "unreadable"
        return Problem(shown, code, f"It cannot be looked at: {error.strerror}.")
    if stat.S_ISDIR(status.st_mode):
        if real in chain:
            return Problem(shown, "symlink-loop", "The link points to a folder that holds it.")
        return real
    for test, code, words in _KINDS:
        if test(status.st_mode):
            return Problem(shown, code, f"It is {words}, not a file.")
    if not is_utf8(path):
        return Problem(shown, "name-not-utf8", "Its name is not UTF-8, and an object's key must be.")
    return Found(path, status.st_size, status.st_mtime_ns)
