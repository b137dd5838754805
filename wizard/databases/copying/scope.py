"""Which tables and columns are copied: those of the source, met by the target's of the same name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wizard.databases.postgres import catalog
from wizard.databases.sqlite.schema import Schema, Table
from wizard.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pair:
    """A table on both sides. `columns` are the target's, in the source's order, generated ones left out."""

    source: Table
    target: catalog.Table
    columns: tuple[catalog.Column, ...]

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def range_delete(self) -> bool:
        """The rows of a chunk can be named in the target: the key is an integer column there too."""
        alias = self.source.rowid_alias
        column = None if alias is None else next((c for c in self.columns if c.name == alias), None)
        return column is not None and column.kind in ("int2", "int4", "int8")


def pairs(
    schema: Schema,
    targets: Mapping[str, catalog.Table],
    skip: Collection[str],
    decisions: Mapping[str, Mapping[str, str]],
) -> tuple[Pair, ...]:
    """The tables to copy, in the source's order; `skip` are bookkeeping tables.

    A source table that the target lacks is left behind only where `decisions` say
    {table: {missing_table: leave}}, one whose columns are others there with {table: {other_columns: leave}}.
    Raises UsageError `schema-mismatch` naming all tables and columns.
    """
    found: list[Pair] = []
    wrong: list[str] = []
    for table in schema.tables:
        if table.name in skip or decisions.get(table.name, {}).get("other_columns") == "leave":
            continue
        target = targets.get(table.name)
        if target is None:
            if decisions.get(table.name, {}).get("missing_table") != "leave":
                wrong.append(f"table {table.name} is missing")
            continue
        columns = []
        for column in table.columns:
            there = target.column(column.name)
            if there is None and not column.generated:
                wrong.append(f"column {table.name}.{column.name} is missing")
            elif there is not None and not there.generated:
                columns.append(there)
        names = {c.name for c in table.columns}
        wrong += [
            f"column {table.name}.{c.name} is required and has no counterpart in the source"
            for c in target.columns
            if c.name not in names and c.not_null and not (c.has_default or c.identity or c.generated)
        ]
        found.append(Pair(table, target, tuple(columns)))
    if wrong:
        listed = "; ".join(wrong[:12]) + (f"; and {len(wrong) - 12} more" if len(wrong) > 12 else "")
        raise UsageError(
            "schema-mismatch",
            f"The tables that were built in the target do not match the source: {listed}. "
            "No row has been written.",
            "Bring the source up to the code's migrations. Under database.decisions, {TABLE: {missing_table: "
            "leave}} leaves a table that the app has no more at the source, {TABLE: {other_columns: leave}} "
            "the rows of one that has other columns on PostgreSQL, as a search index that the app can build "
            "again. Or set database.schema: derived.",
        )
    return tuple(found)
