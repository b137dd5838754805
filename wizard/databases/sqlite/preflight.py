"""Finds what cannot be carried exactly, in the source alone, before anything is written.

What depends on the target's real column types (scale, precision, width) is judged again by `recheck`.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path

from wizard.context import Cancel
from wizard.databases.sqlite import orphans, values
from wizard.databases.sqlite.failures import explained, primary_code
from wizard.databases.sqlite.schema import Schema, open_readonly, read_schema
from wizard.model import Choice, Decision

LEAVE = Choice("leave", "stays at the source; the app must do without it or make it anew")


def examine(
    snapshot: Path,
    chosen: Mapping[str, Mapping[str, str]],
    *,
    skip_tables: Collection[str] = (),
    judge_types: bool = True,
    cancel: Cancel | None = None,
) -> tuple[Decision, ...]:
    """All decisions that the data of `snapshot` asks for, with the answers' choice in `chosen` filled in.

    `skip_tables` belong to the target and are not copied. `judge_types` is False for a derived schema,
    whose types follow the values. Reads each table at most twice, one row at a time. Raises Stopped.
    """
    cancel = cancel or Cancel()
    with explained(snapshot):
        connection = open_readonly(snapshot)
        try:
            connection.set_progress_handler(lambda: 1 if cancel.asked() else 0, 100_000)
            schema = read_schema(connection)
            found: list[Decision] = []
            for table in schema.tables:
                if table.name not in skip_tables:
                    cancel.check()
                    found += values.judge(connection, table, judge_types, cancel)
            found += orphans.judge(connection, schema, skip_tables)
            found += objects(schema)
        except sqlite3.OperationalError as error:
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                cancel.check()
            raise
        finally:
            connection.close()
    return tuple(dataclasses.replace(d, chosen=chosen.get(d.subject, {}).get(d.code)) for d in found)


def objects(schema: Schema) -> list[Decision]:
    """Views, triggers and virtual tables: they do not move, and somebody must agree to that."""
    found = [
        Decision(f"view:{v.name}", "view", f"The view {v.name} is not carried over.", 1, (), (LEAVE,))
        for v in schema.views
    ]
    found += [
        Decision(
            f"trigger:{t.name}",
            "trigger",
            f"The trigger {t.name} on {t.table} is not carried over.",
            1,
            (),
            (LEAVE,),
        )
        for t in schema.triggers
    ]
    found += [
        Decision(
            v.name,
            "virtual_table",
            f"{v.name} is a virtual table (a search index or the like); its contents are not carried over.",
            1,
            (),
            (LEAVE,),
        )
        for v in schema.virtual_tables
    ]
    return found
