"""Translates defaults and index expressions from SQLite's SQL to PostgreSQL's, or says that it cannot.

Only what means the same in both is translated; the rest is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wizard.databases import derive_types as types
from wizard.databases.sqlite.sqltext import Token, tokens

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NOW = {"CURRENT_TIMESTAMP", "DATETIME('NOW')", "DATETIME()"}
_TODAY = {"CURRENT_DATE", "DATE('NOW')", "DATE()"}
_CLOCK = {"CURRENT_TIME", "TIME('NOW')", "TIME()"}
_WORDS = {"AND", "OR", "NOT", "IN", "BETWEEN"}
_SYMBOLS = {"(", ")", ",", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*"}
_FUNCTIONS = {"LOWER": "text", "UPPER": "text", "ABS": "number"}
_NUMBERS = (types.BIGINT, types.NUMERIC, types.DOUBLE)


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


def expression(found: Sequence[Token], columns: Mapping[str, str], unique: bool = False) -> str | None:
    """An index expression or WHERE clause in PostgreSQL, or None where it could mean something else.

    `columns` maps the table's columns to their chosen types. Text and numbers must not meet, and text is
    only compared for equality: the order of letters differs. For a `unique` index lower() and upper()
    keep to ASCII, as SQLite's do.
    """
    by_lower = {name.lower(): name for name in columns}
    folds = unique and any(t.is_word("LOWER", "UPPER") for t in found)
    out: list[str] = []
    families: set[str] = set()
    place = 0
    while place < len(found):
        token, following = found[place], found[place + 1 : place + 4]
        called = bool(following) and following[0].text == "("
        name = by_lower.get(token.value.lower()) if token.kind in ("word", "quoted") else None
        place += 1
        if name is not None and not called:
            type_ = columns[name]
            tested = _test(following, type_ == types.BOOLEAN)
            if tested is not None:
                out.append(f"{identifier(name)} {tested[0]}")
                place += tested[1]
            elif type_ == types.BOOLEAN and _is_condition(found, place - 1):
                out.append(identifier(name))
            elif type_ == types.TEXT:
                out.append(identifier(name) + (' COLLATE "C"' if folds else ""))
                families.add("text")
            elif type_ in _NUMBERS or type_.startswith("numeric("):
                out.append(identifier(name))
                families.add("number")
            else:
                return None
        elif token.kind == "word" and called and token.text.upper() in _FUNCTIONS:
            out.append(token.text.lower())
            families.add(_FUNCTIONS[token.text.upper()])
        elif token.is_word(*_WORDS):
            out.append(token.text.upper())
        elif token.kind == "string" and "\0" not in token.value:
            out.append(literal(token.value))
            families.add("text")
        elif token.kind == "number" and _NUMBER.fullmatch(token.text):
            out.append(token.text)
            families.add("number")
        elif token.kind == "symbol" and token.text in _SYMBOLS:
            out.append("=" if token.text == "==" else token.text)
        else:
            return None
    ordered = any(t.text in ("<", "<=", ">", ">=") or t.is_word("BETWEEN") for t in found)
    if len(families) > 1 or ("text" in families and ordered):
        return None
    return " ".join(out)


def _is_condition(found: Sequence[Token], place: int) -> bool:
    """Whether the boolean column at `place` stands for a condition by itself."""
    before = [t.text.upper() for t in found[max(0, place - 2) : place]]
    after = found[place + 1].text.upper() if place + 1 < len(found) else ")"
    opens = not before or before[-1] in ("AND", "OR", "NOT")
    if before and before[-1] == "(":
        opens = len(before) == 1 or before[0] in ("AND", "OR", "NOT", "(")
    return opens and after in ("AND", "OR", ")")


def _test(following: Sequence[Token], boolean: bool) -> tuple[str, int] | None:
    """`IS [NOT] NULL` behind any column, `= 1` and the like behind a boolean; with the tokens it takes."""
    words = [t.text.upper() for t in following]
    if words[:2] == ["IS", "NULL"]:
        return "IS NULL", 2
    if words[:3] == ["IS", "NOT", "NULL"]:
        return "IS NOT NULL", 3
    if boolean and len(words) >= 2 and words[0] in ("=", "==", "<>", "!=", "IS"):
        value = {"0": "false", "1": "true", "TRUE": "true", "FALSE": "false"}.get(words[1])
        sign = {"=": "=", "==": "=", "IS": "IS"}.get(words[0], "<>")
        return (f"{sign} {value}", 2) if value is not None else None
    return None
