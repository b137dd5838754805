"""`ashore backup`: one consistent copy of database and files, to every place at once, read back, then kept.

Nothing older is deleted before the new backup was verified and stands at that place. A place that fails does
not keep the others from getting theirs.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wizard import __version__
from wizard.backup import dump
from wizard.backup.layout import (
    FORMAT,
    KEY,
    MANIFEST,
    SEALED,
    About,
    DatabaseFacts,
    Header,
    Part,
    Stored,
    about_line,
    header_bytes,
    name_of,
    new_id,
    part_line,
    read_part,
)
from wizard.backup.people import Sheets
from wizard.backup.places import Place, Staged, Writing
from wizard.backup.retention import prune
from wizard.backup.sealing import Sealer
from wizard.backup.sources import Database, Files
from wizard.backup.staging import Staging
from wizard.context import Cancel
from wizard.errors import AshoreError, StepFailed, UsageError
from wizard.state import room

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What to back up, and where to. `keep`: how many backups of this app a place keeps, or None for all."""

    name: str
    source: str
    database: Database | None
    files: tuple[Files, ...]
    places: tuple[Place, ...]
    keep: int | None = None
    sealer: Sealer | None = None
    csv: bool = False


@dataclass(frozen=True)
class Made:
    """A backup that stands. `files` and `bytes` are of the files' content; `unread` names what it lacks."""

    id: str
    database: DatabaseFacts | None
    files: int
    bytes: int
    left_out: tuple[str, ...]
    unread: tuple[str, ...]
    deleted: tuple[str, ...]


@dataclass
class _Target:
    """One place while the backup is written to it. `failed` says why nothing more goes there."""

    place: Place
    writing: Writing | None = None
    failed: AshoreError | None = None


@dataclass
class _Counts:
    parts: int = 0
    stored: int = 0
    files: int = 0
    bytes: int = 0


def backup(request: Request, say: Say, cancel: Cancel) -> Made:
    """Write the backup to every place; returns once it was read back and stands there.

    Raises UsageError `nothing-to-back-up`, StepFailed `places-failed` after the other places have theirs,
    whatever the only place failed with, Stopped.
    """
    if request.database is None and not request.files:
        raise UsageError(
            "nothing-to-back-up",
            "Neither a database nor an uploads folder was found; nothing was written.",
            "Name them with --database and --files.",
        )
    targets = [_Target(place) for place in request.places]
    with tempfile.TemporaryDirectory(prefix="ashore-backup-") as folder, room(Path(folder)):
        try:
            made = _Backup(request, targets, Path(folder), say, cancel).run()
        except BaseException:
            for target in targets:
                if target.writing is not None and target.failed is None:
                    target.writing.abandon()
            raise
    return made


