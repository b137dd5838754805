"""Send many files to one bucket: what changed is looked at again, what stands there is decided.

Knows neither S3 nor the inventory: a store sends, the caller says what a file has become and records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from wizard.context import Cancel
from wizard.errors import StepFailed
from wizard.storages.base import ObjectStore, Outcome, PartsJournal, Upload

CHANGES = 3


@dataclass(frozen=True, slots=True)
class Conflict:
    """A key under which something else stood; `detail` says what."""

    key: str
    detail: str


@dataclass
class Sending:
    """How a whole sending went. `gone` are keys of files that were not there or not readable any more."""

    conflicts: list[Conflict] = field(default_factory=list)
    gone: list[Outcome] = field(default_factory=list)


def send_all(
    store: ObjectStore,
    uploads: Iterable[Upload],
    *,
    on_conflict: Literal["stop", "keep", "replace"],
    parts: PartsJournal,
    cancel: Cancel,
    progress: Callable[[int], None],
    again: Callable[[Upload], Upload | None],
    confirm: Callable[[Upload, Outcome], None],
) -> Sending:
    """Send everything; `confirm` is called for each object that stands as it should.

    `again` inventories a changed file anew, None where it is gone. With `replace`, whatever stands
    there is overwritten; otherwise conflicts are returned and nothing of theirs was touched. Raises
    StepFailed `file-keeps-changing`, Refused, ConnectionLost, Stopped.
    """
    sending = Sending()
    waiting: Iterable[Upload] = uploads
    changed: list[Upload] = []
    for attempt in range(CHANGES + 1):
        changed = []
        for upload, outcome in _paired(store, waiting, parts, cancel, progress, on_conflict == "replace"):
            if outcome.status in ("sent", "already"):
                confirm(upload, outcome)
            elif outcome.status == "conflict":
                sending.conflicts.append(Conflict(outcome.key, outcome.detail))
                if on_conflict == "keep":
                    confirm(upload, outcome)
            elif attempt == CHANGES:
                changed.append(upload)
            else:
                fresh = again(upload)
                if fresh is None:
                    sending.gone.append(outcome)
                else:
                    changed.append(fresh)
        if not changed:
            return sending
        waiting = changed
    raise StepFailed(
        "file-keeps-changing",
        f"{changed[0].path} changed each time it was read" + _others(len(changed) - 1) + "; it was not sent.",
        "Stop what writes to it, then `ashore resume`.",
    )


def _others(count: int) -> str:
    return f", and so did {count} more" if count else ""


def _paired(
    store: ObjectStore,
    uploads: Iterable[Upload],
    parts: PartsJournal,
    cancel: Cancel,
    progress: Callable[[int], None],
    overwrite: bool,
) -> Iterator[tuple[Upload, Outcome]]:
    """Each outcome with its upload; holds only those under way."""
    under_way: dict[str, Upload] = {}

    def noted() -> Iterator[Upload]:
        for upload in uploads:
            under_way[upload.key] = upload
            yield upload

    for outcome in store.send(noted(), parts, cancel, progress, overwrite):
        yield under_way.pop(outcome.key), outcome
