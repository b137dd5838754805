"""Foreign keys, secondary indexes and triggers: saved in the target, out of the way for the load, put back.

What is dropped is saved in the same transaction. Restoring compares with what exists, so it may be
repeated after any interruption. Primary keys, unique and check constraints stay where they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from wizard.databases.postgres.target import Target, literal
from wizard.errors import Refused, StepFailed

_FOREIGN_KEYS = """
SELECT c.relname, n.nspname, k.conname, pg_get_constraintdef(k.oid), k.convalidated,
       pg_has_role(current_user, c.relowner, 'USAGE'), obj_description(k.oid, 'pg_constraint')
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace m ON m.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND ((n.nspname = %(schema)s AND c.relname = ANY(%(tables)s))
       OR (m.nspname = %(schema)s AND f.relname = ANY(%(tables)s)))
ORDER BY 2, 1, 3
"""

_INDEXES = """
SELECT c.relname, n.nspname, i.relname, pg_get_indexdef(x.indexrelid), true,
       pg_has_role(current_user, c.relowner, 'USAGE'), obj_description(x.indexrelid, 'pg_class')
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class i ON i.oid = x.indexrelid
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(tables)s) AND NOT x.indisprimary AND NOT x.indisreplident
  AND NOT x.indisclustered AND NOT i.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k
                  WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY 2, 1, 3
"""

_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text, pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(tables)s) AND NOT t.tgisinternal AND t.tgparentid = 0
ORDER BY 1, 2
"""

