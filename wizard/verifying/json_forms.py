"""What PostgreSQL must print for json and jsonb, with every number kept exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from wizard.verifying.canonical import Form, Inexpressible, Value, escape
from wizard.verifying.number_forms import decimal_text

_LONE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """The digits of a JSON number, as written."""

    __slots__ = ()


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object's members in the order written, repeated names included."""

    __slots__ = ()


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)


class JsonForm(Form):
    """jsonb: names sorted by length, then bytes; the last of repeated names; numbers with their scale.

    json keeps the source's text, which may differ in blanks and escapes only.
    """

    plain = False

    def express(self, value: int | float | str | bytes) -> str:
        if isinstance(value, bytes):
            raise Inexpressible("wrong_type")
        text = self.valid(value) if isinstance(value, str) else repr(value)
        rendered = self._render(self._parse(text))
        return text if self.target.type == "json" and not self.decisions else rendered

    def fast(self, values: Sequence[Value]) -> Sequence[str]:
        if self.target.type == "json":
            return [escape(v) if type(v) is str else self.cell(v) for v in values]
        return [self.cell(v) for v in values]

    def normal(self, text: str) -> str:
        return self._render(self._parse(text))

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(
                text, parse_float=_Number, parse_int=_Number, parse_constant=_not_json,
                object_pairs_hook=_Pairs,
            )  # fmt: skip
        except (ValueError, RecursionError):
            raise Inexpressible("wrong_type") from None

    def _render(self, value: Any) -> str:
        try:
            return self._write(value)
        except RecursionError:
            raise Inexpressible("wrong_type") from None

    def _write(self, value: Any) -> str:
        if isinstance(value, _Number):
            try:
                return decimal_text(Decimal(value))
            except InvalidOperation:
                raise Inexpressible("out_of_range") from None
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, _Pairs):
            return "{" + ", ".join(f"{k}: {self._write(v)}" for k, v in self._members(value)) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self._write, value)) + "]"
        return {None: "null", True: "true", False: "false"}[value]

    def _members(self, pairs: _Pairs) -> list[tuple[str, Any]]:
        written = [
            (name.encode("utf-8", "surrogatepass"), self._string(name), value) for name, value in pairs
        ]
        if self.target.type == "jsonb" or self.decisions.get("json_duplicate_keys") == "last":
            last = {key: (key, name, value) for key, name, value in written}
            if len(last) < len(written) and self.decisions.get("json_duplicate_keys") != "last":
                raise Inexpressible("json_duplicate_keys")
            written = list(last.values())
        written.sort(key=lambda member: (len(member[0]), member[0]))
        return [(name, value) for _, name, value in written]

    def _string(self, text: str) -> str:
        if "\x00" in text and (self.target.type == "jsonb" or "json_nul" in self.decisions):
            if self.decisions.get("json_nul") != "strip":
                raise Inexpressible("json_nul")
            text = text.replace("\x00", "")
        if not text.isascii() and _LONE.search(text):
            if self.decisions.get("json_surrogates") != "replace":
                raise Inexpressible("json_surrogates")
            text = _LONE.sub("\ufffd", text)
        return json.dumps(text, ensure_ascii=False)
