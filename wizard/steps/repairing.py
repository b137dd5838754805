"""Malformed Cloudinary addresses in a database: asked about before the run, put right with the references."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from wizard.answers import Answers
from wizard.context import Cancel, RunContext
from wizard.databases.sqlite.failures import explained
from wizard.databases.sqlite.rowkeys import key_columns, key_text
from wizard.databases.sqlite.schema import open_readonly, quote, read_schema
from wizard.events import FindingSeen, Progress, Warned
from wizard.model import Decision
from wizard.references import repairs
from wizard.references.columns import TextColumn
from wizard.references.repairs import HOST, Repairs, Tally

CODE = repairs.CODE
FILE = "addresses.sqlite3"
Chosen = Mapping[str, Mapping[str, str]]


def asks(answers: Answers) -> bool:
    """Whether these answers let references be rewritten, so that malformed addresses are asked about."""
    return answers.database is not None and answers.references == "rewrite"


def wanted(answers: Answers) -> frozenset[str]:
    """The columns, or paths of documents, in which addresses are to be repaired."""
    if answers.database is None or not asks(answers):
        return frozenset()
    return repairs.wanted(answers.database.decisions)


@contextmanager
def opened(ctx: RunContext) -> Iterator[Repairs]:
    """The run's repairs, with what earlier executions confirmed."""
    with repairs.opened(ctx.folder.work / FILE, ctx.web) as found:
        yield found


def judge_snapshot(
    snapshot: Path, chosen: Chosen, skip_tables: Collection[str], cancel: Cancel
) -> list[Decision]:
    """The decisions that a SQLite snapshot asks for. Raises Stopped."""
    tally = Tally()
    with explained(snapshot), closing(open_readonly(snapshot)) as source:
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for table in read_schema(source).tables:
            names = [c.name for c in table.columns if not c.generated]
            if table.name in skip_tables or not names:
                continue
            keys = key_columns(table)
            holds = " OR ".join(f"(typeof({quote(n)}) = 'text' AND instr({quote(n)}, ?))" for n in names)
            columns = ", ".join([*map(quote, names), *keys])
            query = f"SELECT {columns} FROM {quote(table.name)} WHERE {holds}"
            for row in source.execute(query, [HOST] * len(names)):
                cancel.check()
                key = key_text(table, row[len(names) :]) if keys else ""
                for name, value in zip(names, row, strict=False):
                    if isinstance(value, str):
                        tally.look(f"{table.name}.{name}", key, value)
    return tally.decisions(chosen)


def judge_server(
    connection: psycopg.Connection, columns: Iterable[TextColumn], chosen: Chosen, cancel: Cancel
) -> list[Decision]:
    """The decisions that a PostgreSQL database asks for as it stands. Reads only. Raises Stopped."""
    tally = Tally()
    for column in columns:
        for key, text in _texts(connection, column, cancel):
            tally.look(f"{column.label}.{column.name}", key, text)
    return tally.decisions(chosen)


def named(ctx: RunContext, columns: Iterable[TextColumn]) -> dict[tuple[str, str], TextColumn]:
    """Those of `columns` whose addresses are to be repaired, by (label, column)."""
    subjects = wanted(ctx.answers)
    found = {(c.label, c.name): c for c in columns if f"{c.label}.{c.name}" in subjects}
    for subject in sorted(subjects - {f"{c.label}.{c.name}" for c in found.values()}):
        said = f"{subject} is no column of text in the database; its malformed addresses stay as they are."
        ctx.emit(Warned("references-not-rewritten", said))
    return found


def confirm(
    ctx: RunContext, connection: psycopg.Connection, columns: Iterable[TextColumn], found: Repairs
) -> None:
    """Look through `columns` and ask for each address before a row is locked. Raises Stopped."""
    for column in columns:
        for _, text in _texts(connection, column, ctx.cancel):
            found.see(f"{column.label}.{column.name}", text)
    ask(ctx, found)


def ask(ctx: RunContext, found: Repairs) -> None:
    """Ask for what was seen, telling how far it is. Raises Stopped."""
    asked = 0

    def progress(count: int) -> None:
        nonlocal asked
        asked += count
        ctx.emit(Progress("references", "", asked, None, "addresses", "res.cloudinary.com"))

    found.confirm(ctx.cancel, progress)


def _texts(connection: psycopg.Connection, column: TextColumn, cancel: Cancel) -> Iterator[tuple[str, str]]:
    keys = sql.SQL("concat_ws(', ', {})").format(column.key_text()) if column.key else sql.SQL("''")
    query = sql.SQL("SELECT {}, {} FROM {} WHERE strpos({}, %s) > 0").format(
        keys, column.text, column.source, column.text
    )
    with connection.transaction(), connection.cursor(name="ashore_addresses") as cursor:
        cursor.itersize = 500
        for key, text in cursor.execute(query, (HOST,)):
            cancel.check()
            yield str(key), str(text)


def tell(ctx: RunContext, found: Repairs) -> dict[str, object]:
    """The addresses that no fetch confirmed, as findings; the facts for the step's summary."""
    count, examples = found.unconfirmed()
    for place, address, why in examples:
        said = f"{place} holds {address}: the repaired address was not confirmed ({why}); it stays as it is."
        ctx.emit(FindingSeen("malformed-url", "warning", said, place))
    shown = [{"place": place, "address": address, "why": why} for place, address, why in examples]
    return {"unconfirmed": count, "unconfirmed_examples": shown}


def sentence(found: Repairs) -> str:
    """A part of the step's summary, "" where there is nothing to say."""
    count, _ = found.unconfirmed()
    return f"; {count:,} malformed addresses stay: no right one answers" if count else ""


def of_choice(decisions: Iterable[Decision], chosen: Chosen) -> list[Decision]:
    """Decisions found before, with what the answers say now."""
    return [
        dataclasses.replace(d, chosen=chosen[d.subject].get(repairs.CODE) if d.subject in chosen else None)
        for d in decisions
    ]
