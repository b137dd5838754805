"""PostgreSQL → PostgreSQL: what each step does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import TypeAdapter

from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.copying.meter import Meter
from wizard.databases.postgres import record
from wizard.databases.postgres.claim import prepare_record
from wizard.databases.postgres.connect import connect, translate
from wizard.databases.postgres.dumps import dump, load, script, source
from wizard.databases.postgres.dumps.dump import Dump
from wizard.databases.postgres.dumps.script import Entry
from wizard.databases.postgres.target import Target, open_target
from wizard.decisions import require_decided
from wizard.errors import NotAsPlanned, StepFailed, UsageError
from wizard.events import FindingSeen, Progress, Warned
from wizard.model import Decision
from wizard.steps import repairing
from wizard.steps.moves import postgres_judge

FIRST = "base.pgdump"
FACTS = "dump"
_AT_ONCE = 100  # entries a transaction: each holds locks, of which a server has a few thousand
_FIRST_POST = ("CONSTRAINT",)


def source_url(ctx: RunContext) -> Secret:
    """The connection string of the source."""
    database = ctx.answers.database
    assert database is not None
    assert database.source is not None
    return ctx.vault.resolve(database.source)


def chosen(ctx: RunContext) -> postgres_judge.Chosen:
    """The answers' decisions."""
    return ctx.answers.database.decisions if ctx.answers.database is not None else {}


def current(ctx: RunContext) -> Path:
    """The folder of the newest dump that the run goes by."""
    return ctx.folder.snapshots / str(ctx.journal.get(FACTS, "current") or FIRST)


def frozen(ctx: RunContext) -> Dump:
    """The newest dump that the run goes by. Raises NotAsPlanned `snapshot-changed`."""
    found = dump.load(current(ctx))
    if found.digest != (ctx.journal.get(FACTS, "digests") or {}).get(found.folder.name):
        raise dump.changed(found.folder)
    return found


def take(ctx: RunContext, name: str, step: str) -> Dump:
    """A dump in the run's folder under this name; it is not yet what the run goes by."""

    def progress(table: str, rows: int) -> None:
        ctx.emit(Progress(step, "database", rows, None, "rows", table))

    ctx.folder.snapshots.mkdir(parents=True, exist_ok=True)
    taken = dump.take(source_url(ctx), ctx.run, ctx.folder.snapshots / name, ctx.cancel, progress)
    known = ctx.journal.get(FACTS, "digests") or {}
    ctx.journal.put(FACTS, "digests", {**known, name: taken.digest})
    return taken


def snapshot(ctx: RunContext) -> str:
    """Dump the source into the run's folder, once.

    Raises NotAsPlanned `source-changed`, `snapshot-changed`.
    """
    if ctx.journal.get(FACTS, "current") is None:
        taken = take(ctx, FIRST, "snapshot")
        if ctx.plan.source_fingerprint not in ("", taken.fingerprint):
            raise NotAsPlanned(
                "source-changed",
                "The source's schema is not what the plan saw; nothing was written outside the run's folder.",
                "Its tables or migrations changed since. Make a new plan with `ashore run`.",
            )
        ctx.journal.put(FACTS, "current", FIRST)
    taken = frozen(ctx)
    return (
        f"{len(taken.tables)} tables, {taken.rows:,} rows, {taken.bytes:,} bytes in one consistent snapshot"
    )


def preflight(ctx: RunContext) -> str:
    """Raises Undecided; UsageError `same-database`, `target-encoding`."""
    copied = frozen(ctx)
    found = judged(ctx, copied)
    database = ctx.answers.database
    if database is not None and database.url is not None and database.create is None:
        found += _look_at_target(ctx, copied)
    settle_decisions(ctx, found, "nothing was written.")
    for code, text in postgres_judge.warnings(copied):
        ctx.emit(Warned(code, text))
    return f"{len(found)} decisions, all taken" if found else "everything can be carried exactly"


def judged(ctx: RunContext, copied: Dump) -> list[Decision]:
    """What only an answer can decide, of a dump. It is read for that once (fact `dump`/`addresses`)."""
    found = postgres_judge.judge(copied, chosen(ctx))
    if not repairing.asks(ctx.answers):
        return found
    known = ctx.journal.get(FACTS, "addresses") or {}
    if known.get("dump") != copied.digest:
        fresh = postgres_judge.judge_addresses(copied, ctx.cancel)
        known = {"dump": copied.digest, "found": [asdict(d) for d in fresh]}
        ctx.journal.put(FACTS, "addresses", known)
    kept = TypeAdapter(list[Decision]).validate_python(known["found"])
    return found + repairing.of_choice(kept, chosen(ctx))


