"""What PostgreSQL must print for dates, times, instants and intervals (TimeZone UTC, DateStyle ISO)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

from wizard.verifying.canonical import NULL, Form, Inexpressible, Value

_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?"
)
_CLOCK = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?")
_WRITTEN = re.compile(r"([+-])?(?:(\d+) (?:days?,? )?)?(\d+):(\d{2}):(\d{2})(?:\.(\d+))?")
_ISO_SPAN = re.compile(r"([+-])?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?")
_SPAN = re.compile(
    r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?"
    r"(?:([+-])?(\d+):(\d{2}):(\d{2})(?:\.(\d{1,6}))?)?"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _TimeForm(Form):
    def microseconds(self, digits: str | None) -> int:
        """Digits of a fraction of a second as microseconds, at the column's precision."""
        if not digits:
            return 0
        keep = 6 if self.target.fraction is None else min(6, self.target.fraction)
        kept = int(digits[:keep].ljust(6, "0"))
        if digits[keep:].strip("0"):
            if self.decisions.get("beyond_scale") != "round":
                raise Inexpressible("beyond_scale")
            if digits[keep] >= "5":
                kept += 10 ** (6 - keep)
        return kept

    def instant(self, value: int | float | str | bytes) -> datetime:
        """The instant in UTC; text without an offset is UTC, a number is counted as the decision `epoch`
        says. Raises Inexpressible."""
        if isinstance(value, int):
            return self._since_1970(value)
        match = _STAMP.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise Inexpressible("wrong_type")
        day, hours, minutes, seconds, fraction, zone = match.groups()
        try:
            moment = datetime.combine(
                date.fromisoformat(day), datetime.min.time(), _zone(zone)
            ) + timedelta(
                hours=_below(hours, 24), minutes=_below(minutes, 60), seconds=_below(seconds, 60),
                microseconds=self.microseconds(fraction),
            )  # fmt: skip
            if self.target.type == "timestamp" and moment.utcoffset():
                raise Inexpressible("wrong_type")  # the column would drop the offset
            return moment.astimezone(UTC)
        except ValueError:
            raise Inexpressible("wrong_type") from None
        except OverflowError:
            raise Inexpressible("out_of_range") from None

    def _since_1970(self, number: int) -> datetime:
        match self.decisions.get("epoch"):
            case "seconds":
                seconds, thousandths = number, 0
            case "milliseconds":
                seconds, thousandths = divmod(number, 1000)
            case _:
                raise Inexpressible("epoch")
        try:
            whole = EPOCH + timedelta(seconds=seconds)
            return whole + timedelta(microseconds=self.microseconds(f"{thousandths:03}"))
        except OverflowError:
            raise Inexpressible("out_of_range") from None


def _below(digits: str | None, limit: int) -> int:
    number = int(digits or 0)
    if number >= limit:
        raise ValueError(digits)
    return number


def has_offset(text: str) -> bool:
    """Whether a timestamp's text says its offset from UTC."""
    match = _STAMP.fullmatch(text.strip())
    return match is not None and match[6] is not None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def clock(moment: datetime) -> str:
    """The time of day as PostgreSQL prints it."""
    text = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    return text if not moment.microsecond else f"{text}.{moment.microsecond:06}".rstrip("0")


class StampForm(_TimeForm):
    """timestamptz and timestamp; text for the latter has no offset, or none but zero."""

    def express(self, value: int | float | str | bytes) -> str:
        moment = self.instant(value)
        zone = "+00" if self.target.type == "timestamptz" else ""
        return f"{moment.year:04}-{moment.month:02}-{moment.day:02} {clock(moment)}{zone}"

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        if self.target.fraction is not None:
            return [self.cell(v) for v in values]
        zone = "+00" if self.target.type == "timestamptz" else ""
        cells = []
        for value in values:
            # The two shapes that Django, SQLAlchemy and CURRENT_TIMESTAMP write; nothing that is not a
            # moment can pass here, because the target would have to print it.
            if type(value) is str and len(value) in (19, 26) and value[10] == " ":
                if len(value) == 19:
                    cells.append(value + zone)
                    continue
                if value[19] == ".":
                    cells.append(value.rstrip("0").rstrip(".") + zone)
                    continue
            cells.append(NULL if value is None else self.cell(value))
        return cells


class DateForm(_TimeForm):
    """date: text with anything behind the day is not a date."""

    def express(self, value: int | float | str | bytes) -> str:
        if not isinstance(value, str) or len(value) != 10:
            raise Inexpressible("wrong_type")
        moment = self.instant(value)
        return f"{moment.year:04}-{moment.month:02}-{moment.day:02}"


class ClockForm(_TimeForm):
    """time without time zone."""

    def express(self, value: int | float | str | bytes) -> str:
        match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise Inexpressible("wrong_type")
        hours, minutes, seconds, fraction = match.groups()
        try:
            moment = datetime(2000, 1, 1) + timedelta(
                hours=_below(hours, 24), minutes=_below(minutes, 60), seconds=_below(seconds, 60),
                microseconds=self.microseconds(fraction),
            )  # fmt: skip
        except ValueError:
            raise Inexpressible("wrong_type") from None
        if moment.day != 1:
            return "24:00:00"
        return clock(moment)


class IntervalForm(_TimeForm):
    """interval: whole microseconds (Django), a moment counted from 1970 (SQLAlchemy), or a written span.

    A day counts 24 hours, as both frameworks read it back; months are never equal to days.
    """

    plain = False

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, str):
            return self.express(self._count(value))
        if not isinstance(value, int):
            raise Inexpressible("wrong_type")
        days, rest = divmod(abs(value), 86_400_000_000)
        seconds, fraction = divmod(rest, 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if fraction:
            clock += f".{fraction:06}".rstrip("0")
        sign = "-" if value < 0 else ""
        if not days:
            return sign + clock
        words = f"{sign}{days} day{'' if days == 1 and not sign else 's'}"
        return words if not rest else f"{words} {sign}{clock}"

    def _count(self, text: str) -> int:
        """The microseconds of a written span."""
        stamp = _STAMP.fullmatch(text)
        if stamp is not None and stamp[2] is not None and stamp[6] is None:
            return (self.instant(text) - EPOCH) // timedelta(microseconds=1)
        match = _WRITTEN.fullmatch(text) or _ISO_SPAN.fullmatch(text)
        if match is None or text.strip("+-") in ("P", "PT"):
            raise Inexpressible("wrong_type")
        sign, days, hours, minutes, seconds, fraction = match.groups()
        whole = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
        count = whole * 1_000_000 + self.microseconds(fraction)
        return -count if sign == "-" else count

    def normal(self, text: str) -> str:
        match = _SPAN.fullmatch(text.strip())
        if match is None or not text.strip():
            raise Inexpressible("wrong_type")
        years, months, days, sign, hours, minutes, seconds, fraction = match.groups()
        clock = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 1_000_000
        clock += int((fraction or "").ljust(6, "0"))
        total = int(days or 0) * 86_400_000_000 + (-clock if sign == "-" else clock)
        return f"{int(years or 0) * 12 + int(months or 0)} months {total} us"
