"""timestamptz where the app means times without an offset in a zone of its own (Django without USE_TZ).

The server prints in that zone, by its own time zone data, as the app will read it: the local time must be the
source's text. Which offset belongs to it is worked out from both sides of a change of the clocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from wizard.verifying.canonical import NULL, Inexpressible, TargetColumn, Value
from wizard.verifying.time_forms import StampForm, clock, has_offset

_DAY = timedelta(days=1)
# No rule changes the clocks beyond these, and arithmetic does not leave what datetime holds.
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


class LocalStampForm(StampForm):
    """timestamptz, printed in `zone`, from text that is local to it unless an offset stands behind."""

    def __init__(self, column: TargetColumn, decisions: Mapping[str, str], zone: str) -> None:
        super().__init__(column, decisions)
        self._zone = ZoneInfo(zone)

    def express(self, value: int | float | str | bytes) -> str:
        moment = self.instant(value)
        if not isinstance(value, str) or has_offset(value):
            try:
                local = moment.astimezone(self._zone)
            except OverflowError:
                raise Inexpressible("out_of_range") from None
            return _printed(local, local.utcoffset())
        # Read as if in UTC, `moment` holds the digits on the app's clock.
        return _printed(*self._meant(moment))

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        return [NULL if v is None else self.cell(v) for v in values]

    def _meant(self, digits: datetime) -> tuple[datetime, timedelta]:
        """(what the clock in the zone shows, its offset) for the moment that the digits stand for."""
        before, after = (
            self._at(digits - _DAY if digits > _FIRST else digits),
            self._at(digits + _DAY if digits < _LAST else digits),
        )
        if before == after:
            return digits, before
        fitting = sorted({o for o in (before, after) if self._at(digits - o) == o}, reverse=True)
        if len(fitting) == 1:
            return digits, fitting[0]
        if not fitting:
            if self.decisions.get("nonexistent_time") != "shift":
                raise Inexpressible("nonexistent_time")
            return digits + (after - before), after
        choice = self.decisions.get("ambiguous_time")
        if choice is None:
            raise Inexpressible("ambiguous_time")
        return digits, fitting[0 if choice == "earlier" else -1]

    def _at(self, moment: datetime) -> timedelta:
        """The zone's offset at a moment."""
        offset = min(max(moment, _FIRST), _LAST).astimezone(self._zone).utcoffset()
        assert offset is not None
        return offset


def _printed(local: datetime, offset: timedelta | None) -> str:
    """As PostgreSQL prints it with DateStyle ISO: minutes and seconds of the offset only where not zero."""
    assert offset is not None
    seconds = round(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    parts = [seconds // 3600, seconds // 60 % 60, seconds % 60]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    day = f"{local.year:04}-{local.month:02}-{local.day:02}"
    return f"{day} {clock(local)}{sign}{':'.join(f'{p:02}' for p in parts)}"
