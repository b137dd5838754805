"""Backups in a folder of this machine; it may be one that a program copies to somewhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wizard.backup.layout import HEADER, WRITER, Stored, is_id
from wizard.backup.places import PIECE, Kept, Staged, digest_of, is_left, kept, missing, writer_note
from wizard.errors import AshoreError, StepFailed
from wizard.patchers.files import sync_folder

THREADS = 4
_PART, _GONE = ".part", ".gone"


@dataclass(frozen=True)
class FolderPlace:
    """`root` is made where it does not exist."""

    root: Path

    @property
    def title(self) -> str:
        return str(self.root)

    def begin(self, id: str, mine: Callable[[str], bool]) -> FolderWriting:
        """Raises StepFailed `place-unwritable`."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._clear(mine)
            part = self.root / f".{id}{_PART}"
            part.mkdir(mode=0o700)
            (part / WRITER).write_bytes(writer_note())
        except OSError as error:
            raise unwritable(self.root, error) from error
        return FolderWriting(part, self.root / id)

    def _clear(self, mine: Callable[[str], bool]) -> None:
        for path in self.root.glob(".ashore-*"):
            id = path.name[1:].removesuffix(_PART).removesuffix(_GONE)
            if not is_id(id) or not mine(id) or not path.is_dir():
                continue
            if path.name.endswith(_GONE) or is_left(_bytes(path / WRITER), _touched(path)):
                shutil.rmtree(path, ignore_errors=True)

    def backups(self) -> list[Kept]:
        if not self.root.is_dir():
            return []
        names = sorted(p.name for p in self.root.iterdir() if is_id(p.name) and p.is_dir())
        return [kept(name, _bytes(self.root / name / HEADER)) for name in names]

    def holds(self, id: str) -> tuple[int, int]:
        count = size = 0
        for folder, _, names in os.walk(self.root / id):
            for name in names:
                path = Path(folder, name)
                if path != self.root / id / HEADER:
                    count, size = count + 1, size + path.lstat().st_size
        return count, size

    def read(self, id: str, name: str) -> Iterator[bytes]:
        return _read(self.root / id, name, id)

    def delete(self, id: str) -> None:
        gone = self.root / f".{id}{_GONE}"
        try:
            (self.root / id).rename(gone)
            sync_folder(self.root)
            shutil.rmtree(gone)
        except OSError as error:
            raise unwritable(self.root / id, error) from error


@dataclass(frozen=True)
class FolderWriting:
    """A backup under way in `part`, whose name begins with a dot; `final` appears at the end."""

    part: Path
    final: Path

    def put(self, batch: Sequence[Staged]) -> None:
        for folder in {(self.part / item.stored.name).parent for item in batch}:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise unwritable(folder, error) from error
        with ThreadPoolExecutor(THREADS, thread_name_prefix="backup") as pool:
            for _ in pool.map(self._copy, batch):
                pass

    def _copy(self, item: Staged) -> None:
        target = self.part / item.stored.name
        try:
            with item.path.open("rb") as reading, target.open("xb") as writing:
                shutil.copyfileobj(reading, writing, PIECE)
                writing.flush()
                os.fsync(writing.fileno())
                if hasattr(os, "posix_fadvise"):  # what is read back shall come from the disk
                    os.posix_fadvise(writing.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise unwritable(target, error) from error

    def read(self, name: str) -> Iterator[bytes]:
        return _read(self.part, name, self.final.name)

    def same(self, stored: Stored) -> bool:
        return digest_of(self.read(stored.name)) == (stored.size, stored.sha256)

    def finish(self, header: bytes) -> None:
        try:
            (self.part / WRITER).unlink()
            with (self.part / HEADER).open("xb") as file:
                file.write(header)
                file.flush()
                os.fsync(file.fileno())
            for folder, _, _ in os.walk(self.part):
                sync_folder(Path(folder))
            self.part.rename(self.final)
            sync_folder(self.final.parent)
        except OSError as error:
            raise unwritable(self.final, error) from error

    def abandon(self) -> None:
        with suppress(OSError):
            shutil.rmtree(self.part)


def unwritable(path: Path, error: OSError) -> StepFailed:
    return StepFailed(
        "place-unwritable",
        f"{path} cannot be written: {error.strerror}. No backup stands there from this attempt.",
        "Free some space or name another place; earlier backups are untouched.",
    )


def _read(folder: Path, name: str, id: str) -> Iterator[bytes]:
    try:
        with (folder / name).open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
    except FileNotFoundError:
        raise missing(id, name) from None
    except OSError as error:
        raise AshoreError(
            "backup-unreadable", f"{id}/{name} cannot be read: {error.strerror}.", ""
        ) from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _touched(folder: Path) -> float:
    """The last change below `folder`, epoch seconds; now where it goes away meanwhile."""
    newest = 0.0
    for here, _, _ in os.walk(folder):
        with suppress(OSError):
            newest = max(newest, Path(here).stat().st_mtime)
    return newest or float("inf")