_ENABLE = {"O": "ENABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}
_NOT_VALID = " NOT VALID"
_TABLES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """A row of `ashore.saved_object`. `kind` is foreign_key, index or trigger.

    `state` is a trigger's tgenabled, `valid` a foreign key's convalidated.
    """

    kind: str
    table: str
    name: str
    definition: str
    schema: str
    valid: bool = True
    state: str = ""
    comment: str | None = None

    @property
    def on(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.table)


def require_ownership(connection: psycopg.Connection, schema: str, tables: Iterable[str]) -> None:
    """Raises Refused `not-owner` naming the tables that this role may not alter."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s "
        "AND c.relname = ANY(%s) AND NOT pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1",
        (schema, list(tables)),
    ).fetchall()
    if rows:
        raise _not_owner([str(name) for (name,) in rows])


def _not_owner(names: list[str]) -> Refused:
    return Refused(
        "not-owner",
        f"The database role does not own {', '.join(names[:8])}{' and more' if len(names) > 8 else ''}.",
        "Connect as the role that owns the tables, then `ashore resume`.",
    )


def put_aside(target: Target, tables: Iterable[str]) -> int:
    """Save and drop the foreign keys and secondary indexes of `tables`, and disable their triggers.

    What is saved is dropped in the same transaction, some hundred tables in each (a server's locks are
    bounded); may be repeated. Foreign keys of other tables that point at `tables` are included,
    since deleting a seed would cascade through them. Returns how many objects are put aside in all.
    """
    names = list(tables)
    require_ownership(target.connection, target.schema, names)
    for start in range(0, len(names), _TABLES_AT_ONCE):
        _put_aside(target, names[start : start + _TABLES_AT_ONCE])
    count = target.connection.execute(
        "SELECT count(*) FROM ashore.saved_object WHERE run = %s AND NOT restored", (target.run,)
    ).fetchone()
    assert count is not None
    return int(count[0])


def _put_aside(target: Target, names: list[str]) -> None:
    given = {"schema": target.schema, "tables": names}
    with target.transaction() as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        for kind, query in (("foreign_key", _FOREIGN_KEYS), ("index", _INDEXES)):
            for table, schema, name, definition, valid, owned, comment in cursor.execute(
                query, given
            ).fetchall():
                if not owned:
                    raise _not_owner([table])
                saved = Saved(kind, table, name, definition, schema, valid, "", comment)
                _save(cursor, target.run, saved)
                _drop(cursor, saved)
        triggers = cursor.execute(_TRIGGERS, given).fetchall()
        for table, name, state, definition in triggers:
            _save(cursor, target.run, Saved("trigger", table, name, definition, target.schema, True, state))
        for table in sorted({row[0] for row in triggers}):
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(target.table(table)))


def _save(cursor: psycopg.Cursor, run: str, saved: Saved) -> None:
    """Write an object down, unless it is written and not yet put back: then what stands is our own doing (a
    trigger we disabled, a foreign key not validated before a kill). Anything else of that name is not ours
    to drop: raises StepFailed `object-differs`."""
    facts = {"schema": saved.schema, "valid": saved.valid, "state": saved.state, "comment": saved.comment}
    cursor.execute(
        "INSERT INTO ashore.saved_object AS o (run, kind, table_name, name, definition, facts) "
        "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (run, kind, table_name, name) DO UPDATE "
        "SET definition = excluded.definition, facts = excluded.facts, restored = false WHERE o.restored",
        (run, saved.kind, saved.table, saved.name, saved.definition, json.dumps(facts)),
    )
    row = cursor.execute(
        "SELECT definition FROM ashore.saved_object "
        "WHERE run = %s AND kind = %s AND table_name = %s AND name = %s",
        (run, saved.kind, saved.table, saved.name),
    ).fetchone()
    if row is None or row[0].removesuffix(_NOT_VALID) != saved.definition.removesuffix(_NOT_VALID):
        raise _differs(saved)


def _differs(saved: Saved) -> StepFailed:
    return StepFailed(
        "object-differs",
        f"The target has another {saved.kind.replace('_', ' ')} named {saved.name} on {saved.table} than "
        "before the load.",
        "Remove it, then `ashore resume`.",
    )


def _drop(cursor: psycopg.Cursor, saved: Saved) -> None:
    if saved.kind == "foreign_key":
        statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(saved.on, sql.Identifier(saved.name))
    else:
        statement = sql.SQL("DROP INDEX {}").format(sql.Identifier(saved.schema, saved.name))
    cursor.execute(statement)


def saved_objects(connection: psycopg.Connection, run: str) -> list[Saved]:
    """What still waits to be put back: indexes, then foreign keys, then triggers."""
    rows = connection.execute(
        "SELECT kind, table_name, name, definition, facts FROM ashore.saved_object "
        "WHERE run = %s AND NOT restored "
        "ORDER BY array_position(ARRAY['index', 'foreign_key', 'trigger'], kind), table_name, name",
        (run,),
    ).fetchall()
    return [
        Saved(kind, table, name, definition, f["schema"], f["valid"], f["state"], f["comment"])
        for kind, table, name, definition, f in rows
    ]


def put_back(target: Target, saved: Saved) -> None:
    """Restore one object, or see that it already stands as it was.

    Raises StepFailed `object-differs` where another of that name stands, `constraint-broken` where the rows
    do not satisfy it.
    """
    try:
        with target.transaction() as cursor:
            cursor.execute("SET LOCAL search_path = ''")
            if saved.kind == "trigger":
                _enable(cursor, saved)
            else:
                _create(cursor, saved)
            if saved.kind != "foreign_key" or not saved.valid:
                _mark(cursor, target.run, saved)
        if saved.kind == "foreign_key" and saved.valid:
            with target.transaction() as cursor:
                cursor.execute(
                    sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
                        saved.on, sql.Identifier(saved.name)
                    )
                )
                _mark(cursor, target.run, saved)
    except psycopg.errors.IntegrityError as error:
        raise StepFailed(
            "constraint-broken",
            f"{saved.kind.replace('_', ' ')} {saved.name} of {saved.table} cannot be put back: the rows do "
            f"not satisfy it. {error.diag.message_primary}.",
            "Repair the rows at the source, then start a new run on an empty database.",
        ) from error


def _create(cursor: psycopg.Cursor, saved: Saved) -> None:
    wanted = saved.definition.removesuffix(_NOT_VALID)
    if saved.kind == "index":
        found = cursor.execute(
            "SELECT pg_get_indexdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('i', 'I')",
            (saved.schema, saved.name),
        ).fetchone()
    else:
        found = cursor.execute(
            "SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND k.conname = %s",
            (saved.schema, saved.table, saved.name),
        ).fetchone()
    if found is not None:
        if str(found[0]).removesuffix(_NOT_VALID) != wanted:
            raise _differs(saved)
        return
    if saved.kind == "index":
        cursor.execute(literal(wanted))
        if saved.comment is not None:
            cursor.execute(
                sql.SQL("COMMENT ON INDEX {} IS {}").format(
                    sql.Identifier(saved.schema, saved.name), sql.Literal(saved.comment)
                )
            )
        return
    cursor.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
            saved.on, sql.Identifier(saved.name), sql.SQL(literal(wanted + _NOT_VALID))
        )
    )
    if saved.comment is not None:
        cursor.execute(
            sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                sql.Identifier(saved.name), saved.on, sql.Literal(saved.comment)
            )
        )


def _enable(cursor: psycopg.Cursor, saved: Saved) -> None:
    verb = _ENABLE.get(saved.state)
    if verb is not None:
        cursor.execute(
            sql.SQL("ALTER TABLE {} {} {}").format(
                saved.on, sql.SQL(literal(verb)), sql.Identifier(saved.name)
            )
        )


def _mark(cursor: psycopg.Cursor, run: str, saved: Saved) -> None:
    cursor.execute(
        "UPDATE ashore.saved_object SET restored = true "
        "WHERE run = %s AND kind = %s AND table_name = %s AND name = %s",
        (run, saved.kind, saved.table, saved.name),
    )
