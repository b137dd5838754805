"""Splits SQLite's SQL text into tokens, so that names, strings and comments are never mistaken for words.

Source of the rules: https://www.sqlite.org/lang_keywords.html (quoting) and lang_comment.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["word", "quoted", "string", "number", "blob", "symbol"]

_PATTERN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[0-9a-fA-F]*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<symbol>\|\||==|!=|<>|<=|>=|<<|>>|->>|->|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `value` is a quoted name or string without its quotes, else the text as written."""

    kind: TokenKind
    text: str
    value: str

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the unquoted `words` (given in capitals)."""
        return self.kind == "word" and self.text.upper() in words


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of `sql` in order, without white space and comments."""
    for match in _PATTERN.finditer(sql):
        kind = match.lastgroup
        text = match.group()
        if kind == "string":
            yield Token("string", text, text[1:-1].replace("''", "'"))
        elif kind == "quoted":
            end = text[-1]
            yield Token("quoted", text, text[1:-1].replace(end * 2, end) if end != "]" else text[1:-1])
        elif kind == "blob":
            yield Token("blob", text, text[2:-1])
        elif kind == "number":
            yield Token("number", text, text)
        elif kind == "word":
            yield Token("word", text, text)
        elif kind == "symbol":
            yield Token("symbol", text, text)


def body(statement: str) -> list[Token]:
    """The tokens between the outermost parentheses of a CREATE TABLE; empty where it has none."""
    return _split(list(tokens(statement)))[0]


def options(statement: str) -> frozenset[str]:
    """The words behind the closing parenthesis of a CREATE TABLE, in capitals: STRICT, WITHOUT, ROWID."""
    return frozenset(t.text.upper() for t in _split(list(tokens(statement)))[1] if t.kind == "word")


def _split(found: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    depth, start = 0, None
    for place, token in enumerate(found):
        if token.text == "(" and token.kind == "symbol":
            if depth == 0:
                start = place + 1
            depth += 1
        elif token.text == ")" and token.kind == "symbol":
            depth -= 1
            if depth == 0 and start is not None:
                return list(found[start:place]), list(found[place + 1 :])
    return [], []


def top_level_parts(found: Sequence[Token]) -> list[list[Token]]:
    """`found` split at its commas outside parentheses: the columns and constraints of a table."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        if token.kind == "symbol":
            depth += (token.text == "(") - (token.text == ")")
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return [part for part in parts if part]
