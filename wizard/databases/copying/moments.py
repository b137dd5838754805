"""Dates, times and durations as SQLite holds them: text as Django and SQLAlchemy write it, microseconds.

Text without an offset is UTC for `timestamptz`: what Django writes with USE_TZ. Other zones: `local_times`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date as Date
from datetime import datetime as DateTime
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from wizard.databases.copying.inexact import Inexact
from wizard.databases.postgres.catalog import Column

_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_TIME = r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?"
_OFFSET = r"(Z|z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)"
_TIMESTAMP = re.compile(rf"{_DATE}(?:[ T]{_TIME}(?: ?{_OFFSET})?)?", re.ASCII)
_USUAL = re.compile(r"\d{4}-\d\d-\d\d[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?", re.ASCII)
_ONLY_DATE = re.compile(rf"{_DATE}(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_ONLY_TIME = re.compile(rf"{_TIME}(?: ?{_OFFSET})?", re.ASCII)
_CLOCK = re.compile(
    r"([+-])?(?:(\d{1,9}) (?:days?,? )?)?(\d{1,10}):([0-5]\d):([0-5]\d)(?:\.(\d+))?", re.ASCII
)
_ISO = re.compile(
    r"([+-])?P(?:(\d{1,9})D)?(?:T(?:(\d{1,10})H)?(?:(\d{1,10})M)?(?:(\d{1,10})(?:\.(\d+))?S)?)?", re.ASCII
)
_ZERO_OFFSET = re.compile(r"(Z|z|[+-]00(:?00)?)?")
_EPOCH = DateTime(1970, 1, 1)
_UNITS = {"seconds": 1_000_000, "milliseconds": 1_000}
_LONGEST = 178_000_000 * 366 * 86_400_000_000


def _wrong(value: object, expected: str) -> Inexact:
    if type(value) is str:
        return Inexact("wrong_type", f"text that is no {expected}")
    names = {int: "an integer", float: "a real number", bytes: "bytes"}
    return Inexact("wrong_type", f"{names.get(type(value), type(value).__name__)} instead of a {expected}")


def _real_day(year: str, month: str, day: str) -> bool:
    try:
        Date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _fraction(text: str, fraction: str | None, column: Column, decisions: Mapping[str, str]) -> None:
    """Digits that the column would round away need a decision; the server then rounds."""
    if (
        fraction
        and fraction[column.fraction_digits :].strip("0")
        and decisions.get("beyond_scale") != "round"
    ):
        raise Inexact(
            "beyond_scale", f"digits beyond the {column.fraction_digits} of a second that {column.type} keeps"
        )


def _micros(fraction: str | None) -> int:
    """Microseconds of a fraction's digits, rounded half up (only a decision lets more than six through)."""
    return int(Decimal(f"0.{fraction or 0}").scaleb(6).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def timestamp(value: object, column: Column, decisions: Mapping[str, str]) -> str:
    """ISO text, as it stands. An offset other than zero does not fit a column without time zone."""
    if type(value) is int:
        return _counted(value, column, decisions)
    match = _TIMESTAMP.fullmatch(value) if type(value) is str else None
    if match is None or type(value) is not str:
        raise _wrong(value, "timestamp")
    year, month, day, _, _, _, fraction, offset = match.groups()
    if not _real_day(year, month, day):
        raise _wrong(value, "timestamp")
    if fraction is not None and len(fraction) > column.fraction_digits:
        _fraction(value, fraction, column, decisions)
    if offset and column.kind == "timestamp" and not _ZERO_OFFSET.fullmatch(offset):
        raise Inexact("wrong_type", "a timestamp with an offset, which a column without time zone would drop")
    return value


def _counted(value: int, column: Column, decisions: Mapping[str, str]) -> str:
    """A moment counted from 1970-01-01 UTC, in the unit that the decision `epoch` names."""
    unit = _UNITS.get(decisions.get("epoch", ""))
    if unit is None:
        raise Inexact("epoch", "an integer instead of a timestamp")
    try:
        moment = _EPOCH + timedelta(microseconds=value * unit)
    except OverflowError:
        raise Inexact("out_of_range", "a number of a moment beyond the years 1 to 9999") from None
    _fraction("", f"{moment.microsecond:06d}", column, decisions)
    return moment.isoformat(" ") + ("+00" if column.kind == "timestamptz" else "")


def timestamps(column: Column, decisions: Mapping[str, str]) -> Callable[[object], object]:
    """The coercer of a column: a quick look at the usual form, then `timestamp`."""
    whole = column.fraction_digits == 6

    def carry(value: object) -> object:
        if whole and type(value) is str and _USUAL.fullmatch(value):
            try:
                DateTime.fromisoformat(value)
            except ValueError:
                raise _wrong(value, "timestamp") from None
            return value
        return timestamp(value, column, decisions)

    return carry


def date(value: object) -> str:
    """`YYYY-MM-DD`. Midnight behind it carries nothing; any other time would be dropped silently."""
    match = _ONLY_DATE.fullmatch(value) if type(value) is str else None
    if match is None or type(value) is not str or not _real_day(*match.groups()):
        raise _wrong(value, "date (without a time)")
    return value[:10]


def time(value: object, column: Column, decisions: Mapping[str, str]) -> str:
    """ISO text, as it stands. An offset does not fit a column without time zone. Raises Inexact."""
    match = _ONLY_TIME.fullmatch(value) if type(value) is str else None
    if match is None or type(value) is not str:
        raise _wrong(value, "time of day")
    _, _, _, fraction, offset = match.groups()
    _fraction(value, fraction, column, decisions)
    if offset and column.kind == "time":
        raise Inexact("wrong_type", "a time with an offset, which a column without time zone would drop")
    return value


def interval(value: object, column: Column, decisions: Mapping[str, str]) -> str:
    """Microseconds (Django), a time since 1970-01-01 (SQLAlchemy), `[D days, ]HH:MM:SS`, or ISO 8601.

    Written with the days apart, as both frameworks' drivers write a duration.
    """
    if type(value) is int:
        if abs(value) > _LONGEST:
            raise Inexact("out_of_range", "a duration beyond interval")
        micros, digits = value, f"{abs(value) % 1_000_000:06d}"
    elif type(value) is str:
        micros, digits = _duration(value)
    else:
        raise _wrong(value, "duration")
    _fraction("", digits, column, decisions)
    sign = "-" if micros < 0 else ""
    days, rest = divmod(abs(micros), 86_400_000_000)
    seconds, fraction = divmod(rest, 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    return f"{sign}{days} days {sign}{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:06d}"


def _duration(value: str) -> tuple[int, str]:
    stamp = _TIMESTAMP.fullmatch(value)
    if stamp is not None and stamp.group(4) and not stamp.group(8):
        fraction = stamp.group(7) or ""
        try:
            moment = DateTime.fromisoformat(value[:19] if stamp.group(6) else value[:16])
        except ValueError:
            raise _wrong(value, "duration") from None
        return (moment - _EPOCH) // timedelta(microseconds=1) + _micros(fraction), fraction
    match = _CLOCK.fullmatch(value) or _ISO.fullmatch(value)
    if match is None or value.strip("+-") in ("P", "PT"):
        raise _wrong(value, "duration")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole = int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    micros = whole * 1_000_000 + _micros(fraction)
    return -micros if sign == "-" else micros, fraction or ""