def settle_decisions(ctx: RunContext, found: list[Decision], when: str) -> None:
    """Write the decisions down; raises Undecided where one is not taken."""
    ctx.journal.put("preflight", "decisions", [asdict(d) for d in found])
    left = [
        {"what": d.code.replace("_", " "), "name": d.subject, "why": d.message}
        for d in found
        if d.code != repairing.CODE
    ]
    ctx.journal.put("schema", "left", left)
    require_decided(found, when)
    for decision in found:
        said = f"{decision.message} Decided: {decision.chosen}."
        ctx.emit(FindingSeen("decision", "info", said, decision.subject))


def _look_at_target(ctx: RunContext, copied: Dump) -> list[Decision]:
    connection = connect(ctx.database_url(), f"ashore:{ctx.run}:look", sleep=ctx.cancel.wait)
    try:
        with source.open_source(source_url(ctx), ctx.run, ctx.cancel.wait) as ours:
            if source.identity(ours) == source.identity(connection):
                raise UsageError(
                    "same-database",
                    "Source and target are the same database; nothing was written.",
                    "Name another database in database.url.",
                )
        encoding = connection.execute("SELECT current_setting('server_encoding')").fetchone()
        if encoding is None or encoding[0] != "UTF8":
            raise UsageError(
                "target-encoding",
                f"The target's encoding is {encoding and encoding[0]}; nothing was written.",
                "Create the database with encoding UTF8.",
            )
        return postgres_judge.judge_target(copied, connection, chosen(ctx))
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def provision(ctx: RunContext) -> str:
    """Look at the target, then make the run's record in it, or adopt an unfinished one."""
    found = judged(ctx, frozen(ctx)) + _look_at_target(ctx, frozen(ctx))
    settle_decisions(ctx, found, "nothing was written.")
    known = ctx.journal.get("provision", "record")
    how = prepare_record(ctx)
    if known is None:
        ctx.journal.put("copy", "adopted", how != "made")
        ctx.journal.put("provision", "record", how)
    with open_target(ctx) as target:
        epoch = target.epoch
    verb = "taken over from an unfinished run" if how == "adopted" else "stands"
    return f"the run's record {verb} (execution {epoch})"


@contextmanager
def opened(ctx: RunContext) -> Iterator[Target]:
    """The target, its sessions printing and reading as the source's."""
    with open_target(ctx) as target:
        source.settle(target.connection)
        yield target


def schema(ctx: RunContext) -> str:
    """Build what pg_dump makes before the rows: types, functions, tables, views, sequences."""
    copied = frozen(ctx)
    entries = _entries(ctx, copied, "pre")
    with opened(ctx) as target:
        known = record.get(target.connection, ctx.run)
        if known is None or known.state == record.PROVISIONED:
            _make_public(target, copied)
            load.run_entries(target, "pre", entries, _AT_ONCE, len(entries), ctx.cancel.check)
            with target.transaction() as cursor:
                record.set_state(cursor, ctx.run, record.SEEDED)
    ctx.journal.put_many("schema", {"tables": [t.label for t in copied.tables], "schema": "public"})
    return f"{len(copied.tables)} tables stand, {len(entries)} objects made"


def _make_public(target: Target, copied: Dump) -> None:
    """pg_dump takes the schema public for granted; some managed databases have none."""
    with target.transaction() as cursor:
        if any(t.schema == "public" for t in copied.tables):
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'public'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE SCHEMA public")


def _entries(ctx: RunContext, copied: Dump, part: str) -> tuple[Entry, ...]:
    """The entries of a script that are made, in the order in which they are."""
    decided = chosen(ctx)
    kept = []
    for entry in script.entries(copied.script(part)):
        if entry.type in postgres_judge.LEFT_TYPES or entry.name.startswith("EXTENSION "):
            continue
        if entry.type == "EXTENSION" and f"extension {entry.name}" in decided:
            continue
        if entry.type == "SCHEMA":
            statement = entry.sql.replace("CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ", 1)
            entry = Entry(entry.type, entry.schema, entry.name, statement)
        if entry.type == "COMMENT" and _of_left(entry.name):
            continue
        kept.append(entry)
    if part == "post":
        # Keys first: references are rewritten by primary key, before triggers and foreign keys stand.
        kept.sort(key=lambda entry: entry.type not in _FIRST_POST)
    return tuple(kept)


