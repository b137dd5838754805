"""What PostgreSQL must print for a value that SQLite held: verification's own conversions, by target type.

A form knows one target column. `expect` gives the exact text that `COPY … TO` prints for a source value
(before escaping), `normal` maps texts of equal meaning to one text, `column` does a whole column at once.
Nothing here is shared with the code that wrote the rows (promise 3).
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

Value = int | float | str | bytes | None
OrderKey = int | bytes

NULL = "\\N"
# PostgreSQL's text cannot hold NUL, so this equals nothing that it prints.
IMPOSSIBLE = "\x00"
EXACT = Context(prec=150_000, Emax=10**9, Emin=-(10**9), rounding=ROUND_HALF_UP)
# Digits before and after the point that numeric can hold (PostgreSQL manual, 8.1.2).
NUMERIC_BEFORE, NUMERIC_AFTER = 131_072, 16_383
_SPECIAL = re.compile("[\b\f\n\r\t\v\\\\]")
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}
_UNESCAPES = {v[1]: k for k, v in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_RANGES = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**63), 2**63 - 1),
    "oid": (0, 2**32 - 1),
}


class Inexpressible(Exception):
    """The target's type cannot hold the value. `code` is the decision that could settle it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column as the target's catalog has it. `type` is the base type's name (domains resolved).

    `length` is in characters (varchar, bpchar), `precision` and `scale` in decimal digits (numeric),
    `fraction` in digits of a second (time types); None where the column sets no limit.
    """

    name: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fraction: int | None = None


def escape(text: str) -> str:
    """`text` as a cell of COPY's text format."""
    return _SPECIAL.sub(lambda m: _ESCAPES[m[0]], text)


def unescape(cell: str) -> str | None:
    """The text of one cell of COPY's text format; None for NULL."""
    if cell == NULL:
        return None
    if "\\" not in cell:
        return cell
    return _ESCAPED.sub(lambda m: _UNESCAPES.get(m[1], m[1]), cell)


class Form:
    """Base: text that is carried as it is. Subclasses override `express`, and where they can, the rest.

    `plain` says that equal meaning is equal text. `sortable` says that `order` follows the order in
    which both databases can be asked to sort.
    """

    plain = True
    sortable = False

    def __init__(self, column: TargetColumn, decisions: Mapping[str, str]) -> None:
        self.target = column
        self.decisions = decisions

    def express(self, value: int | float | str | bytes) -> str | None:
        """The text for a value that is not NULL. Raises Inexpressible."""
        return self.as_text(value)

    def expect(self, value: Value) -> str | None:
        """The text that the target must print; None for NULL. Raises Inexpressible."""
        if value is None:
            return None
        try:
            return self.express(value)
        except Inexpressible as error:
            if self.decisions.get(error.code) == "null":
                return None
            raise

    def cell(self, value: Value) -> str:
        """The escaped cell, or a text that equals nothing where the value cannot be expressed."""
        try:
            text = self.expect(value)
        except Inexpressible:
            return IMPOSSIBLE
        return NULL if text is None else escape(text)

    def column(self, values: Sequence[Value]) -> Sequence[str]:
        """The cells of many rows."""
        if self.decisions:
            return [self.cell(v) for v in values]
        return self.fast(values)

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        return [self.cell(v) for v in values]

    def normal(self, text: str) -> str:
        """One text for all texts of equal meaning. Raises Inexpressible for what is not of this type."""
        return text

    def same(self, value: Value, expected: str, actual: str) -> bool:
        """Whether the target's text means what `value` (whose text is `expected`) says."""
        try:
            return expected == actual or self.normal(expected) == self.normal(actual)
        except Inexpressible:
            return False

    def order(self, text: str) -> OrderKey:
        """A key whose order is the order of both sides' rows (only where `sortable`)."""
        raise NotImplementedError

    def as_text(self, value: int | float | str | bytes) -> str:
        """A value as characters, with the decisions about bytes that text cannot hold applied."""
        if isinstance(value, bytes):
            raise Inexpressible("wrong_type")
        text = value if isinstance(value, str) else repr(value)
        if "\x00" in text:
            choice = self.decisions.get("nul_bytes")
            if choice is None:
                raise Inexpressible("nul_bytes")
            text = text.replace("\x00", "" if choice == "strip" else "\ufffd")
        if not text.isascii():
            text = self._valid(text)
        return text

    def _valid(self, text: str) -> str:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raw = text.encode("utf-8", "surrogateescape")
            choice = self.decisions.get("invalid_utf8")
            if choice == "latin1":
                return raw.decode("latin-1")
            if choice == "replace":
                return raw.decode("utf-8", "replace")
            raise Inexpressible("invalid_utf8") from None
        return text


class TextForm(Form):
    """text, varchar, char, citext, enums, and every type that has no form of its own."""

    @property
    def sortable(self) -> bool:  # type: ignore[override]
        return self.target.type in ("text", "varchar")

    def express(self, value: int | float | str | bytes) -> str:
        text = self.as_text(value)
        limit = self.target.length
        if limit is None:
            return text
        if self.target.type == "bpchar":
            text = text.rstrip(" ")
        if len(text) > limit:
            if self.decisions.get("too_long") != "truncate":
                raise Inexpressible("too_long")
            text = text[:limit]
        return text.ljust(limit) if self.target.type == "bpchar" else text

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        if self.target.type == "bpchar":
            return [self.cell(v) for v in values]
        try:
            # One look for special characters through the whole column instead of one a value.
            if _SPECIAL.search("\x00".join(values)) is None:  # type: ignore[arg-type]
                return values  # type: ignore[return-value]
        except TypeError:
            pass
        return [
            (v if _SPECIAL.search(v) is None else escape(v)) if type(v) is str else self.cell(v)
            for v in values
        ]

    def order(self, text: str) -> OrderKey:
        return text.encode("utf-8", "surrogateescape")


