"""The SQL of a project that the generated package cannot carry, by file and line."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import tree_sitter

from wizard.databases.sqlite.schema import open_readonly, read_schema
from wizard.errors import UsageError
from wizard.frameworks.flask.raw.compat.statements import translate
from wizard.frameworks.flask.raw.compat.tokens import (
    Catalog,
    Group,
    Item,
    NotTranslated,
    Table,
    parts,
    place,
    split,
    tree,
)
from wizard.frameworks.flask.raw.compat.tokens import tokens as sql_tokens
from wizard.model import Instruction
from wizard.patchers.base import line_of
from wizard.patchers.python_source import PythonSource, walk

_SQL = re.compile(
    r"\s*(?:SELECT\s|INSERT\s+(?:INTO|OR)\s|REPLACE\s+INTO|UPDATE\s+\S+\s+SET|UPDATE\s+OR\s|DELETE\s+FROM|CREATE\s+"
    r"(?:TABLE|VIRTUAL|TRIGGER|INDEX|UNIQUE|VIEW|TEMP)|DROP\s+TABLE|ALTER\s+TABLE|PRAGMA\s|WITH\s+\w+|ATTACH\s)",
    re.IGNORECASE,
)
_CREATED = re.compile(r"CREATE\s+TABLE", re.IGNORECASE)


def catalog_of(database: Path | None, scripts: list[str]) -> Catalog:
    """The tables of the database and of the scripts that make them, as the package will see them."""
    found = Catalog()
    with closing(sqlite3.connect(":memory:")) as scratch:
        for script in scripts:
            for statement in split(script):
                if _CREATED.match(statement):
                    try:
                        scratch.execute(statement)
                    except sqlite3.Error:
                        continue
        _take(found, scratch)
    if database is not None and database.is_file():
        try:
            with closing(open_readonly(database)) as connection:
                _take(found, connection)
        except (UsageError, sqlite3.Error):
            return found
    return found


def _take(catalog: Catalog, connection: sqlite3.Connection) -> None:
    for table in read_schema(connection).tables:
        keys = [list(table.primary_key)] if table.primary_key else []
        keys += [[c for c in i.columns if c] for i in table.indexes if i.unique and not i.partial]
        columns = [c.name for c in table.columns]
        catalog.tables[table.name.lower()] = Table(table.name, columns, table.rowid_alias, keys)


def statements(source: PythonSource) -> Iterator[tuple[int, str]]:
    """(line, text) of every string that holds SQL; what an f-string puts in is taken for a name."""
    for node in walk(source.root):
        if node.type == "string" and (node.parent is None or node.parent.type != "concatenated_string"):
            yield from _one(source, node, [node])
        elif node.type == "concatenated_string":
            yield from _one(source, node, [c for c in node.children if c.type == "string"])


def _one(
    source: PythonSource, node: tree_sitter.Node, strings: list[tree_sitter.Node]
) -> Iterator[tuple[int, str]]:
    text = ""
    for string in strings:
        for inner in string.children:
            if inner.type == "string_content":
                text += source.text(inner)
            elif inner.type == "interpolation":
                text += "interpolated"
    if _SQL.match(text):
        yield (
            line_of(source.data, node.start_byte),
            text.replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'"),
        )


def script(data: bytes) -> list[tuple[int, str]]:
    """(line, text) of every statement of a file of SQL; empty for one that is not text."""
    text = data.decode("utf-8", "replace")
    found, place = [], 0
    for statement in split(text):
        place = max(text.find(statement, place), place)
        found.append((text.count("\n", 0, place) + 1, statement))
    return found


def listed(path: str, found: list[tuple[int, str]], catalog: Catalog) -> list[Instruction]:
    """What a person must see to among `found` ((line, SQL) of the file `path`)."""
    result = []
    for line, text in found:
        for statement in split(text):
            why = reason(statement, catalog)
            if why:
                result.append(Instruction(path, line, why, statement + "\n"))
    return result


def reason(statement: str, catalog: Catalog) -> str:
    """Why `statement` will not do the same on PostgreSQL, or ""."""
    try:
        translate(statement, catalog)
    except NotTranslated as error:
        return f"PostgreSQL has no {error}, or not in a form that is known here."
    except (IndexError, StopIteration, ValueError):
        return "This SQL is not understood; try it on PostgreSQL."
    items = tree(sql_tokens(statement))
    if items and items[0].upper == "CREATE" and re.search(r"\bCOLLATE\s+NOCASE\b", statement, re.IGNORECASE):
        return "PostgreSQL compares this column by case; compare lower(column) with lower(value)."
    bare = _ungrouped(items, catalog)
    if bare:
        return f"{bare} comes from any row of the group in SQLite; PostgreSQL wants it grouped, or in MAX()."
    return ""


def _ungrouped(items: Group, catalog: Catalog) -> str:
    """The first column that is selected, but neither grouped by nor aggregated; "" where none."""
    at = place(items, "GROUP", "BY")
    start = place(items, "FROM")
    if at < 0 or start < 0 or items[0].upper != "SELECT" or place(items, "UNION") >= 0:
        return ""
    ends = [n for n in range(at, len(items)) if items[n].upper in ("HAVING", "ORDER", "LIMIT", "WINDOW")]
    grouped = {_last(p) for p in parts(items[at + 2 : ends[0] if ends else len(items)])}
    keys = {t.identity.lower() for t in catalog.tables.values() if t.identity} | {"id"}
    if grouped & keys or any(name.isdigit() for name in grouped):
        return ""
    for part in parts(items[1:start]):
        as_ = place(part, "AS")
        alias = _last(part[as_ + 1 :]) if as_ >= 0 else ""
        value = part[:as_] if as_ >= 0 else part
        plain = all(not isinstance(t, Group) and (t.kind in ("word", "name") or t.text == ".") for t in value)
        star = value[-1].text == "*" if value else False
        if (plain or star) and _last(value) not in grouped and alias not in grouped:
            return "".join(t.text for t in value)
    return ""


def _last(items: list[Item]) -> str:
    return items[-1].value.lower() if items else ""
