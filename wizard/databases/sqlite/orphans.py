"""Finds rows whose foreign key names a row that does not exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from wizard.databases.sqlite.clauses import BUILT_IN, collations
from wizard.databases.sqlite.rowkeys import first_keys
from wizard.databases.sqlite.schema import ForeignKey, Schema, Table, quote
from wizard.model import Choice, Decision

NULL = Choice("null", "the reference becomes empty (NULL)")
LEAVE_OUT = Choice("leave_out", "the row is not copied")


def judge(connection: sqlite3.Connection, schema: Schema, skip_tables: Collection[str]) -> list[Decision]:
    """One decision a column (or a table, for keys of several columns) that has orphans.

    Leaving rows out can orphan the rows that refer to them: the message says so, and `recheck` asks for
    those when it knows what was decided.
    """
    found: dict[str, Decision] = {}
    for table in schema.tables:
        if table.name in skip_tables:
            continue
        for key in table.foreign_keys:
            decision = _judge(connection, schema, table, key)
            if decision is None:
                continue
            earlier = found.get(decision.subject)
            if earlier is not None:
                both = tuple(c for c in earlier.choices if c in decision.choices)
                decision = Decision(
                    decision.subject,
                    "orphans",
                    f"{earlier.message} {decision.message}",
                    earlier.count + decision.count,
                    (earlier.keys + decision.keys)[:5],
                    both,
                )
            found[decision.subject] = decision
    return list(found.values())


def _judge(connection: sqlite3.Connection, schema: Schema, table: Table, key: ForeignKey) -> Decision | None:
    broken = condition(schema, key)
    if broken is None:
        return None
    count = connection.execute(f"SELECT count(*) FROM {quote(table.name)} WHERE {broken}").fetchone()[0]
    if not count:
        return None
    single = len(key.columns) == 1
    subject = f"{table.name}.{key.columns[0]}" if single else table.name
    choices: list[Choice] = []
    column = table.column(key.columns[0])
    if single and not column.not_null and not column.pk:
        choices.append(NULL)
    choices.append(LEAVE_OUT)
    message = (
        f"{count:,} {'row' if count == 1 else 'rows'} of {table.name} "
        f"{'refers' if count == 1 else 'refer'} by {', '.join(key.columns)} to rows of {key.target} "
        "that do not exist."
    )
    referring = _referring(connection, schema, table, broken)
    if referring:
        message += f" Rows of {referring} refer to them: left out, they need a decision for those, too."
    return Decision(subject, "orphans", message, count, first_keys(connection, table, broken), tuple(choices))


def condition(schema: Schema, key: ForeignKey) -> str | None:
    """SQL that is true for the orphans of `key`, over the columns of its table; None: not decidable.

    A reference with a NULL in it is none (https://www.sqlite.org/foreignkeys.html).
    """
    filled = " AND ".join(f"{quote(c)} IS NOT NULL" for c in key.columns)
    target = next((t for t in schema.tables if t.name == key.target), None)
    if target is None:
        return filled
    names = {c.name for c in target.columns}
    if len(key.target_columns) != len(key.columns) or not set(key.target_columns) <= names:
        return None  # no database can hold such a key: it is not carried over, so that no row offends it
    wanted = ", ".join(map(quote, key.target_columns))
    known = " AND ".join(f"{quote(c)} IS NOT NULL" for c in key.target_columns)
    # SQLite compares as the parent's column does; a collation of the app's own is not there to compare by.
    rules = collations(target)
    compared = [
        f"{quote(c)} COLLATE {rules[t] if rules.get(t) in BUILT_IN else 'BINARY'}"
        for c, t in zip(key.columns, key.target_columns, strict=True)
    ]
    left = compared[0] if len(compared) == 1 else f"({', '.join(compared)})"
    return f"{filled} AND {left} NOT IN (SELECT {wanted} FROM {quote(key.target)} WHERE {known})"


def _referring(connection: sqlite3.Connection, schema: Schema, table: Table, broken: str) -> str:
    """A table with a row that refers to one of the broken rows, or ""."""
    for other in schema.tables:
        for key in other.foreign_keys:
            if key.target != table.name or len(key.columns) != len(key.target_columns):
                continue
            columns = ", ".join(f"{quote(c)} COLLATE BINARY" for c in key.columns)
            left = columns if len(key.columns) == 1 else f"({columns})"
            wanted = ", ".join(map(quote, key.target_columns))
            hit = connection.execute(
                f"SELECT 1 FROM {quote(other.name)} WHERE {left} IN "
                f"(SELECT {wanted} FROM {quote(table.name)} WHERE {broken}) LIMIT 1"
            ).fetchone()
            if hit:
                return other.name
    return ""
