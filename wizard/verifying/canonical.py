"""What PostgreSQL must print for a value that SQLite held: verification's own conversions, by target type.

A form knows one target column. `expect` gives the exact text that `COPY … TO` prints for a source value
(before escaping), `normal` maps texts of equal meaning to one text, `column` does a whole column at once.
Nothing here is shared with the code that wrote the rows (promise 3).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = int | float | str | bytes | None
OrderKey = int | bytes

NULL = "\\N"
# PostgreSQL's text cannot hold NUL, so this equals nothing that it prints.
IMPOSSIBLE = "\x00"
_SPECIAL = re.compile("[\b\f\n\r\t\v\\\\]")
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}
_UNESCAPES = {v[1]: k for k, v in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


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
        """A key whose order is the order of both sides' rows (only where `sortable`): the text's bytes."""
        return text.encode("utf-8", "surrogateescape")

    def as_text(self, value: int | float | str | bytes) -> str:
        """A value as characters, with the decisions about bytes that text cannot hold applied."""
        if not isinstance(value, str):
            raise Inexpressible("wrong_type")
        text = value
        if "\x00" in text:
            choice = self.decisions.get("nul_bytes")
            if choice is None:
                raise Inexpressible("nul_bytes")
            text = text.replace("\x00", "" if choice == "strip" else "\ufffd")
        if not text.isascii():
            text = self.valid(text)
        return text

    def valid(self, text: str) -> str:
        """`text` where it is UTF-8, else what was decided about it. Raises Inexpressible."""
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


def one_text(value: int | float | str | bytes) -> str:
    """What a value is where it was decided that a column of several classes becomes text."""
    match value:
        case str():
            return value
        case bytes():
            return f"\\x{value.hex()}"
        case float() if value in (float("inf"), float("-inf")):
            return f"{'-' if value < 0 else ''}Infinity"
    return repr(value)


class TextForm(Form):
    """text, varchar, char, citext, enums, and every type that has no form of its own."""

    @property
    def sortable(self) -> bool:  # type: ignore[override]
        return self.target.type in ("text", "varchar")

    def express(self, value: int | float | str | bytes) -> str:
        if self.decisions.get("mixed_types") == "text":
            value = one_text(value)
        text = self.as_text(value)
        limit = self.target.length
        if limit is None:
            return text
        padded = self.target.type == "bpchar"
        # char(n) keeps no trailing blanks: they are lost even where the text is short enough.
        if len(text) > limit or (padded and text.endswith(" ")):
            if self.decisions.get("too_long") != "truncate":
                raise Inexpressible("too_long")
            text = text[:limit]
        return text.ljust(limit) if padded else text

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


class BytesForm(Form):
    """bytea, printed as hex."""

    sortable = True

    def express(self, value: int | float | str | bytes) -> str:
        if self.decisions.get("mixed_types") == "bytes" and not isinstance(value, bytes):
            value = one_text(value).encode("utf-8", "surrogateescape")
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
            digits = value.replace("-", "")
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
