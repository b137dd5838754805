"""What a derived schema asks somebody to decide: text that folds case, columns of several kinds of values."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from wizard.context import Cancel
from wizard.databases import derive_types as types
from wizard.databases.derive_draft import Draft, check_names, open_draft
from wizard.databases.sqlite import clauses
from wizard.databases.sqlite.rowkeys import first_keys
from wizard.databases.sqlite.schema import Schema, quote
from wizard.model import Choice, Decision

_CITEXT = Choice("citext", "the column becomes citext, which folds case; the extension must be available")
_LOWER = Choice(
    "lower_index", "unique and other indexes fold case by lower(); the app must compare by lower(), too"
)
_BINARY = Choice("binary", "text is compared exactly: values that differ in case are no longer the same")
_EXACT = Choice("binary", "text is compared exactly")
_TEXT = Choice(
    "text", "the column becomes text: numbers turn into their digits, bytes into \\x and hexadecimal digits"
)
_BYTES = Choice("bytes", "the column becomes bytea: text and numbers turn into the bytes of their text")


def judge(
    schema: Schema, connection: sqlite3.Connection, chosen: Mapping[str, Mapping[str, str]], cancel: Cancel
) -> list[Decision]:
    """Every decision that deriving tables for `schema` asks for, with the choice in `chosen` filled in.

    Raises UsageError `name-not-possible`, Stopped.
    """
    found = []
    for table in schema.tables:
        cancel.check()
        check_names(table)
        several = any(stats.classes > 1 for stats in types.survey(connection, table).values())
        if not several and not clauses.collations(table):
            continue  # types are only chosen, which reads every text, where something may be asked
        draft = open_draft(connection, table, chosen)
        found += [_mixed(draft, c) for c, typed in draft.typed.items() if typed.mixed]
        found += [_collation(draft, c, rule) for c, rule in draft.folded.items()]
    return [
        Decision(
            d.subject, d.code, d.message, d.count, d.keys, d.choices, chosen.get(d.subject, {}).get(d.code)
        )
        for d in found
    ]


def _mixed(draft: Draft, column: str) -> Decision:
    stats = draft.typed[column].stats
    kinds = {"integer": stats.integers, "real": stats.reals, "text": stats.texts, "blob": stats.blobs}
    main = max(kinds, key=lambda kind: kinds[kind])
    counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
    subject = f"{draft.table.name}.{column}"
    other = f"typeof({quote(column)}) NOT IN ('null', '{main}')"
    return Decision(
        subject,
        "mixed_types",
        f"{subject} holds values of several kinds ({counted}); a column of PostgreSQL has one type.",
        stats.filled - kinds[main],
        first_keys(draft.connection, draft.table, other),
        (_BYTES, _TEXT) if stats.blobs else (_TEXT,),
    )


def _collation(draft: Draft, column: str, rule: str) -> Decision:
    subject = f"{draft.table.name}.{column}"
    count = draft.typed[column].stats.texts
    if rule == "NOCASE":
        message = f"{subject} compares text without regard to case (NOCASE); PostgreSQL's text does not."
        return Decision(subject, "nocase", message, count, (), (_CITEXT, _LOWER, _BINARY))
    message = f"{subject} compares text by the collation {rule}, which PostgreSQL does not have."
    return Decision(subject, "collation", message, count, (), (_EXACT,))
