"""Brings a loaded target from one dump to another: one transaction, so that a kill leaves one of them.

Foreign keys of and to the changed tables are dropped and made again inside it, user triggers disabled and
enabled again, so that no cascade and no trigger fires.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from wizard.databases.postgres import record
from wizard.databases.postgres.dumps.dump import Dump, Rows
from wizard.databases.postgres.dumps.load import copy_statement, mark, put
from wizard.databases.postgres.target import Target, literal
from wizard.errors import NotAsPlanned, StepFailed

DOOMED = sql.Identifier("pg_temp", "ashore_doomed")
_NOT_VALID = " NOT VALID"

_FOREIGN_KEYS = """
SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND pg_has_role(current_user, c.relowner, 'USAGE')
ORDER BY k.oid
"""
_TRIGGERS = """
SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
ORDER BY 1, 2, 3
"""
_STATES = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS", "D": "DISABLE"}
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a table: keys to delete and lines to add, in files; or the whole of it."""

    table: Rows
    added: int
    deleted: int
    keys: Path | None = None
    lines: Path | None = None

    @property
    def whole(self) -> bool:
        return self.keys is None


def versions(cursor: psycopg.Cursor, tables: Iterable[Rows]) -> dict[str, Version]:
    """By table: its rows, and the sum of the transactions that wrote them: any later write changes one."""
    found = {}
    for table in tables:
        row = cursor.execute(
            sql.SQL("SELECT count(*), coalesce(sum(xmin::text::bigint), 0) FROM ONLY {}").format(
                sql.Identifier(table.schema, table.name)
            )
        ).fetchone()
        assert row is not None
        found[table.label] = (int(row[0]), int(row[1]))
    return found


def require_unchanged(cursor: psycopg.Cursor, tables: Sequence[Rows], seen: Mapping[str, Version]) -> None:
    """Lock the tables against writers, and see that nobody wrote since `versions` looked.

    Raises NotAsPlanned `target-changed`.
    """
    for table in tables:
        name = sql.Identifier(table.schema, table.name)
        cursor.execute(sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE").format(name))
    now = versions(cursor, tables)
    different = [name for name in seen if now.get(name) != seen[name]]
    if different:
        raise NotAsPlanned(
            "target-changed",
            f"Something else wrote to {', '.join(different)} in the target just now. Nothing more was "
            "written.",
            "Find out what writes to the target; the source is unchanged. Then `ashore resume`.",
        )


def apply(
    target: Target,
    new: Dump,
    changes: Sequence[Change],
    seen: Mapping[str, Version],
    facts: Mapping[str, Any],
) -> tuple[int, int]:
    """Delete what is gone or changed, copy what is new or changed; (rows written, rows deleted).

    `facts` go into the record in the same transaction, and the chunks of the changed tables become those of
    `new`. Raises NotAsPlanned `target-changed`, StepFailed `constraint-broken`, `fenced`.
    """
    written = deleted = 0
    tables = [change.table for change in changes]
    with target.transaction() as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        require_unchanged(cursor, tables, seen)
        with _aside(cursor, tables):
            for change in changes:
                deleted += _delete(cursor, target, change)
            for change in changes:
                written += _insert(cursor, new, change)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(
                "DELETE FROM ashore.progress WHERE run = %s AND table_name = %s", (target.run, table.label)
            )
            for number in range(len(table.chunks)):
                mark(cursor, target, table, number)
        record.add_facts(cursor, target.run, facts)
    return written, deleted


@contextmanager
def _aside(cursor: psycopg.Cursor, tables: Sequence[Rows]) -> Iterator[None]:
    """Foreign keys and triggers out of the way; all of it undone with the transaction where it fails."""
    pairs = {(table.schema, table.name) for table in tables}
    schemas, names = [p[0] for p in sorted(pairs)], [p[1] for p in sorted(pairs)]
    # All of them: a key of a partitioned parent does not name the partition that changes.
    keys = cursor.execute(_FOREIGN_KEYS).fetchall() if pairs else []
    for schema, name, constraint, _, _ in keys:
        cursor.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(schema, name), sql.Identifier(constraint)
            )
        )
    triggers = cursor.execute(_TRIGGERS, (schemas, names)).fetchall()
    for schema, name in sorted({(row[0], row[1]) for row in triggers}):
        cursor.execute(
            sql.SQL("ALTER TABLE ONLY {} DISABLE TRIGGER USER").format(sql.Identifier(schema, name))
        )
    yield
    for schema, name, trigger, state in triggers:
        cursor.execute(
            sql.SQL("ALTER TABLE ONLY {} {} TRIGGER {}").format(
                sql.Identifier(schema, name), sql.SQL(literal(_STATES[state])), sql.Identifier(trigger)
            )
        )
    for schema, name, constraint, definition, comment in keys:
        on = sql.Identifier(schema, name)
        try:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                    on, sql.Identifier(constraint), sql.SQL(literal(definition))
                )
            )
        except psycopg.errors.IntegrityError as error:
            raise StepFailed(
                "constraint-broken",
                f"The foreign key {constraint} of {name} does not hold in the source's new rows: "
                f"{error.diag.message_primary}. Nothing of them was written.",
                "Repair the rows at the source, then `ashore resume`.",
            ) from error
        if comment is not None:
            cursor.execute(
                sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                    sql.Identifier(constraint), on, sql.Literal(comment)
                )
            )


def _delete(cursor: psycopg.Cursor, target: Target, change: Change) -> int:
    table = change.table
    name = sql.Identifier(table.schema, table.name)
    if change.keys is None:
        record.forget_images(cursor, target.run, table.label)
        return cursor.execute(sql.SQL("DELETE FROM ONLY {}").format(name)).rowcount
    names = [f"k{place}" for place in range(len(table.key))]
    cursor.execute(
        sql.SQL("CREATE TEMP TABLE ashore_doomed ({}) ON COMMIT DROP").format(
            sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(n)) for n in names)
        )
    )
    with (
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(DOOMED)) as copy,
        change.keys.open(encoding="utf-8") as file,
    ):
        for line in file:
            copy.write_row(json.loads(line))
    same = sql.SQL(" AND ").join(
        sql.SQL("t.{} = d.{}::{}").format(sql.Identifier(column), sql.Identifier(n), sql.SQL(literal(kind)))
        for column, n, kind in zip(table.key, names, table.types, strict=True)
    )
    count = cursor.execute(
        sql.SQL("DELETE FROM ONLY {} AS t USING {} AS d WHERE {}").format(name, DOOMED, same)
    ).rowcount
    cursor.execute(
        sql.SQL(
            "DELETE FROM ashore.before_image AS b USING {} AS d "
            "WHERE b.run = %s AND b.table_name = %s AND b.key::jsonb = to_jsonb(ARRAY[{}])"
        ).format(DOOMED, sql.SQL(", ").join(sql.SQL("d.{}").format(sql.Identifier(n)) for n in names)),
        (target.run, table.label),
    )
    cursor.execute(sql.SQL("DROP TABLE {}").format(DOOMED))
    return count


def _insert(cursor: psycopg.Cursor, new: Dump, change: Change) -> int:
    if change.lines is None:
        for chunk in change.table.chunks:
            put(cursor, new, change.table, chunk)
        return change.table.rows
    with cursor.copy(copy_statement(change.table)) as copy, change.lines.open("rb") as file:
        while piece := file.read(1 << 20):
            copy.write(piece)
    return cursor.rowcount
