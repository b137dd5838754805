"""Makes the target ready to be written: the database itself, the run's record in it, and the buckets."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.databases.postgres.claim import prepare_record
from wizard.databases.postgres.target import open_target
from wizard.steps import app_variables, made_database, moves, platform_access
from wizard.steps.upload_routes import check_account_sizes
from wizard.storages.prepare import prepare

name = "provision"


def moves_database(ctx: RunContext) -> bool:
    """Whether a SQLite file goes to PostgreSQL in this run."""
    return ctx.answers.moves_database and moves.of(ctx) is None


def run(ctx: RunContext) -> str:
    """Record the run in the target before anything else stands there; adopt an unfinished one.

    Raises UsageError `target-not-empty`, `run-elsewhere`, `variable-unknown`, what opening raises, and what
    making the database raises.
    """
    platform_access.check(ctx)
    said = []
    database = ctx.answers.database
    if database is not None and database.create is not None:
        said.append(made_database.make(ctx))
    if platform_access.platform(ctx.answers) is not None:
        app_variables.values(ctx)  # raises where one is not known, before anything is written there
    if (way := moves.of(ctx)) is not None:
        said.append(way.provision(ctx))
    elif moves_database(ctx):
        said.append(_record(ctx))
    prepare(ctx)
    if ctx.answers.storage:
        check_account_sizes(ctx)
    return "; ".join(said) or "nothing to provision for the database"


def _record(ctx: RunContext) -> str:
    """A record that this journal does not know was adopted, also where a kill hid that: its chunks are
    compared with the snapshot before they are believed (fact ("copy", "adopted"))."""
    known = ctx.journal.get("provision", "record")
    how = prepare_record(ctx)
    if known is None:
        ctx.journal.put("copy", "adopted", how != "made")
        ctx.journal.put("provision", "record", how)
    with open_target(ctx) as target:
        schema, epoch = target.schema, target.epoch
    verb = "taken over from an unfinished run" if how == "adopted" else "stands"
    return f"the run's record {verb} (schema {schema}, execution {epoch})"
