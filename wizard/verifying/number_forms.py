"""What PostgreSQL must print for booleans and numbers."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from wizard.verifying.canonical import NULL, Form, Inexpressible, OrderKey, Value

EXACT = Context(prec=150_000, Emax=10**9, Emin=-(10**9), rounding=ROUND_HALF_UP)
# Digits before and after the point that numeric can hold (PostgreSQL manual, 8.1.2).
NUMERIC_BEFORE, NUMERIC_AFTER = 131_072, 16_383
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RANGES = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**63), 2**63 - 1),
    "oid": (0, 2**32 - 1),
}


class IntegerForm(Form):
    """int2, int4, int8, oid."""

    sortable = True

    def express(self, value: int | float | str | bytes) -> str:
        if not isinstance(value, int):
            raise Inexpressible("wrong_type")
        low, high = _RANGES[self.target.type]
        if not low <= value <= high:
            raise Inexpressible("out_of_range")
        return str(value)

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        return [str(v) if type(v) is int else self.cell(v) for v in values]

    def order(self, text: str) -> OrderKey:
        return int(text)


class BooleanForm(Form):
    """bool: 0 and 1."""

    _FAST: Mapping[object, str] = {0: "f", 1: "t", None: NULL}

    def express(self, value: int | float | str | bytes) -> str:
        if not isinstance(value, int) or value not in (0, 1):
            raise Inexpressible("wrong_type")
        return self._FAST[value]

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        known = self._FAST
        return [known[v] if type(v) is int and v in known else self.cell(v) for v in values]


def float_text(value: float) -> str:
    """A double as PostgreSQL 12 and later prints it: shortest digits, exponent from 1e15 and below 1e-4."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    if abs(value) >= 1e15 and "e" not in text:
        sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
        whole, _, part = digits.partition(".")
        figures = (whole + ("" if part == "0" else part)).rstrip("0")
        rest = f".{figures[1:]}" if len(figures) > 1 else ""
        return f"{sign}{figures[0]}{rest}e+{len(whole) - 1}"
    return text[:-2] if text.endswith(".0") else text


class FloatForm(Form):
    """float8 and float4, compared bit by bit: 0.0 is not -0.0."""

    plain = False

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, (bytes, str)):
            raise Inexpressible("wrong_type")
        number = float(value)
        if isinstance(value, int) and int(number) != value and self.decisions.get("beyond_scale") != "round":
            raise Inexpressible("beyond_scale")
        if self.target.type == "float4":
            return self._single(number)
        return float_text(number)

    def _single(self, number: float) -> str:
        try:
            (near,) = struct.unpack("<f", struct.pack("<f", number))
        except OverflowError:
            raise Inexpressible("out_of_range") from None
        if number and not near:
            raise Inexpressible("out_of_range")
        if near != number and number == number and self.decisions.get("beyond_scale") != "round":
            raise Inexpressible("beyond_scale")
        return float_text(near)

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        if self.target.type == "float4":
            return [self.cell(v) for v in values]
        return [float_text(v) if type(v) is float else self.cell(v) for v in values]

    def normal(self, text: str) -> str:
        code = "<f" if self.target.type == "float4" else "<d"
        try:
            return struct.pack(code, float(text)).hex()
        except (ValueError, OverflowError):
            raise Inexpressible("wrong_type") from None


def decimal_text(number: Decimal) -> str:
    """A number without exponent, as numeric prints it. Raises Inexpressible beyond numeric's digits."""
    exponent = int(number.as_tuple().exponent)
    if number.adjusted() >= NUMERIC_BEFORE or -exponent > NUMERIC_AFTER:
        raise Inexpressible("out_of_range")
    return format(abs(number) if number.is_zero() else number, "f")


class NumericForm(Form):
    """numeric: by value, and by scale where the column or the source's own text sets one."""

    plain = False

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, bytes) or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
            raise Inexpressible("wrong_type")
        try:
            # A double stands for its shortest decimal form: what the app read and wrote as 0.1.
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:  # an exponent beyond all reason
            raise Inexpressible("out_of_range") from None
        if not number.is_finite() or number.adjusted() >= NUMERIC_BEFORE:
            raise Inexpressible("out_of_range")
        scale = self.target.scale
        if scale is None:
            return decimal_text(number)
        fixed = number.quantize(Decimal(1).scaleb(-scale), context=EXACT)
        if fixed != number and self.decisions.get("beyond_scale") != "round":
            raise Inexpressible("beyond_scale")
        whole = (self.target.precision or NUMERIC_BEFORE) - scale
        if not fixed.is_zero() and fixed.adjusted() >= whole:
            raise Inexpressible("out_of_range")
        return decimal_text(fixed)

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        scale = self.target.scale
        if scale is None or scale < 1:
            return [self.cell(v) for v in values]
        cells = []
        for value in values:
            if type(value) is float:
                text = repr(value)
                room = scale - (len(text) - text.find(".") - 1)
                if room >= 0 and "e" not in text and "." in text:
                    cells.append(text + "0" * room)
                    continue
            cells.append(NULL if value is None else self.cell(value))
        return cells

    def normal(self, text: str) -> str:
        if self.target.scale is not None or "." not in text:
            return text
        return text.rstrip("0").rstrip(".")

    def same(self, value: Value, expected: str, actual: str) -> bool:
        if isinstance(value, str):
            return expected == actual
        return self.normal(expected) == self.normal(actual)
