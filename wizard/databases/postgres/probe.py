"""What a target allows, found without leaving anything behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from wizard.credentials import Secret
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect, parse
from wizard.errors import AshoreError
from wizard.model import Check

DIRECT_HOST = (
    "Use the direct host or the session pooler: on Neon without -pooler in the host, on Supabase port 5432."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What was seen of a server. `tables` are schema-qualified names that are not ashore's.

    `collation` and `encoding` are the database's. `runs` are the runs with a record here.
    """

    version: str
    user: str
    superuser: bool
    can_create: bool
    said: str
    max_connections: int
    encoding: str
    collation: str
    pooler: bool
    tls: bool
    tables: tuple[str, ...]
    non_empty: tuple[str, ...]
    runs: tuple[str, ...]


def is_pooler(parameters: Mapping[str, str]) -> bool:
    """Whether the address is that of a known transaction pooler."""
    host = parameters.get("host", "")
    return parameters.get("port") == "6543" or "-pooler." in host


def foreign_tables(connection: psycopg.Connection) -> list[str]:
    """Tables, views and sequences of the user's own that are not ashore's nor an extension's: schema.name."""
    rows = connection.execute(
        """
        SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> %s
          AND (n.nspname = coalesce(current_schema(), 'public')
               OR pg_has_role(current_user, n.nspowner, 'USAGE'))
          AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                          AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1
        """,
        (record.SCHEMA,),
    ).fetchall()
    return [str(name) for (name,) in rows]


def probe(connection: psycopg.Connection, address: Mapping[str, str] | None = None) -> Probe:
    """Look at the server. The only write, a probe table, stands in a transaction that is rolled back."""
    row = connection.execute(
        """
        SELECT current_setting('server_version'), current_user,
               (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
               current_setting('max_connections')::int, pg_encoding_to_char(d.encoding), d.datcollate
        FROM pg_database d WHERE d.datname = current_database()
        """
    ).fetchone()
    assert row is not None
    version, user, superuser, max_connections, encoding, collation = row
    tables = tuple(foreign_tables(connection))
    filled = tuple(t for t in tables if _has_rows(connection, t))
    runs: tuple[str, ...] = ()
    if record.exists(connection):
        runs = tuple(str(r) for (r,) in connection.execute("SELECT run FROM ashore.run ORDER BY created"))
    can_create, said = _can_create(connection)
    return Probe(
        version=str(version).split()[0],
        user=user,
        superuser=bool(superuser),
        can_create=can_create,
        said=said,
        max_connections=max_connections,
        encoding=encoding,
        collation=collation,
        pooler=is_pooler(address or {}) or not _setting_sticks(connection),
        tls=bool(connection.pgconn.ssl_in_use),
        tables=tables,
        non_empty=filled,
        runs=runs,
    )


def _has_rows(connection: psycopg.Connection, qualified: str) -> bool:
    schema, _, name = qualified.partition(".")
    statement = psycopg.sql.SQL("SELECT 1 FROM {} LIMIT 1").format(psycopg.sql.Identifier(schema, name))
    try:
        return connection.execute(statement).fetchone() is not None
    except psycopg.errors.InsufficientPrivilege:
        return True  # not ours to read: taken as filled


def _can_create(connection: psycopg.Connection) -> tuple[bool, str]:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE SCHEMA ashore_probe")
            connection.execute("CREATE TABLE ashore_probe_table (id integer PRIMARY KEY)")
            connection.execute("INSERT INTO ashore_probe_table VALUES (1)")
            connection.execute("DROP TABLE ashore_probe_table")
    except psycopg.Error as error:
        return False, error.diag.message_primary or str(error)
    return True, ""


def _setting_sticks(connection: psycopg.Connection) -> bool:
    """A transaction pooler gives each statement another session: settings and pids do not last."""
    seen = {
        connection.execute("SELECT pg_backend_pid(), current_setting('DateStyle')").fetchone()
        for _ in range(3)
    }
    return len(seen) == 1


def checks(url: Secret) -> tuple[Check, ...]:
    """The live test of the credentials screen. Failures are lines, not exceptions; nothing stays behind."""
    try:
        address = parse(url)
        connection = connect(url, "ashore:check", attempts=2)
    except AshoreError as error:
        return (Check("connect", False, error.message, error.hint),)
    try:
        seen = probe(connection, address)
    except psycopg.Error as error:
        return (Check("connect", True), Check("look around", False, error.diag.message_primary or str(error)))
    finally:
        connection.close()
    return (
        Check("connect", True, f"PostgreSQL {seen.version}, {seen.max_connections} connections"),
        Check(
            "session",
            not seen.pooler,
            "a transaction pooler" if seen.pooler else "direct" + (", TLS on" if seen.tls else ", no TLS"),
            DIRECT_HOST if seen.pooler else "",
        ),
        Check(
            "create and drop a table",
            seen.can_create,
            seen.said,
            "" if seen.can_create else "Use the role that owns the database.",
        ),
        Check(
            "encoding",
            seen.encoding == "UTF8",
            seen.encoding,
            "" if seen.encoding == "UTF8" else "Create the database with encoding UTF8.",
        ),
        _emptiness(seen),
    )


def _emptiness(seen: Probe) -> Check:
    if seen.runs:
        return Check(
            "tables there now",
            True,
            f"those of run {seen.runs[-1]}, recorded there; it can be taken up again",
        )
    if not seen.tables:
        return Check("tables there now", True, "none")
    listed = ", ".join(seen.tables[:5]) + (" …" if len(seen.tables) > 5 else "")
    return Check(
        "tables there now",
        False,
        f"{len(seen.tables)} tables or views: {listed}",
        "Name an empty database, or set database.allow_nonempty where none of its tables is the app's.",
    )
