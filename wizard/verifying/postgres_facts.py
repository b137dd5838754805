"""What must stand in a PostgreSQL target beside its rows: what the source's catalog said, read here anew."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from psycopg import sql

from wizard.verifying.differences import Difference
from wizard.verifying.schema_facts import _SEQUENCES
from wizard.verifying.target_reader import Connection

_HERE = """
SELECT 'constraint' AS kind, n.nspname, c.relname, k.conname::text AS name,
       pg_get_constraintdef(k.oid) AS said, k.convalidated::text AS state
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL SELECT 'index', n.nspname, c.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid::text
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL SELECT 'policy', n.nspname, c.relname, p.polname, concat_ws(' ', p.polcmd,
       pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)),
       concat(c.relrowsecurity, c.relforcerowsecurity)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT 'view', n.nspname, c.relname, '', pg_get_viewdef(c.oid), c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm')
UNION ALL SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       concat(a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(f.adbin, f.adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
"""


def fact_differences(
    connection: Connection, about: Mapping[str, Any], left: Collection[str]
) -> Iterator[Difference]:
    """Everything that the source's catalog held and that is not so in the target, and sequences that would
    give out numbers in use. Definitions are compared between servers of one major version."""
    same_version = connection.info.server_version // 10000 == int(about["server_version"]) // 10000
    here = {
        (kind, schema, table, name): (said, state)
        for kind, schema, table, name, said, state in connection.execute(_HERE.encode())
    }
    gone = {f"{schema}.{name}" for schema, name, _ in about["left_out"]}
    for kind, schema, table, name, said, state in about["facts"]:
        label = table if schema == "public" else f"{schema}.{table}"
        if f"{schema}.{table}" in gone or label in left or f"{label}.{name}" in left:
            continue
        found = here.get((kind, schema, table, name))
        what = f"{kind} {name}".strip()
        if found is None:
            yield Difference("schema", label, detail=f"the target has no {what}")
        elif kind in ("constraint", "index") and found[1] != state:
            yield Difference("schema", label, detail=f"{what} is valid: {found[1]}, at the source {state}")
        elif kind in ("trigger", "policy") and found[1] != state:
            yield Difference(
                "schema", label, detail=f"{what} is in state {found[1]}, at the source in {state}"
            )
        elif same_version and (found[0], found[1]) != (said, state):
            yield Difference(
                "schema", label, "", None, f"{said} {state}", f"{found[0]} {found[1]}",
                f"{what} is not defined as at the source",
            )  # fmt: skip
    yield from _sequences(connection, about)


def _sequences(connection: Connection, about: Mapping[str, Any]) -> Iterator[Difference]:
    for told in about["sequences"]:
        label = told["name"] if told["schema"] == "public" else f"{told['schema']}.{told['name']}"
        place = sql.Identifier(told["schema"], told["name"])
        row = connection.execute(
            "SELECT q.seqincrement FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
            (told["schema"], told["name"]),
        ).fetchone()
        if row is None:
            yield Difference("schema", label, detail="the target has no such sequence")
            continue
        now = connection.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(place)).fetchone()
        assert now is not None
        ours = told["last"] + (row[0] if told["called"] else 0)
        theirs = now[0] + (row[0] if now[1] else 0)
        if (theirs < ours) if row[0] > 0 else (theirs > ours):
            detail = f"the sequence would give out {theirs} next; the source's was at {ours}"
            yield Difference("schema", label, detail=detail)
    for schema in sorted({told["schema"] for told in about["sequences"]}):
        for table, column, home, name, increment in connection.execute(_SEQUENCES, (schema,)).fetchall():
            row = connection.execute(
                sql.SQL(
                    "SELECT s.last_value, s.is_called, (SELECT max({})::numeric FROM {}) FROM {} s"
                ).format(sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(home, name))
            ).fetchone()
            if row is None or increment < 0 or row[2] is None:
                continue
            upcoming = row[0] + increment if row[1] else row[0]
            told_here = [s for s in about["sequences"] if (s["schema"], s["name"]) == (home, name)]
            low_there = told_here and told_here[0]["last"] == row[0] and told_here[0]["called"] == row[1]
            if upcoming <= row[2] and not low_there:
                yield Difference(
                    "schema", table, column=column,
                    detail=f"sequence {name} would give out {upcoming} next, but {row[2]} is already taken",
                )  # fmt: skip
