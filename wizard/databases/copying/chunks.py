"""The rows of a source table in key order, cut into ranges of bounded bytes.

A range is open below for the first chunk and open above for the last, so that rows beyond what was
seen belong to one. The cut depends on the rows alone: reading again cuts at the same keys.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wizard.databases.copying.orphans import Orphans
from wizard.databases.sqlite.clauses import BUILT_IN, collations
from wizard.databases.sqlite.schema import Table, quote
from wizard.errors import UsageError

CHUNK_BYTES = 8 * 1024 * 1024
Key: TypeAlias = tuple[Any, ...]


def encode_key(key: Key | None) -> str | None:
    """A key as JSON for `ashore.progress`; None is an open end. Bytes become {"b": hex}."""
    if key is None:
        return None
    return json.dumps([{"b": v.hex()} if isinstance(v, bytes) else v for v in key])


def decode_key(text: str | None) -> Key | None:
    """The opposite of `encode_key`."""
    if text is None:
        return None
    return tuple(bytes.fromhex(v["b"]) if isinstance(v, dict) else v for v in json.loads(text))


@dataclass(frozen=True, slots=True)
class Reading:
    """How one table is read. `hidden` rows start with the rowid, which is not a column.

    `key_places` are where the key's parts stand in a row as read.
    """

    table: Table
    columns: tuple[str, ...]
    expressions: tuple[str, ...]
    key: tuple[str, ...]
    key_places: tuple[int, ...]
    hidden: bool
    where: str
    decisions: Mapping[str, Mapping[str, str]]

    @property
    def lenient(self) -> bool:
        """Text may hold bytes that are not UTF-8: it is read with them escaped, which is slower."""
        return any("invalid_utf8" in found for found in self.decisions.values())

    def key_of(self, row: Sequence[Any]) -> Key:
        return tuple(row[place] for place in self.key_places)

    def rows(self, connection: sqlite3.Connection, low: Key | None, high: Key | None) -> sqlite3.Cursor:
        """The rows with low < key <= high, in key order; None is an open end."""
        connection.text_factory = _escaped if self.lenient else str
        names = [*(["t." + self.key[0]] if self.hidden else []), *self.expressions]
        key = ", ".join(self._key_terms())
        conditions = [self.where] if self.where else []
        parameters: list[Any] = []
        for bound, sign in ((low, ">"), (high, "<=")):
            if bound is not None:
                conditions.append(f"({key}) {sign} ({', '.join('?' * len(bound))})")
                parameters += bound
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return connection.execute(
            f"SELECT {', '.join(names)} FROM {quote(self.table.name)} AS t{where} ORDER BY {key}", parameters
        )

    def _key_terms(self) -> list[str]:
        if self.hidden:
            return ["t." + name for name in self.key]
        # The app's own collations are not there to sort by; the built-in ones are the index's order.
        own = {c for c, name in collations(self.table).items() if name not in BUILT_IN}
        return [f"t.{quote(name)}{' COLLATE BINARY' if name in own else ''}" for name in self.key]

    def digest(self) -> hashlib.blake2b:
        """A fresh digest for one chunk: of the decisions, then of each row (`marshal.dumps(row, 2)`)."""
        start = json.dumps(
            [self.columns, {k: dict(v) for k, v in sorted(self.decisions.items())}], sort_keys=True
        )
        return hashlib.blake2b(start.encode(), digest_size=32)


def _escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def reading(
    table: Table, columns: Sequence[str], orphans: Orphans, decisions: Mapping[str, Mapping[str, str]]
) -> Reading:
    """How to read `columns` of `table`. `decisions` are all of the run's.

    Raises UsageError `table-without-key` for a table whose rowid cannot be named.
    """
    chosen = {c: decisions[f"{table.name}.{c}"] for c in columns if decisions.get(f"{table.name}.{c}")}
    if decisions.get(table.name):
        chosen[""] = decisions[table.name]
    expressions = tuple(orphans.expression(table.name, c, "t") for c in columns)
    key, hidden = _key(table, columns)
    return Reading(
        table=table,
        columns=tuple(columns),
        expressions=expressions,
        key=key,
        key_places=(0,) if hidden else tuple(list(columns).index(c) for c in key),
        hidden=hidden,
        where=orphans.kept(table.name, "t"),
        decisions=chosen,
    )


def _key(table: Table, columns: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    if table.rowid_alias is not None and table.rowid_alias in columns:
        return (table.rowid_alias,), False
    if not table.has_rowid:
        return table.primary_key, False
    taken = {c.name.lower() for c in table.columns}
    free = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    if free is None:
        raise UsageError(
            "table-without-key",
            f"The rows of table {table.name} cannot be told apart: its columns hide the rowid.",
            "Rename one of its columns rowid, _rowid_ or oid.",
        )
    return (free,), True
