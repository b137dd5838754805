"""The target's columns and keys, as far as references need them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from wizard.databases.postgres.target import literal

REWRITABLE = ("text", "varchar", "json", "jsonb")
ARRAYS = ("_text", "_varchar")


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A column of a primary key; `type` as SQL writes it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column whose values may be rewritten. `limit` is varchar(n)'s n; `key` the table's primary key."""

    schema: str
    table: str
    name: str
    type: str
    limit: int | None
    key: tuple[KeyPart, ...]
    label: str = ""  # what the record calls the table, its name unless set

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.table)

    @property
    def source(self) -> sql.Composed:
        """The table, called `t`."""
        return sql.SQL("{} AS t").format(sql.Identifier(self.schema, self.table))

    @property
    def text(self) -> sql.Composed:
        """The value as text, as it is compared and recorded."""
        return sql.SQL("{}::text").format(sql.Identifier(self.name))

    @property
    def cast(self) -> sql.SQL:
        return _type(self.type)

    def key_text(self) -> sql.Composed:
        """The key's values as text, to select."""
        return sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(k.name)) for k in self.key)

    def key_names(self) -> sql.Composed:
        """The key's columns of the table called `t`: a bare name in ORDER BY would be the text selected."""
        return sql.SQL(", ").join(sql.Identifier("t", k.name) for k in self.key)

    def key_parameters(self) -> sql.Composed:
        """A placeholder for each value of the key, of its type."""
        return sql.SQL(", ").join(sql.SQL("%s::{}").format(_type(k.type)) for k in self.key)


def _type(name: str) -> sql.SQL:
    return sql.SQL(literal(name))  # the catalog's own spelling, already quoted


def columns_everywhere(connection: psycopg.Connection) -> dict[tuple[str, str], TextColumn]:
    """The columns of every schema but the systems' and ashore's, arrays of text included, by (label, column).

    A table of `public` is called by its name, others `schema.table`.
    """
    found: dict[tuple[str, str], TextColumn] = {}
    schemas = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' "
        "AND nspname NOT IN ('information_schema', 'ashore') AND has_schema_privilege(oid, 'USAGE') "
        "ORDER BY 1"
    ).fetchall()
    for (schema,) in schemas:
        for column in text_columns(connection, schema, (*REWRITABLE, *ARRAYS)).values():
            name = column.table if schema == "public" else f"{schema}.{column.table}"
            found[name, column.name] = replace(column, label=name)
    return found


def text_columns(
    connection: psycopg.Connection, schema: str, kinds: tuple[str, ...] = REWRITABLE
) -> dict[tuple[str, str], TextColumn]:
    """Every column of text, varchar, json or jsonb, by (table, column). A table's key may be empty."""
    keys: dict[str, tuple[KeyPart, ...]] = {}
    for table, names, types in connection.execute(
        """
        SELECT c.relname, array_agg(a.attname::text ORDER BY k.place),
               array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.place)
        FROM pg_constraint p JOIN pg_class c ON c.oid = p.conrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
        WHERE p.contype = 'p' AND n.nspname = %s GROUP BY c.relname
        """,
        (schema,),
    ):
        keys[table] = tuple(KeyPart(n, t) for n, t in zip(names, types, strict=True))
    rows = connection.execute(
        """
        SELECT c.relname, a.attname, t.typname, a.atttypmod
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
        WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' AND t.typname = ANY(%s)
        """,
        (schema, list(kinds)),
    )
    return {
        (table, name): TextColumn(
            schema, table, name, kind, modifier - 4 if modifier > 4 else None, keys.get(table, ())
        )
        for table, name, kind, modifier in rows
    }
