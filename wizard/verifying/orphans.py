"""Which rows the answers leave out or change because their parent is missing, worked out on the snapshot.

Leaving a row out can orphan its own children; where those are to be left out too, the work is repeated
until nothing more falls away. Temporary tables hold the rows left out, so memory stays bounded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from wizard.verifying.source_reader import ForeignKey, Orphans, SourceTable, quoted

Decisions = Mapping[str, Mapping[str, str]]


def _identity(table: SourceTable, alias: str) -> str:
    """An expression that names a row: its rowid, or its key written out."""
    if table.has_rowid:
        return f"{alias}.rowid"
    return " || ',' || ".join(f"quote({alias}.{quoted(c)})" for c in table.key)


def _choice(table: SourceTable, key: ForeignKey, decisions: Decisions) -> str | None:
    subjects = (",".join(key.columns), *key.columns)
    for subject in (*(f"{table.name}.{s}" for s in subjects), table.name):
        choice = decisions.get(subject, {}).get("orphans")
        if choice is not None:
            return choice
    return None


class OrphanRules:
    """The answers' `orphans` decisions for one snapshot. `extra_keys` are the target's foreign keys."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: Sequence[SourceTable],
        decisions: Decisions,
        extra_keys: Mapping[str, tuple[ForeignKey, ...]],
    ) -> None:
        self._tables = {t.name: t for t in tables}
        self._left: dict[str, str] = {}
        self._rules: list[tuple[SourceTable, ForeignKey, str]] = []
        for table in tables:
            for key in dict.fromkeys((*table.foreign_keys, *extra_keys.get(table.name, ()))):
                choice = _choice(table, key, decisions)
                usable = key.parent in self._tables and set(key.columns) <= set(table.columns)
                if choice is not None and usable and set(key.refers) <= set(self._tables[key.parent].columns):
                    self._rules.append((table, key, choice))
        self._leave_out(connection)

    def _leave_out(self, connection: sqlite3.Connection) -> None:
        rules = [(t, k) for t, k, choice in self._rules if choice == "leave_out"]
        for table, _ in rules:
            if table.name not in self._left:
                name = f"left_out_{len(self._left)}"
                connection.execute(f"CREATE TEMP TABLE {name} (row PRIMARY KEY) WITHOUT ROWID")
                self._left[table.name] = name
        while True:
            before = connection.total_changes
            for table, key in rules:
                connection.execute(
                    f"INSERT OR IGNORE INTO temp.{self._left[table.name]} SELECT {_identity(table, 'c')} "
                    f"FROM {quoted(table.name)} AS c WHERE {self._orphaned(key)}"
                )
            if connection.total_changes == before:
                return

    def _orphaned(self, key: ForeignKey) -> str:
        parent = self._tables[key.parent]
        match = " AND ".join(
            f"p.{quoted(r)} = c.{quoted(c)} COLLATE BINARY"
            for c, r in zip(key.columns, key.refers, strict=True)
        )
        there = f"SELECT 1 FROM {quoted(key.parent)} AS p WHERE {match}"
        if key.parent in self._left:
            there += f" AND {_identity(parent, 'p')} NOT IN (SELECT row FROM temp.{self._left[key.parent]})"
        filled = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c in key.columns)
        return f"({filled} AND NOT EXISTS ({there}))"

    def of(self, table: SourceTable) -> Orphans:
        """What to do with the rows of one table."""
        where = ""
        if table.name in self._left:
            where = f"{_identity(table, 'c')} NOT IN (SELECT row FROM temp.{self._left[table.name]})"
        nulled: dict[str, str] = {}
        for child, key, choice in self._rules:
            if child.name == table.name and choice == "null":
                for column in key.columns:
                    earlier = nulled.get(column)
                    nulled[column] = (
                        f"({earlier} OR {self._orphaned(key)})" if earlier else self._orphaned(key)
                    )
        return Orphans(where, nulled)