class _Backup:
    """One backup under way. `folder` is a scratch folder of its own."""

    def __init__(
        self, request: Request, targets: Sequence[_Target], folder: Path, say: Say, cancel: Cancel
    ) -> None:
        self.request, self.targets, self.folder, self.say, self.cancel = request, targets, folder, say, cancel
        self.id = new_id(request.name)
        self.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.staging = Staging(folder, request.sealer, cancel)
        self.counts = _Counts()

    def run(self) -> Made:
        request = self.request
        facts: DatabaseFacts | None = None
        parts = self.folder / "parts.ndjson"
        with parts.open("wb") as lines:
            # The database first: every file that a row of it names is then still to be read.
            if request.database is not None:
                sheets = Sheets(self.folder / "csv") if request.csv else None
                path, facts = dump.take(request.database, self.folder, self.cancel, sheets)
                rows = sum(table.rows for table in facts.tables if table.name != "(sequences)")
                self.say(
                    f"database: {len(facts.tables):,} tables, {rows:,} rows, from {request.database.shown}"
                )
                for name in facts.left_out:
                    self.say(f"  ! schema {name}: left out, it belongs to the platform")
                self._begin()
                self._store([self.staging.part(path, "database", path.name)], lines.write)
                path.unlink(missing_ok=True)
                for table, sheet in sheets.files if sheets else ():
                    self._store(
                        [self.staging.part(sheet, "csv", f"csv/{sheet.name}", shown=table)], lines.write
                    )
            else:
                self._begin()
            for batch in self.staging.batches(request.files):
                self._store(batch, lines.write)
        if request.files:
            self.say(f"files: {self.counts.files:,} files, {self.counts.bytes:,} bytes")
        for line in (*self.staging.left_out, *self.staging.unread):
            self.say(f"  ! not in the backup: {line}")
        manifest, header = self._close(parts, facts)
        self._verify(parts, manifest, header.key)
        self._each(lambda writing: writing.finish(header_bytes(header)))
        for target in self.targets:
            target.writing = None  # it stands: nothing that fails from now on may take it away
        deleted = self._retain(header)
        self._told()
        return Made(
            self.id, facts, self.counts.files, self.counts.bytes, tuple(self.staging.left_out),
            tuple(self.staging.unread), deleted,
        )  # fmt: skip

    def _begin(self) -> None:
        for target in self.targets:
            try:
                target.writing = target.place.begin(self.id, lambda id: name_of(id) == self.request.name)
            except AshoreError as error:
                target.failed = error
        self._require_one()

    def _store(self, batch: list[tuple[Staged, Part]], write: Callable[[bytes], object]) -> None:
        self._each(lambda writing: writing.put([staged for staged, _ in batch]))
        for _, part in batch:
            write(part_line(part))
            self._count(part.stored)
            if part.kind == "file":
                self.counts.files += 1
                self.counts.bytes += part.size

    def _count(self, stored: Stored) -> None:
        self.counts.parts += 1
        self.counts.stored += stored.size

    def _raw(self, name: str, path: Path) -> Stored:
        """Store a file of ashore's own."""
        data = path.read_bytes() if path.stat().st_size < 1 << 20 else None
        sha256, md5 = hashlib.sha256(data or b""), hashlib.md5(data or b"", usedforsecurity=False)
        if data is None:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    sha256.update(piece)
                    md5.update(piece)
        stored = Stored(name, path.stat().st_size, sha256.hexdigest())
        self._each(lambda writing: writing.put([Staged(stored, path, md5.digest())]))
        self._count(stored)
        return stored

    def _close(self, parts: Path, facts: DatabaseFacts | None) -> tuple[Stored, Header]:
        """Write the manifest (and the key); returns it with the header that shall follow."""
        request = self.request
        about = About(
            self.id, request.name, self.created, __version__, facts,
            tuple(source.name for source in request.files), (*self.staging.left_out, *self.staging.unread),
        )  # fmt: skip
        path, name = self.folder / MANIFEST, MANIFEST
        with path.open("wb") as whole, parts.open("rb") as lines:
            whole.write(about_line(about))
            while piece := lines.read(1 << 20):
                whole.write(piece)
        key = None
        if request.sealer is not None:
            sealed = path.with_name(MANIFEST + SEALED)
            request.sealer.seal(path, sealed)
            path, name = sealed, sealed.name
            if request.sealer.key is not None:
                (self.folder / KEY).write_bytes(request.sealer.key)
                key = self._raw(KEY, self.folder / KEY)
        manifest = self._raw(name, path)
        return manifest, Header(
            FORMAT, self.id, request.name, request.source, self.created, __version__,
            "" if request.sealer is None else request.sealer.encryption,
            self.counts.parts, self.counts.stored, manifest, key,
        )  # fmt: skip

    def _verify(self, parts: Path, manifest: Stored, key: Stored | None) -> None:
        """Read back every part at every place."""

        def check(writing: Writing) -> None:
            with parts.open("rb") as lines:
                wanted = (read_part(line).stored for line in lines)
                for stored in (*([key] if key else ()), manifest, *wanted):
                    self.cancel.check()
                    if not writing.same(stored):
                        raise StepFailed(
                            "backup-not-verified",
                            f"{stored.name} does not read back as it was written; this backup is dropped.",
                            "Check that disk or bucket. Earlier backups are untouched.",
                        )

        self._each(check)

    def _retain(self, header: Header) -> tuple[str, ...]:
        deleted: list[str] = []
        if self.request.keep is None:
            return ()
        if self.staging.unread:
            self.say("  ! no older backup is deleted, since this one lacks files that could not be read")
            return ()
        for target in self.targets:
            if target.failed is None:
                try:
                    deleted += prune(target.place, header, self.request.keep, self.say)
                except AshoreError as error:
                    target.failed = error
        return tuple(deleted)

    def _each(self, act: Callable[[Writing], None]) -> None:
        """Do it at every place that has not failed. Raises where none is left."""
        for target in self.targets:
            if target.failed is None and target.writing is not None:
                try:
                    act(target.writing)
                except AshoreError as error:
                    if error.code == "stopped":
                        raise
                    target.failed = error
                    target.writing.abandon()
        self._require_one()

    def _require_one(self) -> None:
        if all(target.failed is not None for target in self.targets):
            failed = self.targets[0].failed
            assert failed is not None
            raise failed

    def _told(self) -> None:
        failed = [t for t in self.targets if t.failed is not None]
        for target in self.targets:
            self.say(
                f"{'x' if target.failed else '+'} {target.place.title}: "
                f"{target.failed.message if target.failed else self.id + ', read back and verified'}"
            )
        if failed and failed[0].failed is not None:
            raise StepFailed(
                "places-failed",
                f"The backup stands at {len(self.targets) - len(failed)} of {len(self.targets)} places, "
                "not at " + ", ".join(t.place.title for t in failed) + ".",
                failed[0].failed.hint,
            )
