"""Translates defaults from SQLite's SQL to PostgreSQL's, or says that it cannot.

Only what means the same in both is translated; the rest is left out with a note.
"""

from __future__ import annotations

import re

from wizard.databases import derive_types as types
from wizard.databases.sqlite.sqltext import Token, tokens

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NOW = {"CURRENT_TIMESTAMP", "DATETIME('NOW')", "DATETIME()"}
_TODAY = {"CURRENT_DATE", "DATE('NOW')", "DATE()"}
_SHAPES = ("YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD", "HH24:MI:SS")
_CLOCK = {"CURRENT_TIME", "TIME('NOW')", "TIME()"}


def identifier(name: str) -> str:
    """`name` as a PostgreSQL identifier, in its own spelling."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a PostgreSQL string, whatever standard_conforming_strings says."""
    quoted = text.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{quoted}'"


def default(sql: str, type_: str) -> str | None:
    """The DEFAULT `sql` for a column of `type_`; "" where it is NULL; None where it is not translatable."""
    found = list(tokens(sql))
    while len(found) > 2 and found[0].text == "(" and found[-1].text == ")":
        found = found[1:-1]
    if not found or (len(found) == 1 and found[0].is_word("NULL")):
        return ""
    plain = "".join(t.text for t in found)
    if plain.upper() in _NOW | _TODAY | _CLOCK:
        return _moment(plain.upper(), type_)
    if _NUMBER.fullmatch(plain):
        return _number(plain, type_)
    if len(found) != 1:
        return None
    return _single(found[0], type_)


def _moment(word: str, type_: str) -> str | None:
    # SQLite's clock is UTC (https://www.sqlite.org/lang_datefunc.html).
    if type_ == types.TIMESTAMPTZ and word in _NOW:
        return "now()"
    if type_ == types.TEXT:
        shape = _SHAPES[0 if word in _NOW else 1 if word in _TODAY else 2]
        return f"to_char(now() AT TIME ZONE 'UTC', '{shape}')"
    wanted = {types.TIMESTAMP: _NOW, types.DATE: _TODAY, types.TIME: _CLOCK}.get(type_, set())
    short = {types.TIMESTAMP: "timestamp(0)", types.DATE: "date", types.TIME: "time(0)"}
    return f"((now() AT TIME ZONE 'UTC')::{short[type_]})" if word in wanted else None


def _number(text: str, type_: str) -> str | None:
    if type_ == types.BOOLEAN:
        return {"0": "false", "1": "true"}.get(text)
    if type_ == types.BIGINT:
        whole = re.fullmatch(r"[+-]?\d+", text)
        return text if whole and -(2**63) <= int(text) < 2**63 else None
    if type_ == types.TEXT:
        return literal(text) if re.fullmatch(r"-?\d+", text) else None
    return text if type_ in (types.NUMERIC, types.DOUBLE) or type_.startswith("numeric(") else None


def _single(token: Token, type_: str) -> str | None:
    if token.is_word("TRUE", "FALSE"):
        one = token.text.upper() == "TRUE"
        return _number("1" if one else "0", type_)
    if token.kind == "blob":
        return f"'\\x{token.value}'::bytea" if type_ == types.BYTEA else None
    if token.kind not in ("string", "quoted"):
        return None
    if "\0" in token.value:
        return None
    if type_ == types.TEXT:
        return literal(token.value)
    if type_ == types.BOOLEAN:
        return {"0": "false", "1": "true", "false": "false", "true": "true"}.get(token.value.lower())
    if _NUMBER.fullmatch(token.value):
        return _number(token.value, type_)
    if type_ == types.JSONB and token.value.strip() in ("{}", "[]", "null"):
        return f"{literal(token.value)}::jsonb"
    return None
