"""References in a PostgreSQL database as it stands: looked for in every column of text, and rewritten there.

Beside the addresses that `locate` knows, a whole value may be a file's path on the app's disk, such as
`uploads/12/a.png` or `/app/uploads/12/a.png`: apps without a storage layer keep what their upload
handler gave.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath

import psycopg
from psycopg import sql

from wizard.context import Cancel
from wizard.references.columns import TextColumn
from wizard.references.files import Files
from wizard.references.find import EXAMPLES, Example, Found
from wizard.references.locate import MediaUrl, locate
from wizard.references.rewrite import rewrite

LONGEST = 1024
_BATCH = 500


@dataclass(frozen=True)
class Places:
    """How an app names its stored files: `medias` are addresses, `folders` names of folders on its disk."""

    files: Files
    medias: tuple[MediaUrl, ...]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, files: Files, stores: Sequence[str], media_url: str | None) -> Places:
        """For stores at these paths. Where the app's `media_url` is not known, a folder is taken to be served
        below its own name."""
        names = tuple(dict.fromkeys(PurePosixPath(store).name for store in stores))
        urls = [media_url] if media_url is not None else [f"/{name}/" for name in names]
        medias = [media for url in urls if (media := MediaUrl.parse(url)) is not None]
        return cls(files, tuple(dict.fromkeys(medias)), tuple(name for name in names if name))

    @property
    def needles(self) -> tuple[str, ...]:
        """One of these stands in every text that `change` changes."""
        found = [needle for media in self.medias for needle in media.needles()]
        return tuple(dict.fromkeys([*found, *(f"{name}/" for name in self.folders)]))

    def path(self, text: str) -> str | None:
        """The name of the file whose path on disk the whole text is; None where it is something else."""
        if len(text) > LONGEST or "://" in text or "\n" in text:
            return None
        for folder in self.folders:
            match = re.fullmatch(rf"(?:[^\s:?#]*/)?{re.escape(folder)}/(.+)", text)
            if match is not None and self.files.known(match.group(1)):
                return match.group(1)
        return None

    def change(self, text: str) -> tuple[str, int]:
        """(new text, references in it)."""
        name = self.path(text)
        if name is not None:
            address = self.files.address(name)
            return (address, 1) if address is not None else (text, 0)
        count = 0
        for media in self.medias:
            text, more = rewrite(text, media, self.files.known, self.files.address, self.files.own)
            count += more
        return text, count


def find_server(
    connection: psycopg.Connection,
    columns: Sequence[TextColumn],
    places: Places,
    cancel: Cancel,
) -> Found:
    """Read every text of `columns` once; what is kept meanwhile lies in a temporary file. Raises Stopped."""
    found = Found()
    with closing(sqlite3.connect("")) as scratch:
        scratch.execute("CREATE TABLE file (name TEXT PRIMARY KEY) WITHOUT ROWID")
        scratch.execute("CREATE TABLE named (name TEXT PRIMARY KEY) WITHOUT ROWID")
        names = ((name,) for name in places.files.names())
        scratch.executemany("INSERT OR IGNORE INTO file VALUES (?)", names)
        for column in columns:
            cancel.check()
            _column(connection, column, places, found, scratch, cancel)
        where = "FROM file WHERE name NOT IN (SELECT name FROM named)"
        found.unnamed = scratch.execute(f"SELECT count(*) {where}").fetchone()[0]
        examples = scratch.execute(f"SELECT name {where} ORDER BY name LIMIT {EXAMPLES}")
        found.unnamed_examples = [name for (name,) in examples]
    return found


def _column(
    connection: psycopg.Connection,
    column: TextColumn,
    places: Places,
    found: Found,
    scratch: sqlite3.Connection,
    cancel: Cancel,
) -> None:
    names = others = 0
    examples: list[Example] = []
    for key, text in _values(connection, column, cancel):
        path = places.path(text)
        if path is not None:
            found.addresses += 1
            found.columns.add((column.label, column.name))
            found.hosts[""] = found.hosts.get("", 0) + 1
            scratch.execute("INSERT OR IGNORE INTO named VALUES (?)", (path,))
            continue
        if _may_be_name(text):
            if places.files.known(text):
                names += 1
                scratch.execute("INSERT OR IGNORE INTO named VALUES (?)", (text,))
            elif "/" in text[1:] and "." in text.rpartition("/")[2][1:]:
                others += 1
                examples += (
                    [Example(column.label, column.name, key, text)] if len(examples) < EXAMPLES else []
                )
        for media in places.medias:
            if not any(needle in text for needle in media.needles()):
                continue
            for ref in locate(text, media, places.files.known, places.files.own):
                if ref.path is None:
                    found.dangle(Example(column.label, column.name, key, ref.written))
                    continue
                found.addresses += 1
                found.columns.add((column.label, column.name))
                found.hosts[ref.host] = found.hosts.get(ref.host, 0) + 1
                scratch.execute("INSERT OR IGNORE INTO named VALUES (?)", (ref.path,))
    if names:
        # In a column that holds names of files, other paths are dangling.
        found.relative += names
        found.dangling += others
        found.dangling_examples += examples[: max(0, EXAMPLES - len(found.dangling_examples))]


def _may_be_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST and "\n" not in text and "://" not in text and text[0] not in "/{["


def _values(connection: psycopg.Connection, column: TextColumn, cancel: Cancel) -> Iterator[tuple[str, str]]:
    """(key, text) of every value in which a file could be named at all."""
    keys = sql.SQL("concat_ws(', ', {})").format(column.key_text()) if column.key else sql.SQL("''")
    query = sql.SQL("SELECT {}, {} FROM {} WHERE strpos({}, '/') > 0 OR strpos({}, '.') > 0").format(
        keys, column.text, column.source, column.text, column.text
    )
    with connection.transaction(), connection.cursor(name="ashore_references") as cursor:
        cursor.itersize = _BATCH
        for number, (key, text) in enumerate(cursor.execute(query)):
            if number % _BATCH == 0:
                cancel.check()
            yield str(key), str(text)
