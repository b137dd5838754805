"""Makes the target ready to be written: the run's record in the database, and the buckets."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.databases.postgres.target import open_target, prepare_record
from wizard.errors import UsageError
from wizard.storages.prepare import prepare

name = "provision"
STAYS = ("keep", "stay-with-backups")


def moves_database(ctx: RunContext) -> bool:
    """Whether a database goes to PostgreSQL in this run."""
    database = ctx.answers.database
    return database is not None and database.provider not in STAYS


def run(ctx: RunContext) -> str:
    """Record the run in the target before anything else stands there; adopt an unfinished one.

    Raises UsageError `create-not-available`, `target-not-empty`, `run-elsewhere`, and what opening raises.
    """
    said = []
    database = ctx.answers.database
    if database is not None and database.create is not None:
        raise UsageError(
            "create-not-available",
            "This version does not create databases. Nothing has been written.",
            "Create it on the provider's page, set database.url to a reference to its connection string, and "
            "remove database.create.",
        )
    if moves_database(ctx):
        said.append(_record(ctx))
    prepare(ctx)
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
