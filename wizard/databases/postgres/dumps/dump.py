"""Takes a dump of a source in one consistent snapshot, and reads it back.

A folder: `manifest.json`, `pre.sql` and `post.sql` (pg_dump's script before and after the rows), and for each
table files of COPY text in key order, each of bounded bytes and with its SHA-256 in the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import TypeAdapter

from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.databases.postgres import pgtools
from wizard.databases.postgres.dumps import source
from wizard.databases.postgres.dumps.source import Table, label
from wizard.errors import NotAsPlanned
from wizard.state import write_whole

CHUNK_BYTES = 8 * 1024 * 1024
BETWEEN = 2000  # rows between two looks at the stop flag and two words of progress
MANIFEST = "manifest.json"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_UNESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of COPY lines. `high` is the key of its last row as texts, None without a key."""

    file: str
    rows: int
    bytes: int
    sha256: str
    high: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows in the dump. `columns` are loaded, `computed` (generated) stand behind them in a line.

    `types` are those of the key's columns, `collated` which of them are ordered by their bytes.
    """

    schema: str
    name: str
    columns: tuple[str, ...]
    computed: tuple[str, ...]
    key: tuple[str, ...]
    types: tuple[str, ...]
    collated: tuple[bool, ...]
    chunks: tuple[Chunk, ...]

    @property
    def label(self) -> str:
        return label(self.schema, self.name)

    @property
    def rows(self) -> int:
        return sum(chunk.rows for chunk in self.chunks)

    @property
    def content(self) -> tuple[str, ...]:
        """The same for two dumps exactly where the rows are."""
        return tuple(chunk.sha256 for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump as its manifest has it. `about` is what `source.surroundings` saw, and more of its kind."""

    folder: Path
    fingerprint: str
    tables: tuple[Rows, ...]
    about: dict[str, Any]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(chunk.bytes for table in self.tables for chunk in table.chunks)

    def script(self, part: str) -> str:
        """pg_dump's script, `pre` or `post`."""
        return (self.folder / f"{part}.sql").read_text(encoding="utf-8")

    @property
    def digest(self) -> str:
        """Identifies the dump by its manifest."""
        return hashlib.sha256((self.folder / MANIFEST).read_bytes()).hexdigest()