class IntegerForm(Form):
    """int2, int4, int8, oid."""

    sortable = True

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            number = int(value)
        elif isinstance(value, int):
            number = value
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        else:
            raise Inexpressible("wrong_type")
        low, high = _RANGES[self.target.type]
        if not low <= number <= high:
            raise Inexpressible("out_of_range")
        return str(number)

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        return [str(v) if type(v) is int else self.cell(v) for v in values]

    def order(self, text: str) -> OrderKey:
        return int(text)


class BooleanForm(Form):
    """bool: 0 and 1, and the words that PostgreSQL itself reads (manual, 8.6)."""

    _WORDS: Mapping[str, str] = {
        **dict.fromkeys(("t", "true", "y", "yes", "on", "1"), "t"),
        **dict.fromkeys(("f", "false", "n", "no", "off", "0"), "f"),
    }
    _FAST: Mapping[object, str] = {0: "f", 1: "t", None: NULL}

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, str):
            word = self._WORDS.get(value.strip().lower())
        else:
            word = self._FAST.get(value)
        if word is None:
            raise Inexpressible("wrong_type")
        return word

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        known = self._FAST
        return [known.get(v) or self.cell(v) for v in values]


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
        if isinstance(value, bytes):
            raise Inexpressible("wrong_type")
        try:
            number = float(value)
        except ValueError:
            raise Inexpressible("wrong_type") from None
        except OverflowError:
            raise Inexpressible("out_of_range") from None
        if isinstance(value, int) and int(number) != value:
            raise Inexpressible("beyond_scale")
        if self.target.type == "float4":
            return self._single(number)
        return float_text(number)

    def _single(self, number: float) -> str:
        try:
            (near,) = struct.unpack("<f", struct.pack("<f", number))
        except OverflowError:
            raise Inexpressible("out_of_range") from None
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
    if number.is_nan():
        return "NaN"
    if number.is_infinite():
        return "Infinity" if number > 0 else "-Infinity"
    exponent = int(number.as_tuple().exponent)
    if number.adjusted() >= NUMERIC_BEFORE or -exponent > NUMERIC_AFTER:
        raise Inexpressible("out_of_range")
    return format(abs(number) if number.is_zero() else number, "f")


class NumericForm(Form):
    """numeric: by value, and by scale where the column or the source's own text sets one."""

    plain = False

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, bytes):
            raise Inexpressible("wrong_type")
        try:
            # A double stands for its shortest decimal form: what the app read and wrote as 0.1.
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except (InvalidOperation, ValueError):
            raise Inexpressible("wrong_type") from None
        scale = self.target.scale
        if scale is None or not number.is_finite():
            return decimal_text(number)
        if number.adjusted() >= NUMERIC_BEFORE:
            raise Inexpressible("out_of_range")
        fixed = number.quantize(Decimal(1).scaleb(-scale), context=EXACT)
        if fixed != number and self.decisions.get("beyond_scale") != "round":
            raise Inexpressible("beyond_scale")
        whole = (self.target.precision or NUMERIC_BEFORE) - scale
        if not fixed.is_zero() and fixed.adjusted() >= whole:
            raise Inexpressible("out_of_range")
        return decimal_text(fixed)

    def normal(self, text: str) -> str:
        if self.target.scale is not None or "." not in text:
            return text
        return text.rstrip("0").rstrip(".")

    def same(self, value: Value, expected: str, actual: str) -> bool:
        if isinstance(value, str):
            return expected == actual
        return self.normal(expected) == self.normal(actual)


class BytesForm(Form):
    """bytea, printed as hex. Text in a binary column stands for its UTF-8 bytes."""

    sortable = True

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, str):
            return "\\x" + value.encode("utf-8", "surrogateescape").hex()
        if not isinstance(value, bytes):
            raise Inexpressible("wrong_type")
        return "\\x" + value.hex()

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        return ["\\\\x" + v.hex() if type(v) is bytes else self.cell(v) for v in values]

    def order(self, text: str) -> OrderKey:
        return bytes.fromhex(text[2:])


class UuidForm(Form):
    """uuid: 32 hexadecimal digits with or without dashes, or 16 bytes."""

    sortable = True
    _HEX = re.compile(r"[0-9a-fA-F]{32}")

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, bytes) and len(value) == 16:
            digits = value.hex()
        elif isinstance(value, str):
            digits = value.strip().removeprefix("urn:uuid:").strip("{}").replace("-", "")
        else:
            raise Inexpressible("wrong_type")
        if not self._HEX.fullmatch(digits):
            raise Inexpressible("wrong_type")
        h = digits.lower()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def order(self, text: str) -> OrderKey:
        return bytes.fromhex(text.replace("-", ""))


class AddressForm(Form):
    """inet: an address with or without its prefix length."""

    plain = False

    def normal(self, text: str) -> str:
        try:
            return str(ipaddress.ip_interface(text))
        except ValueError:
            raise Inexpressible("wrong_type") from None
