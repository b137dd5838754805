"""What differs between two copies of a collection, by `_id` and byte for byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from wizard.databases.mongo import raw
from wizard.databases.mongo.dump import Copied, Dump


@dataclass(frozen=True, slots=True)
class Change:
    """A document that was added, replaced (`document` is the new one) or deleted (None)."""

    identity: bytes
    document: bytes | None


def changes(old: Dump, before: Copied | None, new: Dump, after: Copied | None) -> Generator[Change]:
    """The changes of one collection; None on a side that has none of that name.

    While both copies run in step nothing is kept; from the first difference on, the older copy's digests lie
    in a temporary file of SQLite.
    """
    ours = old.documents(before) if before is not None else iter(())
    theirs = new.documents(after) if after is not None else iter(())
    left: list[bytes] = []
    rest: list[bytes] = []
    for theirs_one in theirs:
        ours_one = next(ours, None)
        if ours_one is None or raw.identity(ours_one) != raw.identity(theirs_one):
            left += [] if ours_one is None else [ours_one]
            rest.append(theirs_one)
            break
        if ours_one != theirs_one:
            yield Change(raw.identity(theirs_one), theirs_one)
    with closing(sqlite3.connect("")) as store:
        store.execute("CREATE TABLE old (id BLOB PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID")
        for stream in (left, ours):
            store.executemany("INSERT INTO old VALUES (?, ?)", ((raw.identity(d), d) for d in stream))
        for stream in (rest, theirs):
            for document in stream:
                key = raw.identity(document)
                row = store.execute("SELECT document FROM old WHERE id = ?", (key,)).fetchone()
                if row is not None:
                    store.execute("DELETE FROM old WHERE id = ?", (key,))
                if row is None or row[0] != document:
                    yield Change(key, document)
        for (key,) in store.execute("SELECT id FROM old"):
            yield Change(bytes(key), None)
