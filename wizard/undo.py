"""Put the project's files back, byte for byte, as they were before a run patched them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wizard.errors import NotAsPlanned, StepFailed
from wizard.journal import Journal
from wizard.patchers import files
from wizard.patchers.base import sha256
from wizard.state import RunFolder


@dataclass(frozen=True, slots=True)
class Undone:
    """Paths relative to the project. `changed` were edited by someone since and stay as they are."""

    restored: tuple[str, ...]
    already: tuple[str, ...]
    changed: tuple[str, ...]


def undo(folder: RunFolder, journal: Journal, project_root: Path) -> Undone:
    """Restore every file of the run that still is what the run made of it.

    A file that the run created is deleted. Each file is replaced whole: may be repeated after a kill.
    Raises StepFailed `original-lost` where the kept original is not the one the journal names (nothing
    is changed then), `file-unwritable`.
    """
    facts: list[dict[str, str | None]] = journal.get("patch", "edits") or []
    originals = {str(f["path"]): _original(folder, f) for f in facts}
    restored: list[str] = []
    already: list[str] = []
    changed: list[str] = []
    for fact in facts:
        path = str(fact["path"])
        try:
            file = files.locate(project_root, path)
            data = files.read(path, file)
        except NotAsPlanned:
            changed.append(path)
            continue
        digest = None if data is None else sha256(data)
        if digest == fact["before"]:
            already.append(path)
        elif digest != fact["after"]:
            changed.append(path)
            continue
        else:
            _restore(file, originals[path])
            restored.append(path)
        files.leftover(file).unlink(missing_ok=True)
    return Undone(tuple(restored), tuple(already), tuple(changed))


def _restore(file: Path, original: bytes | None) -> None:
    if original is None:
        files.remove_durably(file)
    else:
        files.write_durably(file, original)


def _original(folder: RunFolder, fact: dict[str, str | None]) -> bytes | None:
    if fact["before"] is None:
        return None
    place = folder.originals / str(fact["path"])
    data = place.read_bytes() if place.is_file() else None
    if data is None or sha256(data) != fact["before"]:
        raise StepFailed(
            "original-lost",
            f"The kept original of {fact['path']} is gone or damaged; nothing was changed.",
            "Restore the file from git.",
        )
    return data
