"""Read a file once and digest it, noticing when it changes or goes away meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from wizard.sources.content_types import HEAD_BYTES, content_type

PIECE = 1 << 20
TRIES = 5


@dataclass(frozen=True, slots=True)
class Digested:
    """A file as it was read: its size in bytes, time and digests agree with each other."""

    size: int
    mtime_ns: int
    sha256: bytes
    md5: bytes
    content_type: str


class KeepsChanging(Exception):
    """The file changed under every one of several readings."""


def open_for_reading(path: Path) -> int:
    """A descriptor of a regular file; never waits on a pipe put in its place. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no longer a regular file", os.fspath(path))
    return handle


def digest(path: Path, name: str) -> Digested:
    """Digest the file at `path`, whose type `name` helps to tell.

    Raises OSError where it cannot be read, KeepsChanging where size or time differ before and after
    each of five readings.
    """
    for _ in range(TRIES):
        handle = open_for_reading(path)
        with os.fdopen(handle, "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            size, head = 0, b""
            # A file that grows faster than it is read must not hold us: its end is where it was.
            while size <= before.st_size and (piece := file.read(PIECE)):
                sha256.update(piece)
                md5.update(piece)
                if size == 0:
                    head = piece[:HEAD_BYTES]
                size += len(piece)
            after = os.fstat(file.fileno())
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if same and size == after.st_size:
            kind = content_type(name, head)
            return Digested(size, after.st_mtime_ns, sha256.digest(), md5.digest(), kind)
    raise KeepsChanging
