"""Rows whose parent is missing, and what a decision makes of them: SQL conditions for reading the source.

A parent counts as present only where it is carried itself. Values are compared byte by byte, as
PostgreSQL will compare them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wizard.databases.postgres.catalog import ForeignKey
from wizard.databases.sqlite.schema import quote

Decisions = Mapping[str, Mapping[str, str]]


class Orphans:
    """The foreign keys of a migration with the decisions about them ({subject: {code: choice}})."""

    def __init__(self, keys: Iterable[ForeignKey], decisions: Decisions) -> None:
        self._keys: dict[str, list[ForeignKey]] = {}
        for key in dict.fromkeys(keys):
            self._keys.setdefault(key.table, []).append(key)
        self._decisions = decisions

    def keys(self, table: str) -> list[ForeignKey]:
        return self._keys.get(table, [])

    def choice(self, key: ForeignKey) -> str | None:
        """`null`, `leave_out`, or None where nothing is decided."""
        subjects = (
            f"{key.table}.{','.join(key.columns)}",
            *(f"{key.table}.{c}" for c in key.columns),
            key.table,
        )
        for subject in subjects:
            chosen = self._decisions.get(subject, {}).get("orphans")
            if chosen is not None:
                return chosen
        return None

    def orphaned(self, key: ForeignKey, alias: str, seen: tuple[str, ...] = ()) -> str:
        """The condition that a row (`alias`) of the key's table has a reference to nothing carried."""
        parent = f"{alias}_p"
        filled = " AND ".join(f"{alias}.{quote(c)} IS NOT NULL" for c in key.columns)
        same = " AND ".join(
            f"{parent}.{quote(p)} = {alias}.{quote(c)} COLLATE BINARY"
            for c, p in zip(key.columns, key.parent_columns, strict=True)
        )
        kept = "" if key.parent in seen else self.kept(key.parent, parent, (*seen, key.table))
        return (
            f"({filled} AND NOT EXISTS (SELECT 1 FROM {quote(key.parent)} AS {parent} WHERE {same}"
            f"{' AND ' + kept if kept else ''}))"
        )

    def kept(self, table: str, alias: str, seen: tuple[str, ...] = ()) -> str:
        """The condition that a row of `table` is carried; empty where every row is."""
        seen = (*seen, table)
        return " AND ".join(
            f"NOT {self.orphaned(key, alias, seen)}"
            for key in self.keys(table)
            if self.choice(key) == "leave_out"
        )

    def expression(self, table: str, column: str, alias: str) -> str:
        """What is read for a column: itself, or NULL where a reference to nothing was decided so."""
        plain = f"{alias}.{quote(column)}"
        broken = [
            self.orphaned(key, alias)
            for key in self.keys(table)
            if column in key.columns and self.choice(key) == "null"
        ]
        return f"CASE WHEN {' OR '.join(broken)} THEN NULL ELSE {plain} END" if broken else plain
