"""What must hold in the target beyond the rows, read from its catalog: constraints, indexes, sequences,
triggers, and everything that was set aside for the load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from wizard.verifying.differences import Difference
from wizard.verifying.target_reader import Connection

_UNVALIDATED = """
SELECT c.relname, p.conname FROM pg_constraint p
JOIN pg_class c ON c.oid = p.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT p.convalidated AND p.contype IN ('f', 'c')
ORDER BY 1, 2
"""
_INVALID = """
SELECT c.relname, i.relname FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT (x.indisvalid AND x.indisready)
ORDER BY 1, 2
"""
_SEQUENCES = """
SELECT c.relname, a.attname, sn.nspname, s.relname, q.seqincrement
FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND n.nspname = %s
ORDER BY 1, 2
"""
_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT t.tgisinternal
ORDER BY 1, 2
"""
_SAVED = (
    "SELECT kind, table_name, name, facts, restored FROM ashore.saved_object WHERE run = %s ORDER BY 1, 2, 3"
)


def schema_differences(
    connection: Connection, schema: str, run: str | None, floors: Mapping[str, int]
) -> Iterator[Difference]:
    """Everything in `schema` that is not as it must be once the rows are in.

    `floors` maps a table to the highest number that the source ever gave out for its key.
    """
    saved = _saved(connection, run)
    for table, name in connection.execute(_UNVALIDATED, (schema,)):
        # One that was not validated before the load either is as it was.
        if saved.get(("foreign_key", table, name), {}).get("valid") is not False:
            yield Difference("schema", table, detail=f"constraint {name} is not validated")
    for table, name in connection.execute(_INVALID, (schema,)):
        yield Difference("schema", table, detail=f"index {name} is not valid")
    yield from _sequences(connection, schema, floors)
    for table, name, enabled in connection.execute(_TRIGGERS, (schema,)):
        before = saved.get(("trigger", table, name), {}).get("state")
        if before and enabled != before:
            yield Difference(
                "schema", table, detail=f"trigger {name} is in state {enabled}, before the load {before}"
            )
    yield from _unrestored(connection, run)


def _sequences(connection: Connection, schema: str, floors: Mapping[str, int]) -> Iterator[Difference]:
    for table, column, home, name, increment in connection.execute(_SEQUENCES, (schema,)).fetchall():
        row = connection.execute(
            sql.SQL("SELECT s.last_value, s.is_called, (SELECT max({}) FROM {})::numeric FROM {} s").format(
                sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(home, name)
            )
        ).fetchone()
        if row is None or increment < 0:
            continue
        last, called, highest = row
        taken = max(int(highest or 0), floors.get(table, 0))
        upcoming = last + increment if called else last
        if upcoming <= taken:
            yield Difference(
                "schema", table, column=column,
                detail=f"sequence {name} would give out {upcoming} next, but {taken} is already taken",
            )  # fmt: skip


def _has_record(connection: Connection) -> bool:
    row = connection.execute("SELECT to_regclass('ashore.saved_object')").fetchone()
    return row is not None and row[0] is not None


def _saved(connection: Connection, run: str | None) -> dict[tuple[str, str, str], dict[str, object]]:
    """The facts of what was set aside for the load, by (kind, table, name)."""
    if run is None or not _has_record(connection):
        return {}
    return {(k, t, n): facts or {} for k, t, n, facts, _ in connection.execute(_SAVED, (run,))}


def _unrestored(connection: Connection, run: str | None) -> Iterator[Difference]:
    if run is None or not _has_record(connection):
        return
    for kind, table, name, _, restored in connection.execute(_SAVED, (run,)):
        if not restored:
            yield Difference(
                "schema", table, detail=f"{kind} {name} was set aside for the load and is not back"
            )
