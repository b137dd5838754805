"""Times without an offset that the app means in a zone of its own (Django without USE_TZ), for `timestamptz`.

Each gets the zone's offset at that time. A time that the clock showed twice, or never, needs a decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from wizard.databases.copying import moments
from wizard.databases.copying.inexact import Inexact
from wizard.databases.postgres.catalog import Column

_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(\.\d+)?(.*))?", re.ASCII)


def timestamps(column: Column, decisions: Mapping[str, str], zone: str) -> Callable[[object], object]:
    """The coercer of a `timestamptz` column: text without an offset gets that of `zone`."""
    plain = moments.timestamps(column, decisions)
    place = ZoneInfo(zone)

    def carry(value: object) -> object:
        text = str(plain(value))
        match = _CLOCK.fullmatch(text)
        assert match is not None
        day, clock, fraction, offset = match.groups()
        if offset:
            return text
        local = datetime.fromisoformat(f"{day} {clock or '00:00'}")
        return f"{day} {clock or '00:00:00'}{fraction or ''}{_written(_offset(local, place, decisions))}"

    return carry


def _offset(local: datetime, zone: ZoneInfo, decisions: Mapping[str, str]) -> timedelta:
    """The zone's offset from UTC at `local`; PEP 495: fold tells the two readings of a time apart."""
    first = local.replace(tzinfo=zone).utcoffset()
    second = local.replace(tzinfo=zone, fold=1).utcoffset()
    assert first is not None and second is not None
    if first == second:
        return first
    if first < second:
        if decisions.get("nonexistent_time") != "shift":
            raise Inexact("nonexistent_time", f"a time that clocks in {zone.key} skipped")
        return first
    choice = decisions.get("ambiguous_time")
    if choice is None:
        raise Inexact("ambiguous_time", f"a time that clocks in {zone.key} showed twice")
    return first if choice == "earlier" else second


def _written(offset: timedelta) -> str:
    """`+HH:MM:SS`: local mean times of long ago have seconds."""
    seconds = round(offset.total_seconds())
    sign = "-" if seconds < 0 else "+"
    minutes, rest = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"
