"""Files on their way into a backup: copied to this machine a batch at a time, digested, sealed, named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from wizard.backup.bucket import listed
from wizard.backup.layout import SEALED, Part, PartKind, Stored
from wizard.backup.places import PIECE, Staged
from wizard.backup.sealing import Sealer
from wizard.backup.sources import BucketFiles, Files, FolderFiles
from wizard.context import Cancel
from wizard.errors import AshoreError
from wizard.sources import content_types
from wizard.sources.local import Problem, walk

BATCH_BYTES = 64 << 20
BATCH_FILES = 200
TRIES = 3
GONE = "it was gone when it was read"
_LONGEST_NAME, _LONGEST_PATH = 200, 800  # bytes: what file systems and keys take, with room for a prefix
_BAD = frozenset('<>:"|?*\\')
_RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))))


@dataclass
class Staging:
    """Turns files into parts, in `folder`. `left_out` collects what is no file to carry or went, and why;
    `unread` what should be in the backup and could not be read."""

    folder: Path
    sealer: Sealer | None
    cancel: Cancel
    left_out: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    _number: int = 0
    _copied: int = 0
    _names: set[bytes] = field(default_factory=set)

    def part(
        self,
        path: Path,
        kind: PartKind,
        name: str,
        *,
        store: str = "",
        shown: str = "",
        content_type: str = "",
    ) -> tuple[Staged, Part]:
        """The part made of the file at `path`, which is sealed, and then removed, where there is a sealer."""
        size, sha256, md5 = _digests(path)
        self._number += 1
        plain = (size, sha256)
        if self.sealer is not None:
            # No name tells what is in it.
            name = name + SEALED if kind == "database" else f"{kind}s/{self._number:08d}{SEALED}"
            sealed = path.with_name(f"{self._number}{SEALED}")
            self.sealer.seal(path, sealed)
            path.unlink()
            path, (size, sha256, md5) = sealed, _digests(sealed)
        stored = Stored(name, size, sha256)
        made = Part(kind, stored, plain[0], plain[1], store, shown, content_type)
        as_stored = content_type if self.sealer is None and content_type else content_types.UNKNOWN
        return Staged(stored, path, md5, as_stored), made

    def batches(self, sources: tuple[Files, ...]) -> Iterator[list[tuple[Staged, Part]]]:
        """Every file of the sources, a bounded number of bytes at a time; the batch before is removed."""
        batch: list[tuple[Staged, Part]] = []
        held = 0
        for source in sources:
            for path, staged, content_type in self._copies(source):
                self.cancel.check()
                name = self._name(source.name, path)
                batch.append(
                    self.part(staged, "file", name, store=source.name, shown=path, content_type=content_type)
                )
                held += batch[-1][0].stored.size
                if held >= BATCH_BYTES or len(batch) >= BATCH_FILES:
                    yield batch
                    batch, held = self._done(batch), 0
        if batch:
            yield batch
            self._done(batch)

    def _done(self, batch: list[tuple[Staged, Part]]) -> list[tuple[Staged, Part]]:
        for staged, _ in batch:
            staged.path.unlink()
        return []

    def _copies(self, source: Files) -> Iterator[tuple[str, Path, str]]:
        match source:
            case FolderFiles():
                yield from self._from_folder(source)
            case BucketFiles():
                yield from self._from_bucket(source)

    def _from_folder(self, source: FolderFiles) -> Iterator[tuple[str, Path, str]]:
        for found in walk(source.path):
            if isinstance(found, Problem):
                (self.unread if found.code == "unreadable" else self.left_out).append(
                    f"{source.name}/{found.path}: {found.message}"
                )
                continue
            target = self._fresh()
            why = _settled_copy(source.path / found.path, target)
            if why is not None:
                (self.left_out if why == GONE else self.unread).append(f"{source.name}/{found.path}: {why}")
                continue
            with target.open("rb") as file:
                head = file.read(content_types.HEAD_BYTES)
            yield found.path, target, content_types.content_type(found.path, head)

    def _from_bucket(self, source: BucketFiles) -> Iterator[tuple[str, Path, str]]:
        for found in listed(source.store, source.prefix):
            path = found.key.removeprefix(source.prefix)
            stored = source.store.head(found.key)
            if stored is None or not path:
                continue  # deleted meanwhile, or the mark that a console sets for a folder
            target = self._fresh()
            with target.open("wb") as file:
                for piece in source.store.read(found.key):
                    file.write(piece)
            size, sha256, md5 = _digests(target)
            if (
                size != stored.size
                or (stored.md5 or md5) != md5
                or (stored.sha256 or b"").hex() not in ("", sha256)
            ):
                target.unlink()
                self.unread.append(
                    f"{source.name}/{path}: what was read is not what the server says it holds"
                )
                continue
            yield path, target, stored.content_type or content_types.UNKNOWN

    def _fresh(self) -> Path:
        self._copied += 1
        return self.folder / f"f{self._copied}"

    def _name(self, store: str, path: str) -> str:
        """`files/STORE/PATH`, or a number where some file system could not hold that beside the others."""
        name = f"files/{store}/{path}"
        mark = blake2b(name.casefold().encode(), digest_size=16).digest()
        if _odd(name) or mark in self._names:
            return f"odd/{self._number + 1:08d}"
        self._names.add(mark)
        return name


def _odd(name: str) -> bool:
    segments = name.split("/")
    return len(name.encode()) > _LONGEST_PATH or any(
        segment in ("", ".", "..")
        or len(segment.encode()) > _LONGEST_NAME
        or segment[-1] in ". "
        or segment.partition(".")[0].lower() in _RESERVED
        or any(c in _BAD or ord(c) < 0x20 or ord(c) == 0x7F for c in segment)
        for segment in segments
    )


def _settled_copy(source: Path, target: Path) -> str | None:
    """Copy a file that does not change meanwhile; why that could not be, or None."""
    for _ in range(TRIES):
        try:
            before = source.stat()
            with source.open("rb") as reading, target.open("wb") as writing:
                while piece := reading.read(PIECE):
                    try:
                        writing.write(piece)
                    except OSError as error:
                        raise AshoreError(
                            "no-room",
                            f"{target.parent} has no room for a copy of {source}: {error.strerror}.",
                            "Free some space there, or name another folder with TMPDIR.",
                        ) from error
            after = source.stat()
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return GONE
        except OSError as error:
            target.unlink(missing_ok=True)
            return f"it cannot be read: {error.strerror}"
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return None
    target.unlink()
    return "it changed each time it was read"


def _digests(path: Path) -> tuple[int, str, bytes]:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            sha256.update(piece)
            md5.update(piece)
            size += len(piece)
    return size, sha256.hexdigest(), md5.digest()
