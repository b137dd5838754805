"""A PostgreSQL database that stays: what each step does. It is written to only where links are rewritten."""

from __future__ import annotations

from dataclasses import asdict

import psycopg

from wizard.context import RunContext
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect, parse, translate
from wizard.databases.postgres.dumps import source
from wizard.databases.postgres.probe import DIRECT_HOST, is_pooler
from wizard.databases.postgres.target import open_target
from wizard.errors import Differences, Refused
from wizard.events import FindingSeen, Warned
from wizard.model import Decision
from wizard.references.columns import columns_everywhere
from wizard.steps import repairing
from wizard.steps import verify as step
from wizard.steps.moves import postgres_references, postgres_work
from wizard.steps.moves.postgres_verify import SHOWN
from wizard.verifying.differences import readable
from wizard.verifying.postgres_kept import compare_images

STAYS = "the database stays"


def preflight(ctx: RunContext) -> str:
    """Ask what to do about malformed addresses, which can be repaired where they stand. Writes nothing.

    Raises Undecided.
    """
    found: list[Decision] = []
    if repairing.asks(ctx.answers):
        chosen = postgres_work.chosen(ctx)
        with source.open_source(postgres_work.source_url(ctx), ctx.run, ctx.cancel.wait) as connection:
            columns = columns_everywhere(connection).values()
            found = repairing.judge_server(connection, columns, chosen, ctx.cancel)
    postgres_work.settle_decisions(ctx, found, "nothing was written.")
    return STAYS + (f", {len(found)} decisions, all taken" if found else "")


def provision(ctx: RunContext) -> str:
    """Make the run's record in the database, where it is looked through. May be repeated.

    Raises Refused `database-pooler`, and `database-rights` where the role may not make a schema.
    """
    if not postgres_references.wanted(ctx):
        return "nothing is written to the database"
    url = ctx.database_url()
    if is_pooler(parse(url)):
        raise Refused(
            "database-pooler",
            "This is the address of a transaction pooler; rewriting needs a session of its own.",
            DIRECT_HOST,
        )
    connection = connect(url, f"ashore:{ctx.run}:start", sleep=ctx.cancel.wait)
    try:
        if record.get(connection, ctx.run) is None:
            with connection.transaction(), connection.cursor() as cursor:
                record.create_schema(cursor)
                facts = {"schema": "public", "kept": True}
                # Never taken over by another run: its before-images are this run's alone.
                row = record.Run(ctx.run, ctx.project.root.name, f"kept:{ctx.run}", 0, record.SEEDED, facts)
                record.insert(cursor, row)
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        connection.close()
    with open_target(ctx) as target:
        return f"the run's record stands in the database that stays (execution {target.epoch})"


def references(ctx: RunContext) -> str:
    """Look through the database as it stands; with public access rewrite there."""
    return postgres_references.run(ctx)


def verify(ctx: RunContext) -> tuple[str, int]:
    """(summary, differences): each rewritten value against what was there before."""
    if not postgres_references.writes(ctx):
        return "the database stays, and nothing was written to it", 0
    with open_target(ctx) as target:
        source.settle(target.connection)
        found = compare_images(
            target.connection, run=ctx.run, public_bases=step.public_bases(ctx), cancel=ctx.cancel
        )
    for difference in found.differences[:SHOWN]:
        message = readable(ctx.redactor.text(difference.message))
        ctx.emit(FindingSeen("difference", "error", message, readable(difference.subject)))
    if found.newer:
        ctx.emit(
            Warned(
                "references-newer",
                f"{found.newer:,} rewritten values were changed or deleted by the app since; that stands.",
            )
        )
    fact = {
        "tables": found.tables,
        "rows": found.rows,
        "values": found.rows,
        "differences": [asdict(d) for d in found.differences],
        "total": found.total,
        "notes": ["The database stays: the values that were rewritten in it were compared."],
        "snapshot": "",
        "mode": "full",
    }
    ctx.journal.put("verify", "database", step.redacted(ctx, fact))
    said = f"{found.rows:,} rewritten values compared, {found.total:,} differences"
    return said + (f", {found.newer:,} changed by the app since" if found.newer else ""), found.total


def cutover(ctx: RunContext) -> str:
    """Links that the app has written since the last look are rewritten, too, and all is compared again."""
    if not postgres_references.writes(ctx):
        return STAYS
    said = references(ctx)
    words, count = verify(ctx)
    if count:
        raise Differences(
            "differences",
            f"Rewritten values are not what they must be: {words}.",
            "`ashore undo` restores the values before.",
        )
    return said
