"""Translates the expressions of indexes, CHECK constraints and generated columns, or says that it cannot.

Only what means the same in both is translated: text and numbers must not meet, text is ordered by its
bytes, letters are folded as SQLite folds them (ASCII only) where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wizard.databases import derive_types as types
from wizard.databases.derive_sql import identifier, literal
from wizard.databases.sqlite.sqltext import Token

# Stands for the type of a column whose values PostgreSQL would compare in another way than SQLite.
OTHERWISE = ""
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WORDS = {"AND", "OR", "NOT", "IN", "BETWEEN"}
_SYMBOLS = {"(", ")", ",", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "||"}
_FUNCTIONS = {"LOWER": "text", "UPPER": "text", "ABS": "number"}
_NUMBERS = (types.BIGINT, types.DOUBLE)
_BITS = {"0": "false", "1": "true", "TRUE": "true", "FALSE": "false"}


@dataclass
class _Written:
    """What is translated by now: PostgreSQL's words, the families and column types in it.

    `meeting` are the families of the present term, between AND and OR; `mixed`: in a term two of them met.
    """

    out: list[str] = field(default_factory=list)
    families: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    meeting: set[str] = field(default_factory=set)
    mixed: bool = False
    between: bool = False

    def family(self, name: str) -> None:
        self.families.add(name)
        self.meeting.add(name)
        self.mixed = self.mixed or len(self.meeting) > 1

    def word(self, name: str) -> None:
        """AND and OR begin a new term, but for the AND of a BETWEEN."""
        if name == "OR" or (name == "AND" and not self.between):
            self.meeting.clear()
        self.between = name == "BETWEEN" or (self.between and name != "AND")
        self.out.append(name)


def expression(found: Sequence[Token], columns: Mapping[str, str], exact: bool = False) -> str | None:
    """An index expression or condition in PostgreSQL, or None where it could mean something else.

    `columns` maps the table's columns to their chosen types. `exact`: lower() and upper() keep to ASCII, as
    SQLite's do; without it an index serves the app's own lower().
    """
    written = _write(found, columns, exact)
    return None if written is None else " ".join(written.out)


def computed(found: Sequence[Token], columns: Mapping[str, str], type_: str) -> str | None:
    """The expression of a generated column of `type_`, or None where a value could come out otherwise.

    Whole numbers by + - *, text by || lower() upper(): what both compute alike, to the bit.
    """
    written = _write(found, columns, True)
    compares = {"=", "==", "<>", "!=", "<", "<=", ">", ">=", ","}
    if written is None or any(t.text in compares or t.is_word(*_WORDS) for t in found):
        return None
    whole = all(re.fullmatch(r"\d{1,18}", t.text) for t in found if t.kind == "number")
    text = type_ == types.TEXT and written.families == {"text"}
    number = type_ in _NUMBERS and written.families == {"number"} and written.seen <= {types.BIGINT} and whole
    return " ".join(written.out) if text or number else None


def _write(found: Sequence[Token], columns: Mapping[str, str], exact: bool) -> _Written | None:
    by_lower = {name.lower(): name for name in columns}
    ordered = any(t.text in ("<", "<=", ">", ">=") or t.is_word("BETWEEN") for t in found)
    folds = exact and any(t.is_word("LOWER", "UPPER") for t in found)
    reckons = any(t.kind == "symbol" and t.text in ("+", "-", "*") for t in found)
    written = _Written()
    place = 0
    while place < len(found):
        token, following = found[place], found[place + 1 : place + 7]
        called = bool(following) and following[0].text == "("
        name = by_lower.get(token.value.lower()) if token.kind in ("word", "quoted") else None
        place += 1
        if name is not None and not called:
            taken = _column(written, name, columns[name], found, place, folds or ordered)
            if taken is None or (reckons and columns[name].startswith(types.NUMERIC)):
                return None
            place += taken
        elif token.is_word("LENGTH") and called and _one_column(following, by_lower) is not None:
            column = str(_one_column(following, by_lower))
            if columns[column] not in (types.TEXT, types.CITEXT, types.BYTEA):
                return None
            written.out.append(f"length({identifier(column)})")
            written.family("number")
            place += 3
        elif not _plain(written, token, called):
            return None
    mixed = written.mixed or (ordered and types.CITEXT in written.seen)
    mixed = mixed or (reckons and "text" in written.families)
    unordered = ordered and "text" in written.families and types.TEXT not in written.seen
    return None if mixed or unordered else written


def _column(
    written: _Written, name: str, type_: str, found: Sequence[Token], place: int, by_bytes: bool
) -> int | None:
    """Write a column and the test behind it; the tokens that this takes, None where it cannot be written."""
    tested = _test(found[place : place + 6], type_ == types.BOOLEAN)
    if tested is not None:
        written.out.append(f"{identifier(name)} {tested[0]}")
        return tested[1]
    if type_ == types.BOOLEAN and _is_condition(found, place - 1):
        written.out.append(identifier(name))
    elif type_ in (types.TEXT, types.CITEXT):
        written.out.append(identifier(name) + (' COLLATE "C"' if by_bytes and type_ == types.TEXT else ""))
        written.family("text")
        written.seen.add(type_)
    elif type_ in _NUMBERS or type_.startswith(types.NUMERIC):
        written.out.append(identifier(name))
        written.family("number")
        written.seen.add(type_)
    else:
        return None
    return 0


def _plain(written: _Written, token: Token, called: bool) -> bool:
    """Write anything but a column; False where it is not known to mean the same."""
    if token.kind == "word" and called and token.text.upper() in _FUNCTIONS:
        written.out.append(token.text.lower())
        written.family(_FUNCTIONS[token.text.upper()])
    elif token.is_word(*_WORDS):
        written.word(token.text.upper())
    elif token.kind == "string" and "\0" not in token.value:
        written.out.append(literal(token.value))
        written.family("text")
    elif token.kind == "number" and _NUMBER.fullmatch(token.text):
        written.out.append(token.text)
        written.family("number")
    elif token.kind == "symbol" and token.text in _SYMBOLS:
        written.out.append("=" if token.text == "==" else token.text)
        if token.text == "||":
            written.family("text")
    else:
        return False
    return True


def _one_column(following: Sequence[Token], by_lower: Mapping[str, str]) -> str | None:
    """The column in `(column)`, or None."""
    if len(following) < 3 or following[2].text != ")" or following[1].kind not in ("word", "quoted"):
        return None
    return by_lower.get(following[1].value.lower())


def _is_condition(found: Sequence[Token], place: int) -> bool:
    """Whether the boolean column at `place` stands for a condition by itself."""
    before = [t.text.upper() for t in found[max(0, place - 2) : place]]
    after = found[place + 1].text.upper() if place + 1 < len(found) else ")"
    opens = not before or before[-1] in ("AND", "OR", "NOT")
    if before and before[-1] == "(":
        opens = len(before) == 1 or before[0] in ("AND", "OR", "NOT", "(")
    return opens and after in ("AND", "OR", ")")


def _test(following: Sequence[Token], boolean: bool) -> tuple[str, int] | None:
    """A test for NULL behind any column, `= 1` and the like behind a boolean; with the tokens it takes."""
    words = [t.text.upper() for t in following]
    for test, length in ((["IS", "NULL"], 2), (["ISNULL"], 1)):
        if words[:length] == test:
            return "IS NULL", length
    for test, length in ((["IS", "NOT", "NULL"], 3), (["NOT", "NULL"], 2), (["NOTNULL"], 1)):
        if words[:length] == test:
            return "IS NOT NULL", length
    if not boolean:
        return None
    if words[:6] in (["IN", "(", "0", ",", "1", ")"], ["IN", "(", "1", ",", "0", ")"]):
        return "IN (false, true)", 6
    if len(words) >= 2 and words[0] in ("=", "==", "<>", "!=", "IS") and words[1] in _BITS:
        sign = {"=": "=", "==": "=", "IS": "IS"}.get(words[0], "<>")
        return f"{sign} {_BITS[words[1]]}", 2
    return None
