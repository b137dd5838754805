"""The source of a PostgreSQL → PostgreSQL move, opened for reading only, and what its catalog says of it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from wizard.credentials import Secret
from wizard.databases.postgres.connect import connect, parse, translate
from wizard.databases.postgres.probe import DIRECT_HOST, is_pooler
from wizard.errors import Refused

# How both sides print values (their texts are compared), and what keeps the source from being written to.
PRINTING = {"extra_float_digits": "1", "lc_monetary": "C", "xmloption": "content", "search_path": "''"}
_READING = {"default_transaction_read_only": "on", "row_security": "off"}

_OURS = """
n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'ashore')
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.deptype = 'e')
"""

_TABLES = (
    """
SELECT n.nspname, c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       c.relrowsecurity AND c.relforcerowsecurity,
       ARRAY(SELECT a.attname::text FROM pg_constraint k
             CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
             WHERE k.conrelid = c.oid AND k.contype = 'p' ORDER BY u.place)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND """
    + _OURS
    + " ORDER BY 1, 2"
)

_COLUMNS = (
    """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
       a.attcollation <> 0
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND """
    + _OURS
    + " ORDER BY 1, 2, a.attgenerated <> '', a.attnum"
)

_SEQUENCES = (
    """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND has_schema_privilege(n.oid, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT') AND """
    + _OURS
    + " ORDER BY 1, 2"
)

_MATERIALIZED = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'm' AND c.relispopulated AND " + _OURS + " ORDER BY c.oid"
)

_FACTS = (
    """
SELECT 'constraint', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated::text
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND """
    + _OURS
    + """
UNION ALL
SELECT 'index', n.nspname, c.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid::text
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND """
    + _OURS
    + """
UNION ALL
SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND """
    + _OURS
    + """
UNION ALL
SELECT 'policy', n.nspname, c.relname, p.polname, concat_ws(' ', p.polcmd, pg_get_expr(p.polqual, c.oid),
       pg_get_expr(p.polwithcheck, c.oid)), concat(c.relrowsecurity, c.relforcerowsecurity)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE """
    + _OURS
    + """
UNION ALL
SELECT 'view', n.nspname, c.relname, '', pg_get_viewdef(c.oid), c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND """
    + _OURS
    + """
UNION ALL
SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       concat(a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(f.adbin, f.adrelid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND """
    + _OURS
    + " ORDER BY 1, 2, 3, 4"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` as SQL writes it, `collated` where its order depends on a collation."""

    name: str
    type: str
    generated: bool
    collated: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or a partition that holds rows. Generated columns come last. `key` is the primary key."""

    schema: str
    name: str
    readable: bool
    forced: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def label(self) -> str:
        return label(self.schema, self.name)


def label(schema: str, name: str) -> str:
    """How a table is called in decisions, events and the record: `name`, or `schema.name` outside public."""
    return name if schema == "public" else f"{schema}.{name}"


def identity(connection: psycopg.Connection) -> tuple[Any, ...]:
    """The same for two sessions exactly where they are on one database of one running server."""
    row = connection.execute(
        "SELECT pg_postmaster_start_time(), current_setting('server_version'), "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    assert row is not None
    return tuple(row)


@contextmanager
def open_source(
    url: Secret, run: str, wait: Callable[[float], None] = time.sleep
) -> Iterator[psycopg.Connection]:
    """A session that cannot write, closed at the end. Raises Refused `database-pooler`, and what `connect`
    and `translate` make of the server's errors."""
    if is_pooler(parse(url)):
        raise Refused(
            "database-pooler",
            "The source's address is that of a transaction pooler; one consistent copy needs a session.",
            DIRECT_HOST,
        )
    connection = connect(url, f"ashore:{run}:source", sleep=wait)
    try:
        settle(connection)
        for name, value in _READING.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield connection
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def settle(connection: psycopg.Connection) -> None:
    """Make a session print and read values as the other side does."""
    for name, value in PRINTING.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value.strip("'")))


def tables(connection: psycopg.Connection) -> tuple[Table, ...]:
    """Every table and partition that holds rows of its own, by schema and name; none of an extension's."""
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, name, *rest in connection.execute(_COLUMNS.encode()):
        columns.setdefault((schema, name), []).append(Column(*rest))
    return tuple(
        Table(schema, name, readable, forced, tuple(columns.get((schema, name), ())), tuple(key))
        for schema, name, readable, forced, key in connection.execute(_TABLES.encode())
    )


def facts(connection: psycopg.Connection) -> list[list[str]]:
    """[kind, schema, table, name, definition, state] of all that stands on the tables, in order."""
    found = [[str(part) for part in row] for row in connection.execute(_FACTS.encode())]
    return sorted(found)


def fingerprint(connection: psycopg.Connection) -> str:
    """Identifies the schema, not the rows."""
    return hashlib.sha256(json.dumps(facts(connection)).encode()).hexdigest()


def sequences(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """{schema, name, last, called} of every sequence."""
    found = []
    for schema, name in connection.execute(_SEQUENCES.encode()).fetchall():
        row = connection.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
        ).fetchone()
        assert row is not None
        found.append({"schema": schema, "name": name, "last": row[0], "called": row[1]})
    return found


def surroundings(connection: psycopg.Connection) -> dict[str, Any]:
    """What surrounds the tables: server, encoding, extensions, and what has no way of its own to move."""

    def rows(query: str) -> list[Any]:
        return [list(row) for row in connection.execute(query.encode()).fetchall()]

    (server,) = rows(
        "SELECT current_setting('server_version_num')::int, pg_encoding_to_char(encoding), datcollate, "
        "pg_database_size(oid) FROM pg_database WHERE datname = current_database()"
    )
    return {
        "server_version": server[0],
        "encoding": server[1],
        "collation": server[2],
        "size": server[3],
        "extensions": rows(
            "SELECT e.extname, n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n "
            "ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY 1"
        ),
        "materialized": rows(_MATERIALIZED),
        "large_objects": rows("SELECT count(*) FROM pg_largeobject_metadata")[0][0],
        "prepared": rows("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()")[0][0],
        "foreign_tables": rows(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind = 'f' AND " + _OURS + " ORDER BY 1, 2"
        ),
        "event_triggers": rows("SELECT evtname FROM pg_event_trigger ORDER BY 1"),
        "publications": rows("SELECT pubname FROM pg_publication ORDER BY 1"),
    }


def row_counts(connection: psycopg.Connection) -> tuple[tuple[str, int], ...]:
    """(label, rows) of every readable table."""
    found = []
    for table in tables(connection):
        if table.readable:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(table.schema, table.name))
            ).fetchone()
            assert row is not None
            found.append((table.label, int(row[0])))
    return tuple(found)
