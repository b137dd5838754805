"""What changed between two dumps of one database, by key; what grows with the data stands in files."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from wizard.context import Cancel
from wizard.databases.postgres.dumps.apply import Change
from wizard.databases.postgres.dumps.dump import Dump, Rows, key_of


def changes(base: Dump, new: Dump, work: Path, cancel: Cancel) -> tuple[Change, ...]:
    """Every table that differs. Both dumps have the same schema. Files are written to `work`."""
    before = {table.label: table for table in base.tables}
    work.mkdir(parents=True, exist_ok=True)
    found = []
    for number, table in enumerate(new.tables):
        old = before[table.label]
        if old.content == table.content:
            continue
        if not table.key:
            found.append(Change(table, table.rows, old.rows))
            continue
        found.append(_keyed(base, old, new, table, work / f"{number:05}", cancel))
    return tuple(found)


def _keyed(base: Dump, old: Rows, new: Dump, table: Rows, stem: Path, cancel: Cancel) -> Change:
    scratch, keys, added = (stem.with_suffix(end) for end in (".scratch", ".keys", ".copy"))
    scratch.unlink(missing_ok=True)
    more = deleted = 0
    with closing(sqlite3.connect(scratch, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE old (key TEXT PRIMARY KEY, digest BLOB) WITHOUT ROWID")
        db.execute("BEGIN")
        for key, line in _lines(base, old, cancel):
            db.execute("INSERT INTO old VALUES (?, ?)", (key, _digest(line)))
        with keys.open("w", encoding="utf-8") as doomed, added.open("wb") as lines:
            for key, line in _lines(new, table, cancel):
                row = db.execute("SELECT digest FROM old WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    db.execute("DELETE FROM old WHERE key = ?", (key,))
                    if row[0] == _digest(line):
                        continue
                    doomed.write(key + "\n")
                    deleted += 1
                lines.write(_loaded(table, line))
                more += 1
            for (key,) in db.execute("SELECT key FROM old"):
                doomed.write(key + "\n")
                deleted += 1
        db.execute("COMMIT")
    scratch.unlink()
    return Change(table, more, deleted, keys, added)


def _lines(dump: Dump, table: Rows, cancel: Cancel) -> Iterator[tuple[str, bytes]]:
    """(key as JSON, line) of every row."""
    names = [*table.columns, *table.computed]
    places = [names.index(column) for column in table.key]
    for chunk in table.chunks:
        cancel.check()
        with (dump.folder / chunk.file).open("rb") as file:
            for line in file:
                yield json.dumps(key_of(line, places), ensure_ascii=False), line


def _loaded(table: Rows, line: bytes) -> bytes:
    """A line without its generated columns."""
    return line.rstrip(b"\n").rsplit(b"\t", len(table.computed))[0] + b"\n" if table.computed else line


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=20).digest()
