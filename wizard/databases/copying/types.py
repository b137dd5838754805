"""What a SQLite value becomes in a column of the target, judged by the column's real type.

A coercer returns what COPY's text form can carry, or raises Inexact: nothing is rounded, trimmed or
guessed here unless a decision says so. NULL never reaches a coercer.
"""

from __future__ import annotations

import ipaddress
import math
import re
import struct
import uuid
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import TypeAlias

from wizard.databases.copying import local_times, moments
from wizard.databases.copying.documents import json_text
from wizard.databases.copying.inexact import Inexact
from wizard.databases.postgres.catalog import Column

Value: TypeAlias = object
Coercer: TypeAlias = Callable[[object], Value]
Decisions: TypeAlias = Mapping[str, str]

INTEGERS = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**63), 2**63 - 1),
    "oid": (0, 2**32 - 1),
}
TEXTS = frozenset(("text", "varchar", "bpchar", "citext", "name"))
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAX_DIGITS = 131072


def coercer(column: Column, decisions: Decisions, zone: str) -> Coercer:
    """The function that carries a value (never None) into `column`.

    `zone` is the one in which the app means a time without an offset (`UTC`, or an IANA name). It raises
    Inexact where the value cannot be carried exactly and `decisions` ({code: choice}) holds nothing for its
    code.
    """
    inner = _strict(column, decisions, zone)
    allowed = {c for c in ("wrong_type", "out_of_range", "epoch") if decisions.get(c) == "null"}
    if not allowed:
        return inner

    def forgiving(value: object) -> Value:
        try:
            return inner(value)
        except Inexact as error:
            if error.code in allowed:
                return None
            raise

    return forgiving


def _strict(column: Column, decisions: Decisions, zone: str) -> Coercer:
    kind = column.kind
    if column.labels:
        return _enum(column)
    if column.array:
        return _any_text(column, decisions)
    if kind in INTEGERS:
        return _integer(column)
    if kind == "bool":
        return _boolean
    if kind == "numeric":
        return _numeric(column, decisions)
    if kind in ("float4", "float8"):
        return _float(column, decisions)
    if kind in TEXTS:
        return _text(column, decisions)
    if kind == "bytea":
        return _bytes
    if kind in ("json", "jsonb"):
        return lambda value: json_text(value, kind == "jsonb", decisions)
    if kind == "timestamptz" and zone != "UTC":
        return local_times.timestamps(column, decisions, zone)
    if kind in ("timestamp", "timestamptz"):
        return moments.timestamps(column, decisions)
    if kind == "date":
        return moments.date
    if kind in ("time", "timetz"):
        return lambda value: moments.time(value, column, decisions)
    if kind == "interval":
        return lambda value: moments.interval(value, column, decisions)
    if kind == "uuid":
        return _uuid
    if kind in ("inet", "cidr"):
        return _address
    return _any_text(column, decisions)


def wrong(value: object, expected: str) -> Inexact:
    """The value is of another kind than the column. The value itself is not repeated."""
    names = {int: "an integer", float: "a real number", str: "text", bytes: "bytes"}
    return Inexact("wrong_type", f"{names.get(type(value), type(value).__name__)} instead of {expected}")


def _integer(column: Column) -> Coercer:
    low, high = INTEGERS[column.kind]

    def carry(value: object) -> Value:
        if type(value) is int:
            if low <= value <= high:
                return value
            raise Inexact("out_of_range", f"an integer beyond {column.type}")
        raise wrong(value, "an integer")

    return carry


def _boolean(value: object) -> Value:
    if type(value) is int and value in (0, 1):
        return value
    if type(value) is int:
        raise Inexact("wrong_type", "an integer other than 0 and 1 instead of a boolean")
    raise wrong(value, "a boolean (0 or 1)")


