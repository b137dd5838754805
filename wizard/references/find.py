"""Looks through the snapshot for every value that names a stored file, and for files that none names."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wizard.context import Cancel
from wizard.databases.sqlite.failures import explained
from wizard.databases.sqlite.rowkeys import key_columns, key_text
from wizard.databases.sqlite.schema import Table, open_readonly, quote, read_schema
from wizard.references.files import Files
from wizard.references.locate import MediaUrl, locate

EXAMPLES = 5
_NAME_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Example:
    """A value that names a file: where it stands, and the name as written."""

    table: str
    column: str
    key: str
    name: str


@dataclass
class Found:
    """What the snapshot says of files.

    `columns`: (table, column) with at least one address of a stored file. `addresses` counts those,
    `relative` counts values that are a stored name by themselves. `dangling` counts names, of both
    forms, whose file does not exist; `unnamed` counts files that no value names. `hosts` counts the
    addresses by host, "" for those without.
    """

    columns: set[tuple[str, str]] = field(default_factory=set)
    addresses: int = 0
    relative: int = 0
    dangling: int = 0
    dangling_examples: list[Example] = field(default_factory=list)
    unnamed: int = 0
    unnamed_examples: list[str] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)

    def dangle(self, example: Example) -> None:
        self.dangling += 1
        if len(self.dangling_examples) < EXAMPLES:
            self.dangling_examples.append(example)


def find(
    snapshot: Path,
    files: Files,
    media: MediaUrl | None,
    *,
    skip_tables: Collection[str] = (),
    cancel: Cancel | None = None,
) -> Found:
    """Read every text value of `snapshot` once. `media` None: only relative names are looked for.

    The list of names is kept by SQLite, which moves it to a temporary file when it grows. Raises Stopped.
    """
    cancel = cancel or Cancel()
    found = Found()
    with explained(snapshot):
        connection = open_readonly(snapshot)
        try:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.execute("CREATE TEMP TABLE file (name TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.execute("CREATE TEMP TABLE named (name TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT OR IGNORE INTO temp.file VALUES (?)", ((name,) for name in files.names())
            )
            connection.execute("COMMIT")
            for table in read_schema(connection).tables:
                if table.name in skip_tables:
                    continue
                cancel.check()
                for column in (c.name for c in table.columns if not c.generated):
                    _relative(connection, table, column, found)
                    if media is not None:
                        _addresses(connection, table, column, files, media, found, cancel)
            _unnamed(connection, found)
        finally:
            connection.close()
    return found


def _relative(connection: sqlite3.Connection, table: Table, column: str, found: Found) -> None:
    """Values that are a name by themselves. In a column that holds one, other paths are dangling."""
    value, place = f"t.{quote(column)}", f"main.{quote(table.name)} AS t"
    text = f"typeof({value}) = 'text'"
    hits = connection.execute(
        f"SELECT count(*) FROM {place} CROSS JOIN temp.file AS f ON f.name = {value} WHERE {text}"
    ).fetchone()[0]
    if not hits:
        return
    found.relative += hits
    connection.execute(
        f"INSERT OR IGNORE INTO temp.named SELECT f.name FROM {place} "
        f"CROSS JOIN temp.file AS f ON f.name = {value} WHERE {text}"
    )
    keys = [f"t.{k}" for k in key_columns(table)]
    rows = connection.execute(
        f"SELECT {', '.join([value, *keys])} FROM {place} WHERE {text} AND {value} GLOB '?*/*.?*' "
        f"AND {value} NOT GLOB '/*' AND instr({value}, '://') = 0 AND instr({value}, char(10)) = 0 "
        f"AND length({value}) <= {_NAME_LENGTH} AND {value} NOT IN (SELECT name FROM temp.file)"
    )
    for name, *key in rows:
        found.dangle(Example(table.name, column, key_text(table, key) if key else "", name))


def _addresses(
    connection: sqlite3.Connection,
    table: Table,
    column: str,
    files: Files,
    media: MediaUrl,
    found: Found,
    cancel: Cancel,
) -> None:
    names: set[str] = set()
    for number, (text, key) in enumerate(_candidates(connection, table, column, media)):
        if number % 100 == 0:
            cancel.check()
            _note(connection, names)
        for ref in locate(text, media, files.known, files.own):
            if ref.path is None:
                found.dangle(Example(table.name, column, key, ref.written))
                continue
            found.addresses += 1
            found.columns.add((table.name, column))
            found.hosts[ref.host] = found.hosts.get(ref.host, 0) + 1
            names.add(ref.path)
    _note(connection, names)


def _candidates(
    connection: sqlite3.Connection, table: Table, column: str, media: MediaUrl
) -> Iterator[tuple[str, str]]:
    """(text, key) of the values in which the prefix stands at all."""
    name = quote(column)
    where = " OR ".join(f"instr({name}, ?) > 0" for _ in media.needles())
    keys = key_columns(table)
    rows = connection.execute(
        f"SELECT {', '.join([name, *keys])} FROM {quote(table.name)} "
        f"WHERE typeof({name}) = 'text' AND ({where})",
        media.needles(),
    )
    for text, *key in rows:
        yield text, key_text(table, key) if key else ""


def _note(connection: sqlite3.Connection, names: set[str]) -> None:
    connection.executemany("INSERT OR IGNORE INTO temp.named VALUES (?)", ((n,) for n in names))
    names.clear()


def _unnamed(connection: sqlite3.Connection, found: Found) -> None:
    where = "FROM temp.file WHERE name NOT IN (SELECT name FROM temp.named)"
    found.unnamed = connection.execute(f"SELECT count(*) {where}").fetchone()[0]
    found.unnamed_examples = [
        name for (name,) in connection.execute(f"SELECT name {where} ORDER BY name LIMIT {EXAMPLES}")
    ]
