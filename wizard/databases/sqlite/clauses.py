"""What a CREATE TABLE says that no PRAGMA tells: collations, CHECK constraints, generated columns.

Read from the tokens of the stored SQL (https://www.sqlite.org/lang_createtable.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wizard.databases.sqlite import sqltext
from wizard.databases.sqlite.shapes import Table
from wizard.databases.sqlite.sqltext import Token

BUILT_IN = frozenset(("BINARY", "NOCASE", "RTRIM"))
_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint; `name` is empty where it has none, `tokens` are those between its parentheses."""

    name: str
    tokens: tuple[Token, ...]

    @property
    def sql(self) -> str:
        return " ".join(t.text for t in self.tokens)


def collations(table: Table) -> dict[str, str]:
    """The collation of each column that has another than BINARY, in capitals where it is built in."""
    found = {}
    for column, part in _definitions(table):
        for place, token in _outside(part):
            if token.is_word("COLLATE") and place + 1 < len(part):
                name = part[place + 1].value
                found[column] = name.upper() if name.upper() in BUILT_IN else name
    return {column: name for column, name in found.items() if name != "BINARY"}


def supply_collations(connection: sqlite3.Connection) -> None:
    """Stand in for collations of the app's own, without which SQLite opens no index that has one.

    They order by bytes, not as the app does: rows may be read through, never looked up or sorted by them.
    """
    found = connection.execute(
        "SELECT CAST(sql AS BLOB) FROM main.sqlite_master WHERE sql LIKE '%collate%'"
    ).fetchall()
    names = set()
    for (sql,) in found:
        tokens = list(sqltext.tokens(sql.decode("utf-8", "replace")))
        after = pairwise(tokens)
        names |= {b.value for a, b in after if a.is_word("COLLATE") and b.value.upper() not in BUILT_IN}
    for name in names:
        connection.create_collation(name, lambda one, other: (one > other) - (one < other))


def checks(table: Table) -> list[Check]:
    """Every CHECK constraint, of columns and of the table, in the order of declaration."""
    found = []
    for part in sqltext.top_level_parts(sqltext.body(table.sql)):
        for place, token in _outside(part):
            if token.is_word("CHECK") and place + 1 < len(part) and part[place + 1].text == "(":
                named = place > 1 and part[place - 2].is_word("CONSTRAINT")
                found.append(Check(part[place - 1].value if named else "", _group(part, place + 1)))
    return found


def generated(table: Table) -> dict[str, tuple[Token, ...]]:
    """The expression of each generated column."""
    found = {}
    for column, part in _definitions(table):
        for place, token in _outside(part):
            if token.is_word("AS") and place + 1 < len(part) and part[place + 1].text == "(":
                found[column] = _group(part, place + 1)
    return found


def _definitions(table: Table) -> Iterator[tuple[str, list[Token]]]:
    """(column, tokens of its definition) of every column."""
    names = {c.name.lower(): c.name for c in table.columns}
    for part in sqltext.top_level_parts(sqltext.body(table.sql)):
        name = names.get(part[0].value.lower())
        if name is not None and not part[0].is_word(*_CONSTRAINTS):
            yield name, part


def _outside(part: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The tokens outside parentheses, with their places."""
    depth = 0
    for place, token in enumerate(part):
        if token.kind == "symbol" and token.text in "()":
            depth += 1 if token.text == "(" else -1
        elif depth == 0:
            yield place, token


def _group(part: Sequence[Token], opening: int) -> tuple[Token, ...]:
    """The tokens between the parenthesis at `opening` and the one that closes it."""
    depth = 0
    for place in range(opening, len(part)):
        if part[place].kind == "symbol":
            depth += (part[place].text == "(") - (part[place].text == ")")
        if depth == 0:
            return tuple(part[opening + 1 : place])
    return tuple(part[opening + 1 :])
