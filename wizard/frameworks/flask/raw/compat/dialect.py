"""SQLite's SQL said in PostgreSQL's."""

from __future__ import annotations

import re
from itertools import pairwise

from .functions import CLOCK, DAY, STAMP, UTC, Functions
from .tokens import (
    Catalog,
    Group,
    Item,
    NotTranslated,
    Table,
    Token,
    parts,
    place,
    quote,
    text_of,
    tokens,
    tree,
)

KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """SELECT FROM WHERE AND OR NOT IN IS NULL AS ON USING JOIN LEFT RIGHT
        FULL INNER OUTER CROSS NATURAL GROUP ORDER BY HAVING LIMIT OFFSET
        UNION ALL EXCEPT INTERSECT DISTINCT CASE WHEN THEN ELSE END LIKE
        BETWEEN EXISTS INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE INDEX
        UNIQUE DROP ALTER DEFAULT ASC DESC COLLATE ESCAPE WITH RECURSIVE
        RETURNING CONFLICT DO NOTHING NULLS PRIMARY REFERENCES CHECK FOREIGN
        CONSTRAINT IF VIEW OVER PARTITION FILTER ADD COLUMN RENAME TO ISNULL
        NOTNULL CASCADE TRUE FALSE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME""",
    )
)
CONDITION = ("WHERE", "AND", "OR", "NOT", "ON", "HAVING", "WHEN")
NAMED = ("FROM", "JOIN", "INTO", "UPDATE", "TABLE", "EXISTS", "REFERENCES")
AFTER = (
    "AND",
    "OR",
    "THEN",
    "ORDER",
    "GROUP",
    "LIMIT",
    "HAVING",
    "UNION",
    "JOIN",
    "LEFT",
)
NOW = {"CURRENT_TIMESTAMP": STAMP, "CURRENT_DATE": DAY, "CURRENT_TIME": CLOCK}
MASTER = """(SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'index' END AS type,
 c.relname::text AS name, c.relname::text AS tbl_name, ''::text AS sql FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v', 'i')) AS"""


