"""What PostgreSQL says, read as sqlite3 would say it: the catalog, the values, the errors."""

from __future__ import annotations

import sqlite3
from typing import Any

from .tokens import Catalog, Table

CATALOG = """
SELECT c.relname::text, a.attname::text, a.attidentity <> '' OR COALESCE(
    pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%' FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v', 'p')
ORDER BY c.relname, a.attnum
"""
KEYS = """
SELECT c.relname::text, (SELECT array_agg(a.attname::text) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum = ANY(i.indkey))
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique AND i.indpred IS NULL
    AND i.indexprs IS NULL ORDER BY i.indisprimary DESC, i.indexrelid
"""


def catalog(server: Any) -> Catalog:
    catalog = Catalog()
    for name, column, counts in server.execute(CATALOG):
        table = catalog.tables.setdefault(name.lower(), Table(name))
        table.columns.append(column)
        if counts:
            table.identity = column
    for name, columns in server.execute(KEYS):
        catalog.tables[name.lower()].keys.append(columns)
    return catalog


def read_as_sqlite(server: Any, times: bool) -> None:
    """Values come back in the types in which SQLite gives them."""
    from psycopg.adapt import Loader

    class Number(Loader):
        def load(self, data: Any) -> Any:
            text = bytes(data).decode()
            if text.lstrip("-").isdigit():
                return int(text)
            return int(float(text)) if float(text).is_integer() else float(text)

    class Text(Loader):
        def load(self, data: Any) -> Any:
            return bytes(data).decode()

    class Flag(Loader):
        def load(self, data: Any) -> Any:
            return int(bytes(data) == b"t")

    server.adapters.register_loader("numeric", Number)
    server.adapters.register_loader("bool", Flag)
    for name in ("uuid", "json", "jsonb", "time", "timestamptz", "interval"):
        server.adapters.register_loader(name, Text)
    if not times:
        server.adapters.register_loader("timestamp", Text)
        server.adapters.register_loader("date", Text)


def as_sqlite(error: Any) -> sqlite3.Error:
    """The exception that sqlite3 would have raised, with its message where apps read it."""
    import psycopg

    said = error.diag
    if isinstance(error, psycopg.errors.UniqueViolation):
        columns = (
            (said.message_detail or "").partition("(")[2].partition(")")[0].split(", ")
        )
        names = ", ".join(f"{said.table_name}.{column}" for column in columns)
        return sqlite3.IntegrityError(f"UNIQUE constraint failed: {names}")
    if isinstance(error, psycopg.errors.NotNullViolation):
        return sqlite3.IntegrityError(
            f"NOT NULL constraint failed: {said.table_name}.{said.column_name}"
        )
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return sqlite3.IntegrityError("FOREIGN KEY constraint failed")
    if isinstance(error, psycopg.errors.CheckViolation):
        return sqlite3.IntegrityError(
            f"CHECK constraint failed: {said.constraint_name}"
        )
    if isinstance(error, psycopg.IntegrityError):
        return sqlite3.IntegrityError(str(error))
    if isinstance(error, psycopg.errors.UndefinedTable):
        name = (said.message_primary or "").partition('"')[2].partition('"')[0]
        return sqlite3.OperationalError(f"no such table: {name}")
    if isinstance(error, psycopg.DataError):
        return sqlite3.DataError(str(error))
    return sqlite3.OperationalError(str(error))