def take(
    url: Secret,
    run: str,
    folder: Path,
    cancel: Cancel,
    progress: Callable[[str, int], None] = lambda table, rows: None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Dump:
    """Dump the database behind `url` into `folder`, whole or not at all. The source is only read.

    Raises UsageError `pgtools-missing`, `pgtools-old`; StepFailed `pgtools-failed`; Refused; Stopped.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "rows").mkdir(parents=True)
    with source.open_source(url, run, cancel.wait) as connection:
        program = pgtools.find("pg_dump", connection.info.server_version)
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None
            found = source.tables(connection)
            _scripts(program, url, str(row[0]), part, found, cancel)
            about = source.surroundings(connection)
            about["facts"] = source.facts(connection)
            about["sequences"] = source.sequences(connection)
            about["left_out"] = [[t.schema, t.name, why] for t in found if (why := _why_not(connection, t))]
            prints = source.fingerprint(connection)
            kept = [
                _table(connection, part, number, table, cancel, progress, chunk_bytes)
                for number, table in enumerate(t for t in found if t.columns and not _why_not(connection, t))
            ]
    manifest = {"version": 1, "fingerprint": prints, "about": about, "tables": [asdict(t) for t in kept]}
    write_whole(part / MANIFEST, json.dumps(manifest, ensure_ascii=False).encode())
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    _sync_folder(folder.parent)
    return load(folder)


def _why_not(connection: psycopg.Connection, table: Table) -> str:
    """Why the rows of a table cannot be copied, "" where they can: an answer must decide."""
    if not table.readable:
        return "this role may not read it"
    if table.forced:
        return "its policies hide rows also from its owner (FORCE ROW LEVEL SECURITY)"
    if not table.columns:
        query = sql.SQL("SELECT 1 FROM ONLY {} LIMIT 1").format(sql.Identifier(table.schema, table.name))
        return "it has rows without a column" if connection.execute(query).fetchone() else ""
    return ""


def _scripts(
    program: Path, url: Secret, snapshot: str, part: Path, found: tuple[Table, ...], cancel: Cancel
) -> None:
    archive = part / "schema.dump"
    arguments = [
        *("--format=custom", "--schema-only", f"--snapshot={snapshot}", f"--file={archive}"),
        *("--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"),
        *("--no-security-labels", "--no-tablespaces", "--exclude-schema=ashore", "--encoding=UTF8"),
    ]
    for table in found:
        if not table.readable:
            quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (table.schema, table.name))
            arguments.append(f"--exclude-table={quoted}")
    pgtools.run(program, arguments, url, cancel)
    restore = pgtools.find("pg_restore", pgtools.version_of(program) * 10000)
    for name in ("pre", "post"):
        options = [f"--section={name}-data", "--no-owner", "--no-privileges", f"--file={part / name}.sql"]
        pgtools.run(restore, [*options, str(archive)], None, cancel)


def _table(
    connection: psycopg.Connection,
    part: Path,
    number: int,
    table: Table,
    cancel: Cancel,
    progress: Callable[[str, int], None],
    chunk_bytes: int,
) -> Rows:
    by_name = {c.name: c for c in table.columns}
    key = [by_name[name] for name in table.key]
    order = [sql.SQL('{} COLLATE "C"' if c.collated else "{}").format(sql.Identifier(c.name)) for c in key]
    query = sql.SQL("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT").format(
        sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns),
        sql.Identifier(table.schema, table.name),
        sql.SQL(" ORDER BY ") + sql.SQL(", ").join(order) if order else sql.SQL(""),
    )
    names = [c.name for c in table.columns]
    places = [names.index(c.name) for c in key]
    chunks: list[Chunk] = []
    seen = 0
    writer = _Writer(part, number, 0)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for message in copy:
            line = bytes(message)
            writer.add(line)
            seen += 1
            if seen % BETWEEN == 0:
                cancel.check()
                progress(table.label, seen)
            if writer.bytes >= chunk_bytes:
                chunks.append(writer.close(places, line))
                writer = _Writer(part, number, len(chunks))
                line = b""
    if writer.rows:
        chunks.append(writer.close(places, line))
    else:
        writer.drop()
    progress(table.label, seen)
    return Rows(
        table.schema,
        table.name,
        tuple(c.name for c in table.columns if not c.generated),
        tuple(c.name for c in table.columns if c.generated),
        table.key,
        tuple(c.type for c in key),
        tuple(c.collated for c in key),
        tuple(chunks),
    )


class _Writer:
    def __init__(self, part: Path, table: int, number: int) -> None:
        self._name = f"rows/{table:05}-{number:06}.copy"
        self._path = part / self._name
        self._file = self._path.open("wb")
        self._digest = hashlib.sha256()
        self.rows = self.bytes = 0

    def add(self, line: bytes) -> None:
        self._file.write(line)
        self._digest.update(line)
        self.rows += 1
        self.bytes += len(line)

    def close(self, places: list[int], last: bytes) -> Chunk:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        high = key_of(last, places) if places else None
        return Chunk(self._name, self.rows, self.bytes, self._digest.hexdigest(), high)

    def drop(self) -> None:
        self._file.close()
        self._path.unlink()


def key_of(line: bytes, places: list[int]) -> tuple[str, ...]:
    """The key in one COPY line, as texts."""
    cells = line.rstrip(b"\n").split(b"\t")
    return tuple(_unescaped(cells[place]).decode("utf-8") for place in places)


def _unescaped(cell: bytes) -> bytes:
    return _ESCAPED.sub(lambda m: _UNESCAPES.get(m[1], m[1]), cell) if b"\\" in cell else cell


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(folder: Path) -> Dump:
    """The dump in `folder`. Raises NotAsPlanned `snapshot-changed` where it is not whole."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise changed(folder) from error
    tables = tuple(TypeAdapter(list[Rows]).validate_python(data["tables"]))
    return Dump(folder, data["fingerprint"], tables, data["about"])


def changed(path: Path) -> NotAsPlanned:
    """The dump is not what was taken."""
    return NotAsPlanned(
        "snapshot-changed",
        f"The snapshot {path} is not the one this run took.",
        "Start anew with `ashore run`; what stands in the target is compared and taken over.",
    )
