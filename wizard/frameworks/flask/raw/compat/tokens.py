"""SQLite's SQL in pieces, and what is known of the database's tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<blob>[xX]'[0-9a-fA-F]*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<place>\?\d*|[:@$][A-Za-z_]\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>\|\||<=|>=|<>|!=|==|<<|>>|->>|->|.)""",
    re.VERBOSE | re.DOTALL,
)
COLUMNS = """SELECT ordinal_position - 1 AS cid, column_name::text AS name, data_type::text AS type,
 (is_nullable = 'NO')::int AS notnull, column_default::text AS dflt_value, (column_name IN
 (SELECT a.attname FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum =
 ANY(x.indkey) WHERE x.indisprimary AND x.indrelid = to_regclass({0})))::int AS pk FROM
 information_schema.columns WHERE table_schema = current_schema() AND table_name = {1} ORDER BY 1"""


class NotTranslated(Exception):
    """The statement holds something that PostgreSQL says in no way known here."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else ""

    @property
    def value(self) -> str:
        """A name without its quotes."""
        return self.text[1:-1].replace('""', '"') if self.kind == "name" else self.text


class Group(list["Item"]):
    """What stands between two parentheses."""

    upper = text = value = ""
    kind = "group"
    start = end = 0


Item = Token | Group


@dataclass
class Table:
    """A table of the database: its columns, the one that numbers itself, and its unique keys."""

    name: str
    columns: list[str] = field(default_factory=list)
    identity: str | None = None
    keys: list[list[str]] = field(default_factory=list)


@dataclass
class Catalog:
    """The tables of the database, by their names in lower case."""

    tables: dict[str, Table] = field(default_factory=dict)

    def names(self, used: list[str]) -> dict[str, str]:
        """How tables, and the columns of those `used`, are spelled; the first one counts."""
        found = {key: table.name for key, table in self.tables.items()}
        for name in used:
            for column in self.tables[name].columns if name in self.tables else ():
                found.setdefault(column.lower(), column)
        return found


@dataclass
class Statement:
    """A translated statement: `%s` for every value, whose keys are in `order` (numbers or names)."""

    verb: str
    sql: str
    order: list[int | str]
    returns_id: str | None = None
    table: str | None = None
    sets_id: bool = False


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text_of(token: Item) -> str:
    """What a string says."""
    return token.text[1:-1].replace("''", "'")


def tokens(sql: str) -> list[Token]:
    found = [
        Token(str(m.lastgroup), m.group(), m.start(), m.end())
        for m in TOKEN.finditer(sql)
    ]
    return [t for t in found if t.kind != "space"]


def split(script: str) -> list[str]:
    """The statements of a script."""
    found, start, trigger, words = [], 0, False, list[str]()
    for token in tokens(script):
        words = [*words, token.upper or token.text][-3:]
        trigger = trigger or (token.upper == "TRIGGER" and "CREATE" in words)
        if token.text == ";" and (not trigger or words[-2:-1] == ["END"]):
            found.append(script[start : token.start].strip())
            start, trigger = token.end, False
    return [s for s in [*found, script[start:].strip()] if tokens(s)]


def tree(found: list[Token]) -> Group:
    """The tokens, with what stands in parentheses as groups."""
    stack = [Group()]
    for token in found:
        if token.text == "(":
            group = Group()
            group.start = token.start
            stack[-1].append(group)
            stack.append(group)
        elif token.text == ")" and len(stack) > 1:
            stack[-1].end = token.end
            stack.pop()
        elif token.text != ";":
            stack[-1].append(token)
    return stack[0]


def parts(items: list[Item]) -> list[list[Item]]:
    """The items between commas."""
    found: list[list[Item]] = [[]]
    for item in items:
        if item.text == ",":
            found.append([])
        else:
            found[-1].append(item)
    return found if found != [[]] else []


def place(items: list[Item], *words: str, start: int = 0) -> int:
    """Where `words` stand one after the other, or -1."""
    for i in range(start, len(items) - len(words) + 1):
        if all(items[i + n].upper == word for n, word in enumerate(words)):
            return i
    return -1
