"""What a SQLite schema is made of, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Generated = Literal["", "virtual", "stored"]
Deferrable = Literal["", "immediate", "deferred"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as declared. `type` and `default` are the declaration's text; `pk` is 1-based, 0 outside."""

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    generated: Generated = ""
    pk: int = 0


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` refer to `target_columns` of `target`. Names are those of the tables where they exist."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferrable: Deferrable = ""


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` holds None for an expression. `origin`: c by CREATE INDEX, u by UNIQUE, pk by PRIMARY KEY.

    `sql` is None for the indexes SQLite made itself. `descending` and `collations` run along `columns`.
    """

    name: str
    unique: bool
    partial: bool
    sql: str | None
    columns: tuple[str | None, ...]
    origin: str
    descending: tuple[bool, ...] = ()
    collations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """An ordinary table. `rowid_alias` is the INTEGER PRIMARY KEY column, or None."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    has_rowid: bool
    rowid_alias: str | None
    strict: bool
    autoincrement: bool
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]
    sql: str

    def column(self, name: str) -> Column:
        """The column called exactly `name`. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Named:
    """A view, trigger or virtual table: its name and its SQL. `table` is a trigger's."""

    name: str
    sql: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything in `sqlite_master` but SQLite's own tables, in its order."""

    tables: tuple[Table, ...]
    views: tuple[Named, ...]
    triggers: tuple[Named, ...]
    virtual_tables: tuple[Named, ...]
    shadow_tables: tuple[str, ...]

    def table(self, name: str) -> Table:
        """The table called exactly `name`. Raises KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def quote(name: str) -> str:
    """`name` as a SQLite identifier."""
    return '"' + name.replace('"', '""') + '"'