def _of_left(name: str) -> bool:
    return name.startswith(
        (*(f"{kind} " for kind in postgres_judge.LEFT_TYPES), "EXTENSION ", "SCHEMA public")
    )


def recheck(ctx: RunContext) -> str:
    """The types are the source's own: nothing is converted. The columns are compared once more."""
    copied = frozen(ctx)
    with opened(ctx) as target:
        there = {(t.schema, t.name): {c.name for c in t.columns} for t in source.tables(target.connection)}
    wrong = [t.label for t in copied.tables if there.get((t.schema, t.name)) != {*t.columns, *t.computed}]
    if wrong:
        raise StepFailed(
            "schema-mismatch",
            f"The target's tables are not the source's: {', '.join(wrong[:8])}. No row has been copied.",
            "Use an empty database, and let nothing else change it meanwhile.",
        )
    return f"{len(copied.tables)} tables have the source's columns"


def copy(ctx: RunContext) -> str:
    """Load what the target's record does not show as loaded, then make the primary and unique keys."""
    from wizard.steps.moves import postgres_sync

    copied = frozen(ctx)
    entries = _entries(ctx, copied, "post")
    with opened(ctx) as target:
        again = 0
        if ctx.journal.get("copy", "adopted"):
            again = postgres_sync.reconcile(ctx, target, copied)
            ctx.journal.put("copy", "adopted", False)
        meter = Meter(ctx.emit, "copy", {t.label: t.rows for t in copied.tables})
        for table in copied.tables:
            meter.resumed(table.label, sum(rows for rows, _ in load.recorded(target, table)))
        rows = 0
        for table in copied.tables:

            def seen(done: int, name: str = table.label) -> None:
                meter.at(name, done)

            count = load.load_table(target, copied, table, ctx.cancel.check, seen)
            meter.at(table.label, count, finished=True)
            rows += count
        source.settle(target.connection)  # a session opened again after a loss
        keys = sum(entry.type in _FIRST_POST for entry in entries)
        load.run_entries(target, "post", entries, 1, keys, ctx.cancel.check)
    said = f", {again} tables loaded again" if again else ""
    return f"{rows:,} rows in {len(copied.tables)} tables{said}"


def constraints(ctx: RunContext) -> str:
    """Indexes, foreign keys, triggers, rules, policies; sequences; materialized views."""
    copied = frozen(ctx)
    entries = _entries(ctx, copied, "post")
    with opened(ctx) as target:
        load.run_entries(target, "post", entries, 1, len(entries), ctx.cancel.check)
        count = set_sequences(ctx, target, copied)
        refresh(ctx, target, copied)
        for table in copied.tables:
            ctx.cancel.check()
            on = sql.Identifier(table.schema, table.name)
            target.connection.execute(sql.SQL("ANALYZE {}").format(on))
    return f"{len(entries)} keys, indexes, constraints and triggers stand, {count} sequences set"


def set_sequences(ctx: RunContext, target: Target, copied: Dump) -> int:
    """Set each sequence to where the source's stood, unless it is further on."""
    for told in copied.about["sequences"]:
        ctx.cancel.check()
        place = sql.Identifier(told["schema"], told["name"])
        with target.transaction() as cursor:
            row = cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(place)).fetchone()
            step = cursor.execute(
                "SELECT seqincrement FROM pg_sequence WHERE seqrelid = %s::regclass",
                (place.as_string(cursor),),
            ).fetchone()
            assert row is not None
            assert step is not None
            ahead = (row[0] > told["last"]) if step[0] > 0 else (row[0] < told["last"])
            if (row[0], row[1]) == (told["last"], told["called"]) or (row[1] and ahead):
                continue
            cursor.execute(
                "SELECT setval(%s::regclass, %s, %s)",
                (place.as_string(cursor), told["last"], told["called"]),
            )
    return len(copied.about["sequences"])


def refresh(ctx: RunContext, target: Target, copied: Dump) -> None:
    """Fill the materialized views, those first on which others rest. Raises StepFailed `view-refused`."""
    waiting = [tuple(pair) for pair in copied.about["materialized"]]
    while waiting:
        ctx.cancel.check()
        held, said = [], ""
        for schema, name in waiting:
            try:
                with target.transaction() as cursor:
                    cursor.execute(
                        sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
                    )
            except psycopg.errors.ObjectNotInPrerequisiteState as error:
                held.append((schema, name))
                said = error.diag.message_primary or ""
        if len(held) == len(waiting):
            raise StepFailed(
                "view-refused",
                f"The materialized view {held[0][1]} cannot be filled: {said}.",
                "`ashore resume` tries again.",
            )
        waiting = held
