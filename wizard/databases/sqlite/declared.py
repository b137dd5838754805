"""What a column's declaration in SQLite promises of its values.

SQLite enforces none of it (https://www.sqlite.org/datatype3.html, "Determination Of Column Affinity");
frameworks mean it: Django declares "bool", "datetime", "decimal", "bigint", "char(32)", "varchar(n)".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from wizard.databases.sqlite import sqltext
from wizard.databases.sqlite.schema import Column, Table

Kind = Literal[
    "boolean", "integer", "real", "decimal", "datetime", "date", "time", "uuid", "json", "blob", "text", "any"
]  # fmt: skip
_SIZES = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_UUID_LENGTHS = (32, 36)


@dataclass(frozen=True, slots=True)
class Declared:
    """The kind of values meant; `precision` and `scale` of a decimal; `length` (characters) of a text."""

    kind: Kind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


def declared(table: Table, column: Column) -> Declared:
    """What `column` is declared to hold; a CHECK (json_valid(column)) makes a text column JSON."""
    found = _by_type(column.type)
    if found.kind in ("text", "any") and column.name in json_checked(table):
        return Declared("json")
    return found


def _by_type(declaration: str) -> Declared:
    upper = declaration.upper()
    sizes = _SIZES.search(upper)
    first = int(sizes.group(1)) if sizes else None
    second = int(sizes.group(2)) if sizes and sizes.group(2) else None
    word = _SIZES.sub("", upper).strip()
    if not word:
        return Declared("any")
    if word.startswith("BOOL"):
        return Declared("boolean")
    if word.startswith(("TIMESTAMP", "DATETIME")):
        return Declared("datetime")
    if word == "DATE":
        return Declared("date")
    if word.startswith("TIME"):
        return Declared("time")
    if word in ("UUID", "GUID", "UNIQUEIDENTIFIER"):
        return Declared("uuid")
    if word in ("JSON", "JSONB"):
        return Declared("json")
    # From here on in the order of SQLite's own rules.
    if "INT" in word:
        return Declared("integer")
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        limited = "CHAR" in word and first not in _UUID_LENGTHS
        return Declared("text", length=first if limited else None)
    if any(part in word for part in ("BLOB", "BYTEA", "BINARY")):
        return Declared("blob")
    if any(part in word for part in ("REAL", "FLOA", "DOUB")):
        return Declared("real")
    if word.startswith(("DEC", "NUMERIC")):
        return Declared("decimal", precision=first, scale=second)
    return Declared("any")


def json_checked(table: Table) -> frozenset[str]:
    """The columns whose CHECK calls json_valid on them, in the table's spelling."""
    found = sqltext.body(table.sql)
    names = {
        found[i + 2].value.lower()
        for i, token in enumerate(found[:-2])
        if token.is_word("JSON_VALID")
        and found[i + 1].text == "("
        and found[i + 2].kind in ("word", "quoted")
    }
    return frozenset(c.name for c in table.columns if c.name.lower() in names)