class Translation(Functions):
    """One statement on its way. `nulls` are the places of the values that are None."""

    def __init__(self, sql: str, catalog: Catalog, nulls: frozenset[int | str]) -> None:
        self.sql, self.catalog, self.nulls = sql, catalog, nulls
        self.items = tree(tokens(sql))
        self.order: list[int | str] = []
        self.unnamed = 0
        flat = tokens(sql)
        named = [t.value.lower() for t in [*self.items, *flat]]
        self.names = catalog.names(named)
        self.aliases: dict[str, str] = {}
        self.called: dict[str, str] = {}
        for n, token in enumerate(flat):
            if token.value.lower() in catalog.tables:
                behind = [f for f in flat[n + 1 : n + 3] if f.upper != "AS"][:1]
                if (
                    behind
                    and behind[0].kind in ("word", "name")
                    and behind[0].upper not in KEYWORDS
                ):
                    self.called[behind[0].value.lower()] = token.value
        for before, token in pairwise(flat):
            if before.upper == "AS" and token.kind in ("word", "name", "string"):
                name = text_of(token) if token.kind == "string" else token.value
                self.aliases[name.lower()] = name
        self.first_table = next(
            (
                t.value
                for b, t in pairwise(flat)
                if b.upper in ("FROM", "INTO", "UPDATE") and t.text != "("
            ),
            "",
        )

    def name(self, token: Item) -> str:
        """A name as the database spells it."""
        value = token.value
        return quote(
            self.names.get(value.lower()) or self.aliases.get(value.lower()) or value
        )

    def table(self, token: Item) -> Table:
        return self.catalog.tables.get(token.value.lower()) or Table(token.value)

    def spelled(self, table: Table) -> dict[str, str]:
        return {column.lower(): column for column in table.columns}

    def literal(self, item: Token) -> str:
        if item.kind == "place":
            key: int | str = item.text[1:]
            if item.text == "?":
                key, self.unnamed = self.unnamed, self.unnamed + 1
            elif item.text[0] == "?":
                key = int(item.text[1:]) - 1
            self.order.append(key)
            return "%s"
        if item.kind == "blob":
            return f"'\\x{item.text[2:-1]}'::bytea"
        text = "E" + item.text.replace("\\", "\\\\") if "\\" in item.text else item.text
        return text.replace("%", "%%")

    def walk(self, items: list[Item]) -> str:
        """An expression, a clause or a whole SELECT."""
        out: list[str] = []
        cases: list[bool] = []
        between = False
        i = 0
        while i < len(items):
            item, before = items[i], items[i - 1] if i else None
            after = items[i + 1] if i + 1 < len(items) else None
            word = item.upper
            i += 1
            if isinstance(item, Group):
                names = self.names
                if i > 2 and items[i - 3].upper == "REFERENCES":
                    self.names = {**names, **self.spelled(self.table(items[i - 2]))}
                elif item and item[0].upper in ("SELECT", "WITH"):
                    inner = self.catalog.names([t.value.lower() for t in item])
                    self.names = {**names, **inner}
                out.append(f"({self.walk(item)})")
                self.names = names
            elif word == "ORDER" and after is not None and after.upper == "BY":
                stop = next(
                    (
                        n
                        for n in range(i, len(items))
                        if items[n].upper in ("LIMIT", "OFFSET", "ROWS", "RANGE")
                    ),
                    len(items),
                )
                out.append(
                    "ORDER BY "
                    + ", ".join(self.sorted_by(p) for p in parts(items[i + 1 : stop]))
                )
                i = stop
            elif word == "LIMIT":
                given = parts(items[i:])
                if len(given) == 2:
                    mark = len(self.order)
                    offset = self.walk(given[0])
                    middle = len(self.order)
                    out.append(f"LIMIT {self.walk(given[1])} OFFSET {offset}")
                    self.order[mark:] = self.order[middle:] + self.order[mark:middle]
                    i = len(items)
                elif after is not None and after.text == "-":
                    out.append("LIMIT ALL")
                    i += 2
                else:
                    out.append("LIMIT")
            elif (
                word in ("LIKE", "GLOB", "MATCH", "REGEXP")
                and out
                and before is not None
            ):
                if word != "LIKE":
                    raise NotTranslated(word)
                negated = before.upper == "NOT"
                if len(items) > i and i - 2 - negated >= 0:
                    operand = items[i - 2 - negated]
                    if operand.kind in ("word", "name"):
                        out[-1 - negated] += "::text"
                out.append("ILIKE")
                last = i + 1 >= len(items) or items[i + 1].text != "||"
                if last and after is not None and after.kind in ("place", "string"):
                    out.append(self.value(items, i))
                    i += 1
                    if i >= len(items) or items[i].upper != "ESCAPE":
                        out.append("ESCAPE ''")
            elif word == "IS" and after is not None:
                negated = after.upper == "NOT"
                operand = items[i + 1] if negated and i + 1 < len(items) else after
                if operand.upper in ("NULL", "DISTINCT"):
                    out.append("IS")
                else:
                    out.append(
                        "IS NOT DISTINCT FROM" if not negated else "IS DISTINCT FROM"
                    )
                    i += negated
            elif word in ("BETWEEN", "CASE", "END"):
                between = between or word == "BETWEEN"
                if word == "CASE":
                    cases.append(after is not None and after.upper == "WHEN")
                elif word == "END" and cases:
                    cases.pop()
                out.append(word)
            elif word in CONDITION:
                out.append(word)
                logical = not (word == "AND" and between) and (
                    word != "WHEN" or not cases or cases[-1]
                )
                between = between and word != "AND"
                length = (
                    self.bare(items, i)
                    if logical and not (word == "ON" and "CONFLICT" in self.sql.upper())
                    else 0
                )
                if length:
                    out.append(f"({self.walk(items[i : i + length])} <> 0)")
                    i += length
            elif item.text == "==":
                out.append("=")
            elif word == "COLLATE" and after is not None:
                if after.value.upper() not in ("BINARY", "NOCASE"):
                    raise NotTranslated(f"COLLATE {after.value}")
                if after.value.upper() == "NOCASE":
                    self.fold(out)
                i += 1
            elif word == "INDEXED":
                i += 2
            elif (
                isinstance(after, Group)
                and item.kind == "word"
                and word not in KEYWORDS
                and self.calls(before, item)
            ):
                i += 1
                text, cast = self.call(word, item, after)
                while i + 1 < len(items) and items[i].upper in ("FILTER", "OVER"):
                    text += f" {items[i].upper} ({self.walk([items[i + 1]])[1:-1]})"
                    i += 2
                out.append(text + cast)
            else:
                out.append(self.value(items, i - 1))
        return " ".join(out)

    def calls(self, before: Item | None, item: Item) -> bool:
        """Whether a word in front of a parenthesis is a function's name."""
        return before is None or before.upper not in (
            "INTO",
            "TABLE",
            "REFERENCES",
            "UPDATE",
            "EXISTS",
            "WITH",
            "RECURSIVE",
            "ON",
        )

    def fold(self, out: list[str]) -> None:
        """What was just written, compared without regard to case."""
        if len(out) > 2 and out[-2] in ("=", "<>", "!="):
            out[-3] = f"lower({out[-3]})"
            if len(out) > 4 and out[-4] == ".":
                out[-5:-2] = [f"lower({out[-5]}.{out[-3][6:-1]})"]
        if len(out) > 2 and out[-2] == ".":
            out[-3:] = [f"{out[-3]}.{out[-1]}"]
        out[-1] = f"lower({out[-1]})"

    def bare(self, items: list[Item], i: int) -> int:
        """How many items from `i` on stand for a condition all by themselves."""
        if (
            i >= len(items)
            or items[i].kind not in ("word", "name", "number", "place")
            or items[i].upper in KEYWORDS
        ):
            return 1 if i < len(items) and items[i].upper in ("TRUE", "FALSE") else 0
        length = 3 if i + 2 < len(items) and items[i + 1].text == "." else 1
        return (
            length
            if i + length >= len(items) or items[i + length].upper in AFTER
            else 0
        )

    def value(self, items: list[Item], i: int) -> str:
        """A single token: a name, a string, a value."""
        item = items[i]
        before = items[i - 1] if i else None
        word = item.upper
        previous = before.upper if before is not None else ""
        dotted = before is not None and before.text == "."
        if isinstance(item, Group):
            return self.walk([item])
        if (
            previous == "AS"
            and item.kind in ("word", "name", "string")
            and word != "NOT"
        ):
            return (
                quote(text_of(item) if item.kind == "string" else item.value)
                if word not in KEYWORDS
                else word
            )
        if item.kind in ("string", "place", "blob", "number"):
            return self.literal(item)
        if word in NOW and not dotted:
            return f"to_char({UTC}, '{NOW[word]}')"
        if word in ("TRUE", "FALSE"):
            return "1" if word == "TRUE" else "0"
        if (
            item.value.lower() in ("rowid", "_rowid_", "oid")
            and item.value.lower() not in self.names
        ):
            found = self.table_of(items, i).identity
            if found is None:
                raise NotTranslated("rowid of a table without a number of its own")
            return quote(found)
        if item.value.lower() in ("sqlite_master", "sqlite_schema"):
            return (
                f"{MASTER} sqlite_master"
                if previous in ("FROM", "JOIN")
                else "sqlite_master"
            )
        if item.value.lower() == "sqlite_sequence":
            raise NotTranslated("sqlite_sequence")
        lower = item.value.lower()
        if dotted and item.kind in ("word", "name"):
            return quote(
                self.spelled(self.table_of(items, i)).get(lower)
                or self.names.get(lower, item.value)
            )
        if item.kind == "name":
            named = (
                dotted
                or (i + 1 < len(items) and items[i + 1].text == ".")
                or item.text[0] != '"'
            )
            if named or lower in self.names or lower in self.aliases or not self.names:
                return self.name(item)
            if previous in NAMED:
                return self.name(item)
            return "'" + item.value.replace("'", "''").replace("%", "%%") + "'"
        if item.kind == "word" and word not in KEYWORDS and previous in NAMED:
            return self.name(item)
        dots = i + 1 < len(items) and items[i + 1].text == "."
        if item.kind == "word" and dots:
            known = lower in self.names or lower in self.aliases
            return self.name(item) if known else quote(lower)
        if (
            item.kind == "word"
            and word not in KEYWORDS
            and previous not in ("NULLS", "PRIMARY", "FOREIGN")
            and (lower in self.names or lower in self.aliases)
        ):
            return self.name(item)
        return item.text.replace("%", "%%")

    def table_of(self, items: list[Item], i: int) -> Table:
        """The table whose column stands at `i`."""
        name = self.first_table
        if i > 1 and items[i - 1].text == ".":
            name = items[i - 2].value
            name = self.called.get(name.lower(), name)
        return self.catalog.tables.get(name.lower()) or Table(name)

    def sorted_by(self, items: list[Item]) -> str:
        """A term of ORDER BY: NULL comes first, as in SQLite."""
        if place(items, "NULLS") >= 0:
            return self.walk(items)
        down = items[-1].upper == "DESC"
        if items[-1].upper in ("ASC", "DESC"):
            items = items[:-1]
        return self.walk(items) + (" DESC NULLS LAST" if down else " NULLS FIRST")
