"""Which older backups go: only ones that are surely this app's, whole, and older than the new one."""

from __future__ import annotations

from collections.abc import Callable

from wizard.backup.layout import Header
from wizard.backup.places import Place


def prune(place: Place, new: Header, keep: int, say: Callable[[str], None]) -> list[str]:
    """Delete what is beyond the newest `keep` backups, the new one among them; returns what was deleted.

    A folder that holds more or less than its header says is no whole backup: it is named and stays. So does
    one of another app, or that says it is newer. Raises AshoreError.
    """
    whole: list[Header] = []
    for kept in place.backups():
        header = kept.header
        if header is None:
            say(f"  ! {place.title}: {kept.id} is no whole backup ({kept.why}); it stays")
            continue
        if (header.name, header.source) != (new.name, new.source) or header.id == new.id:
            continue
        if header.created > new.created:
            say(f"  ! {place.title}: {kept.id} says that it is newer than this one; it stays")
            continue
        if place.holds(kept.id) != (header.parts, header.bytes):
            say(f"  ! {place.title}: {kept.id} does not hold what its header says; it stays")
            continue
        whole.append(header)
    whole.sort(key=lambda header: (header.created, header.id), reverse=True)
    gone = [header.id for header in whole[max(0, keep - 1) :]]
    for id in gone:
        place.delete(id)
        say(f"  - {place.title}: {id} deleted, since the newest {keep} are kept")
    return gone
