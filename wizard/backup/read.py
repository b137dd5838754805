"""Reading a backup: found, checked whole, opened part by part. Writes nothing but scratch files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wizard.backup.layout import (
    HEADER,
    KEY,
    About,
    Header,
    Part,
    Stored,
    damaged,
    is_id,
    read_about,
    read_part,
)
from wizard.backup.places import Place, digest_of
from wizard.backup.sealing import Opener, opener
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.state import room


@dataclass(frozen=True)
class Opened:
    """A backup that was checked whole. `manifest` lies on this machine, opened."""

    place: Place
    header: Header
    about: About
    manifest: Path
    scratch: Path
    opener: Opener | None
    cancel: Cancel

    def parts(self) -> Iterator[Part]:
        """Every part, as the manifest lists them."""
        with self.manifest.open("rb") as lines:
            next(lines)
            for line in lines:
                yield read_part(line)

    def fetch(self, part: Part, target: Path) -> Path:
        """The part's content at `target`, opened, as the manifest has it. Raises `backup-damaged`."""
        self.cancel.check()
        fetch(self.place, self.header.id, part.stored, target, self.opener)
        with target.open("rb") as file:
            found = digest_of(iter(lambda: file.read(1 << 20), b""))
        if found != (part.size, part.sha256):
            raise damaged(f"{self.header.id}/{part.stored.name}", "its content is not what was backed up")
        return target


def fetch(place: Place, id: str, stored: Stored, target: Path, opener: Opener | None) -> None:
    """Fetch one file of a backup to `target`, opened. Raises NotAsPlanned `backup-damaged`, naming it."""
    sealed = target if opener is None else target.with_name(target.name + ".sealed")
    with sealed.open("wb") as file:

        def kept() -> Iterator[bytes]:
            for piece in place.read(id, stored.name):
                file.write(piece)
                yield piece

        found = digest_of(kept())
    if found != (stored.size, stored.sha256):
        raise damaged(f"{id}/{stored.name}", "its bytes are not those that were written")
    if opener is not None:
        fits = opener.open(sealed, target)
        sealed.unlink()
        if not fits:
            raise damaged(f"{id}/{stored.name}", "it cannot be opened with this backup's key")


def newest(place: Place) -> str:
    """The newest backup of a place. Raises UsageError `no-backup`, naming what lies there instead."""
    found = place.backups()
    whole = [k.header for k in found if k.header is not None]
    if not whole:
        broken = "; ".join(f"{k.id}: {k.why}" for k in found)
        raise UsageError(
            "no-backup",
            f"There is no whole backup at {place.title}." + (f" Found: {broken}." if broken else ""),
            "Name the backup's folder, or the place that `ashore backup --to` wrote to.",
        )
    return max(whole, key=lambda header: (header.created, header.id)).id


@contextmanager
def open_backup(place: Place, id: str, key: Secret | None, cancel: Cancel) -> Iterator[Opened]:
    """Check every byte of the backup, then give it. Nothing was written when this raises.

    Raises NotAsPlanned `backup-damaged` naming the file, `backup-key`; UsageError `backup-sealed`.
    """
    kept = next((k for k in place.backups() if k.id == id), None)
    if kept is None:
        raise UsageError("no-backup", f"There is no backup {id} at {place.title}.", "")
    if kept.header is None:
        raise damaged(f"{id}/{HEADER}", kept.why)
    header = kept.header
    with tempfile.TemporaryDirectory(prefix="ashore-restore-") as folder, room(Path(folder)):
        scratch = Path(folder)
        opens = _opener(place, header, key, scratch)
        manifest = scratch / "manifest"
        fetch(place, id, header.manifest, manifest, opens)
        try:
            with manifest.open("rb") as lines:
                about = read_about(next(lines))
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise damaged(f"{id}/{header.manifest.name}", str(error)) from error
        opened = Opened(place, header, about, manifest, scratch, opens, cancel)
        _check_all(opened)
        yield opened


def _opener(place: Place, header: Header, key: Secret | None, scratch: Path) -> Opener | None:
    if not header.encryption:
        return None
    if key is None:
        raise UsageError(
            "backup-sealed",
            f"{header.id} is encrypted; nothing was restored.",
            "Name its passphrase or secret key: --key env:BACKUP_PASSPHRASE.",
        )
    sealed = None
    if header.key is not None:
        fetch(place, header.id, header.key, scratch / KEY, None)
        sealed = (scratch / KEY).read_bytes()
    return opener(header.encryption, sealed, key, header.id)


def _check_all(opened: Opened) -> None:
    """Every part as it is stored, before anything is restored."""
    header, place = opened.header, opened.place
    count = 1 + (header.key is not None)
    for part in opened.parts():
        opened.cancel.check()
        count += 1
        if digest_of(place.read(header.id, part.stored.name)) != (part.stored.size, part.stored.sha256):
            raise damaged(f"{header.id}/{part.stored.name}", "its bytes are not those that were written")
    if count != header.parts:
        raise damaged(
            f"{header.id}/{header.manifest.name}", f"it lists {count} parts, and there were {header.parts}"
        )


def split(text: str) -> tuple[str, str | None]:
    """(place, backup's name or None) of what a person names: a backup, or the place that holds some."""
    address, question, query = text.partition("?")
    head, _, last = address.rstrip("/").rpartition("/")
    if is_id(last):
        return (head or ("." if not address.startswith("/") else "/")) + question + query, last
    return text, None