def _numeric(column: Column, decisions: Decisions) -> Coercer:
    limits = column.precision_scale
    rounds = decisions.get("beyond_scale") == "round"
    places = limits[1] if limits is not None and limits[1] >= 0 else -1
    whole = limits[0] - places if limits is not None and places >= 0 else -1

    def carry(value: object) -> Value:
        if type(value) is float and places >= 0:
            # Plain digits that fit: COPY writes the same shortest digits as repr.
            before, point, after = repr(value).partition(".")
            if point and after.isdigit() and len(after) <= places and len(before) <= whole:
                return value
        if type(value) is int:
            number = Decimal(value)
        elif type(value) is float:
            if not math.isfinite(value):
                raise Inexact("out_of_range", "an infinite number")
            number = Decimal(repr(value))
        elif type(value) is str and _NUMBER.fullmatch(value):
            number = Decimal(value)
        else:
            raise wrong(value, "a number")
        _, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int)
        if limits is None:
            if exponent < -16383 or number.adjusted() >= _MAX_DIGITS:
                raise Inexact("out_of_range", "more digits than numeric holds")
            return number
        precision, scale = limits
        if -exponent > scale and any(digits[max(0, len(digits) + exponent + scale) :]) and not rounds:
            raise Inexact("beyond_scale", f"digits beyond the {scale} of {column.type}")
        with localcontext() as context:
            context.prec = max(len(digits) + abs(exponent) + abs(scale) + 2, 28)
            try:
                number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
            except InvalidOperation:
                raise Inexact("out_of_range", f"a number beyond {column.type}") from None
        if number and number.adjusted() >= precision - scale:
            raise Inexact("out_of_range", f"a number beyond {column.type}")
        return number

    return carry


def _float(column: Column, decisions: Decisions) -> Coercer:
    narrow = column.kind == "float4"
    rounds = decisions.get("beyond_scale") == "round"

    def carry(value: object) -> Value:
        if type(value) is int:
            number = float(value)
            if int(number) != value and not rounds:
                raise Inexact("beyond_scale", f"an integer with more digits than {column.type} holds")
        elif type(value) is float:
            number = value
        else:
            raise wrong(value, "a number")
        if narrow and math.isfinite(number):
            try:
                packed = struct.unpack("<f", struct.pack("<f", number))[0]
            except OverflowError:
                raise Inexact("out_of_range", "a number beyond real") from None
            if packed != number:
                if number and not packed:
                    raise Inexact("out_of_range", "a number too small for real")
                if not rounds:
                    raise Inexact("beyond_scale", "a number with more digits than real (4 bytes) holds")
        return number

    return carry


def plain_text(value: str, decisions: Decisions) -> str:
    """`value` without what PostgreSQL's text cannot hold: NUL, and bytes that are not UTF-8.

    Bytes that are not UTF-8 stand in `value` as lone surrogates (surrogateescape).
    """
    if "\0" in value:
        choice = decisions.get("nul_bytes")
        if choice is None:
            raise Inexact("nul_bytes", "text with a NUL byte")
        value = value.replace("\0", "" if choice == "strip" else "\ufffd")
    if not value.isascii() and _SURROGATE.search(value):
        choice = decisions.get("invalid_utf8")
        if choice is None:
            raise Inexact("invalid_utf8", "text that is not UTF-8")
        raw = value.encode("utf-8", "surrogateescape")
        value = raw.decode("latin-1") if choice == "latin1" else raw.decode("utf-8", "replace")
    return value


def _text(column: Column, decisions: Decisions) -> Coercer:
    limit = 63 if column.kind == "name" else column.length
    blanks = column.kind == "bpchar"
    truncates = decisions.get("too_long") == "truncate"

    def carry(value: object) -> Value:
        if type(value) is not str:
            raise wrong(value, "text")
        value = plain_text(value, decisions)
        if limit is not None:
            size = len(value.encode()) if column.kind == "name" else len(value)
            if size > limit:
                if not truncates:
                    raise Inexact("too_long", f"text longer than {column.type} holds")
                value = value[:limit]
        if blanks and value.endswith(" ") and not truncates:
            raise Inexact("too_long", f"text with trailing blanks, which {column.type} does not keep")
        return value

    return carry


def _bytes(value: object) -> Value:
    if type(value) is bytes:
        return value
    raise wrong(value, "bytes")


def _uuid(value: object) -> Value:
    if type(value) is str:
        if _UUID.fullmatch(value):
            return value
        raise Inexact("wrong_type", "text that is no UUID")
    if type(value) is bytes and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    raise wrong(value, "a UUID")


def _address(value: object) -> Value:
    if type(value) is not str:
        raise wrong(value, "a network address")
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        raise Inexact("wrong_type", "text that is no network address") from None
    return value


def _enum(column: Column) -> Coercer:
    labels = frozenset(column.labels)

    def carry(value: object) -> Value:
        if type(value) is str and value in labels:
            return value
        if type(value) is str:
            raise Inexact("wrong_type", f"text that {column.type} does not list")
        raise wrong(value, column.type)

    return carry


def _any_text(column: Column, decisions: Decisions) -> Coercer:
    """Types without rules of their own: their text form is handed over, and the server judges it."""

    def carry(value: object) -> Value:
        if type(value) is not str:
            raise wrong(value, f"the text form of {column.type}")
        return plain_text(value, decisions)

    return carry
