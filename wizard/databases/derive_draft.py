"""One table while its schema is derived: chosen types, what its text is compared by, what stays behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from wizard.databases import derive_sql as sql
from wizard.databases import derive_types as types
from wizard.databases.derive_expressions import OTHERWISE
from wizard.databases.sqlite import clauses
from wizard.databases.sqlite.schema import Schema, Table, quote
from wizard.errors import UsageError

Decisions = Mapping[str, Mapping[str, str]]
NAME_BYTES = 63  # NAMEDATALEN - 1
_INDEX_BYTES = 2600  # a B-tree entry holds at most 2704
_SYSTEM_COLUMNS = frozenset(("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"))


@dataclass(frozen=True, slots=True)
class Left:
    """An object of the source that the derived schema does not have: its kind, its name, and why."""

    what: str
    name: str
    why: str


@dataclass
class Draft:
    """`typed` has the type of each column; `folded` are the text columns with a collation that is not
    BINARY, with its name; `folds` tells how NOCASE is kept (the decisions). `unique` are the column sets
    that the target holds unique. `plain`: text is compared byte by byte, as in SQLite."""

    connection: sqlite3.Connection
    table: Table
    typed: dict[str, types.Typed]
    folded: Mapping[str, str]
    folds: Mapping[str, str]
    unique: set[tuple[str, ...]] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    plain: bool = False

    def type(self, column: str) -> str:
        if self.folds.get(column) == "citext":
            return types.CITEXT
        return self.typed[column].type

    def leave(self, what: str, name: str, why: str) -> None:
        """Note that the schema will not have this; `why` is a whole sentence that names it."""
        self.left.append(Left(what, name, why))
        self.notes.append(why)

    def too_long(self, columns: Sequence[str]) -> bool:
        return sum(self.typed[c].stats.longest for c in columns) > _INDEX_BYTES

    def meets(self, columns: Sequence[str]) -> bool:
        """Whether values of several classes may become the same in `columns`, which shall be unique."""
        if not any(self.typed[c].mixed for c in columns):
            return False
        listed = ", ".join(f"CAST({quote(c)} AS TEXT)" for c in columns)
        filled = " AND ".join(f"{quote(c)} IS NOT NULL" for c in columns)
        twice = f"SELECT 1 FROM {quote(self.table.name)} WHERE {filled} GROUP BY {listed} HAVING count(*) > 1"
        return self.connection.execute(f"{twice} LIMIT 1").fetchone() is not None

    def expression_types(self) -> dict[str, str]:
        """The column types that an expression may count on."""
        found = {}
        for column, typed in self.typed.items():
            differs = typed.mixed or (column in self.folded and self.type(column) != types.CITEXT)
            found[column] = OTHERWISE if differs else self.type(column)
        return found

    def term(self, column: str, collation: str) -> str:
        """How an index holds `column` that the source's index compares by `collation`."""
        name = sql.identifier(column)
        choice = self.folds.get(column)
        text = self.typed[column].type == types.TEXT
        if text and collation == "NOCASE" and (choice == "lower_index" or column not in self.folded):
            return f'lower({name} COLLATE "C")'
        return f"({name}::text)" if choice == "citext" and collation == "BINARY" else name


def check_names(table: Table) -> None:
    """Raises UsageError `name-not-possible` where PostgreSQL cannot hold a name."""
    for name in (table.name, *(c.name for c in table.columns)):
        if len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES or name in _SYSTEM_COLUMNS:
            raise UsageError(
                "name-not-possible",
                f"PostgreSQL cannot have the name {name} (table {table.name}); nothing was written.",
                "Rename it at the source; names have at most 63 bytes and are none of PostgreSQL's own.",
            )


def open_draft(
    connection: sqlite3.Connection, table: Table, decisions: Decisions, manners: types.Manners | None = None
) -> Draft:
    """Survey `table` and choose its types. Raises UsageError `name-not-possible`."""
    check_names(table)
    stats = types.survey(connection, table)
    typed = {}
    for column in table.columns:
        chosen = decisions.get(f"{table.name}.{column.name}", {}).get("mixed_types")
        typed[column.name] = types.choose(connection, table, column, stats[column.name], chosen, manners)
    folded = {c: n for c, n in clauses.collations(table).items() if typed[c].type == types.TEXT}
    folds = {
        c: decisions.get(f"{table.name}.{c}", {}).get("nocase", "binary")
        for c, name in folded.items()
        if name == "NOCASE"
    }
    draft = Draft(connection, table, typed, folded, folds, plain=manners is not None)
    draft.notes += [t.note for t in typed.values() if t.note]
    return draft


def open_drafts(
    connection: sqlite3.Connection,
    schema: Schema,
    decisions: Decisions,
    skip: Collection[str],
    manners: types.Manners | None = None,
) -> dict[str, Draft]:
    """A draft of every table but those in `skip`, in the schema's order."""
    return {
        t.name: open_draft(connection, t, decisions, manners) for t in schema.tables if t.name not in skip
    }
