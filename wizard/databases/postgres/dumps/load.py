"""Loads a dump: entries of its script and files of rows, each in one transaction with its mark in the record.

What stands in `ashore.progress` decides where to go on, after a kill as after a lost connection.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence

import psycopg
from psycopg import sql

from wizard.databases.postgres import record
from wizard.databases.postgres.connect import is_lost, translate
from wizard.databases.postgres.dumps.dump import Chunk, Dump, Rows, changed
from wizard.databases.postgres.dumps.script import Entry
from wizard.databases.postgres.target import Target, literal
from wizard.errors import NotAsPlanned, StepFailed, UsageError

PIECE = 1 << 20
LOSSES_WITHOUT_PROGRESS = 3


def run_entries(
    target: Target, part: str, listed: Sequence[Entry], at_once: int, upto: int, check: Callable[[], None]
) -> int:
    """Run the entries of a script up to number `upto`, some in a transaction, the fact `part` of the record
    saying how many stand. Returns how many it ran. May be repeated after a kill.

    Raises NotAsPlanned `schema-half-made` where another script was begun, StepFailed `schema-refused`.
    """
    digest = hashlib.sha256(repr([entry.sql for entry in listed]).encode()).hexdigest()
    known = record.get(target.connection, target.run)
    begun, done = (known.facts.get(part) if known is not None else None) or (digest, 0)
    if begun != digest:
        raise NotAsPlanned(
            "schema-half-made",
            "Some of the tables were made from another snapshot of the source, before that run was lost.",
            "Start anew with `ashore run` on an empty database.",
        )
    first = done
    while done < upto:
        check()
        now = min(done + at_once, upto)
        with target.transaction() as cursor:
            cursor.execute("SET LOCAL search_path = ''")
            cursor.execute("SET LOCAL check_function_bodies = false")
            for entry in listed[done:now]:
                try:
                    cursor.execute(literal(entry.sql))
                except psycopg.Error as error:
                    if is_lost(error, target.connection):
                        raise
                    raise _refused(entry, error) from error
            record.add_facts(cursor, target.run, {part: [digest, now]})
        done = now
    return done - first


def _refused(entry: Entry, error: psycopg.Error) -> StepFailed:
    what = f"{entry.type.lower()} {entry.name}" + (f" in {entry.schema}" if entry.schema != "-" else "")
    broken = isinstance(error, psycopg.errors.IntegrityError)
    return StepFailed(
        "constraint-broken" if broken else "schema-refused",
        f"The target's server does not take the {what}: {error.diag.message_primary}. What came before it "
        "stands.",
        "Repair the rows at the source, then start a new run on an empty database."
        if broken
        else "Mend it at the source or at the target, then `ashore resume`; or use an empty database of the "
        "source's version.",
    )


def lines(dump: Dump, table: Rows, chunk: Chunk) -> Iterator[bytes]:
    """A chunk's bytes as they are loaded, generated columns left out. Raises NotAsPlanned `snapshot-changed`
    at the end where they are not what was taken: inside the caller's transaction."""
    path = dump.folder / chunk.file
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            if not table.computed:
                while piece := file.read(PIECE):
                    digest.update(piece)
                    yield piece
            else:
                for line in file:
                    digest.update(line)
                    yield line.rstrip(b"\n").rsplit(b"\t", len(table.computed))[0] + b"\n"
    except FileNotFoundError as error:
        raise changed(path) from error
    if digest.hexdigest() != chunk.sha256:
        raise changed(path)


def copy_statement(table: Rows) -> sql.Composed:
    """The statement that takes a chunk's lines."""
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.schema, table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )


def put(cursor: psycopg.Cursor, dump: Dump, table: Rows, chunk: Chunk) -> None:
    """Copy one chunk within the caller's transaction. Raises StepFailed `row-refused`."""
    try:
        with cursor.copy(copy_statement(table)) as copy:
            for piece in lines(dump, table, chunk):
                copy.write(piece)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise StepFailed(
            "row-refused",
            f"The database refused a row of {table.label}: {error.diag.message_primary}. "
            "This chunk was not written.",
            "Repair that row at the source, then start a new run.",
        ) from error
    if cursor.rowcount != chunk.rows:
        raise changed(dump.folder / chunk.file)


def mark(cursor: psycopg.Cursor, target: Target, table: Rows, number: int) -> None:
    """Note a chunk as loaded; another execution's is in the way (unique key)."""
    chunk = table.chunks[number]
    low = table.chunks[number - 1].high if number else None
    last = number == len(table.chunks) - 1
    cursor.execute(
        "INSERT INTO ashore.progress (run, table_name, chunk, low, high, rows, digest, epoch) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            target.run,
            table.label,
            number,
            None if low is None else json.dumps(low),
            None if last or chunk.high is None else json.dumps(chunk.high),
            chunk.rows,
            bytes.fromhex(chunk.sha256),
            target.epoch,
        ),
    )


def recorded(target: Target, table: Rows) -> list[tuple[int, bytes]]:
    """(rows, digest) of each chunk that the target says was loaded, in order."""
    return [
        (int(rows), bytes(digest))
        for rows, digest in target.connection.execute(
            "SELECT rows, digest FROM ashore.progress WHERE run = %s AND table_name = %s ORDER BY chunk",
            (target.run, table.label),
        )
    ]


def load_table(
    target: Target, dump: Dump, table: Rows, check: Callable[[], None], seen: Callable[[int], None]
) -> int:
    """Load what is missing of a table; returns its rows in all. A lost session is opened again."""
    losses, before = 0, -1
    while True:
        try:
            return _load_rest(target, dump, table, check, seen)
        except psycopg.Error as error:
            if not is_lost(error, target.connection):
                raise
            lost = error
        target.reopen()
        done = len(recorded(target, table))
        losses, before = (losses + 1 if done <= before else 1), done
        if losses >= LOSSES_WITHOUT_PROGRESS:
            raise translate(lost) from lost


def _load_rest(
    target: Target, dump: Dump, table: Rows, check: Callable[[], None], seen: Callable[[int], None]
) -> int:
    begun = recorded(target, table)
    rows = sum(count for count, _ in begun)
    for number in range(len(begun), len(table.chunks)):
        check()
        with target.transaction() as cursor:
            mark(cursor, target, table, number)
            if number == 0:
                require_empty(cursor, table)
            put(cursor, dump, table, table.chunks[number])
        rows += table.chunks[number].rows
        seen(rows)
    return rows


def require_empty(cursor: psycopg.Cursor, table: Rows) -> None:
    """Lock the table and see that nobody has written to it. Raises UsageError `table-not-seed`."""
    name = sql.Identifier(table.schema, table.name)
    cursor.execute(sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE").format(name))
    if cursor.execute(sql.SQL("SELECT 1 FROM ONLY {} LIMIT 1").format(name)).fetchone() is not None:
        raise UsageError(
            "table-not-seed",
            f"The target's table {table.label} holds rows that this run did not write. "
            "They were left as they are.",
            "Stop what writes to the target, then use an empty database.",
        )
