"""MongoDB: moved to another MongoDB, or kept with its references to files rewritten.

The driver is an extra of ashore (`mongodb`): it is imported when a step needs it.
"""

from __future__ import annotations

import importlib.util
from typing import ClassVar

from wizard.answers import STAYS, Answers
from wizard.context import RunContext
from wizard.credentials import REFERENCE, Secret
from wizard.errors import UsageError
from wizard.model import Project, StoreKind, TableCount
from wizard.question import Option
from wizard.steps.moves.base import Resolve

_FILES = frozenset({"snapshot", "preflight", "provision", "references", "verify", "cutover"})


def source(project: Project, answers: Answers) -> str | None:
    """The reference to the source's connection string, where the answers or the scan say that it is a
    MongoDB; None where it is something else."""
    if answers.database is None:
        return None
    named = answers.database.source
    stores = [f"env:{s.path}" for s in project.stores if s.kind == "mongodb"]
    if named is None:
        return stores[0] if len(stores) == 1 else None
    if REFERENCE.match(named) is None:
        return None
    if named in stores or answers.database.provider == "mongodb" or "mongo" in named.lower():
        return named
    only = {s.kind for s in project.stores if s.kind in ("postgres", "mongodb")} == {"mongodb"}
    return named if only else None


def _driver() -> None:
    if importlib.util.find_spec("pymongo") is None:
        raise UsageError(
            "extra-missing",
            "MongoDB needs the package pymongo, which is not installed. Nothing was written.",
            "Install ashore with the extra: pip install 'ashore[mongodb]'.",
        )


def _describe(project: Project, answers: Answers, resolve: Resolve) -> tuple[str, tuple[TableCount, ...]]:
    _driver()
    from wizard.databases.mongo import catalog
    from wizard.steps.moves import mongo_work

    reference = source(project, answers)
    assert reference is not None
    with mongo_work.opened(resolve(reference)) as server:
        found = [c for c in catalog.read(server) if c.kind == "collection"]
        counts = tuple(TableCount(c.name, server.database[c.name].estimated_document_count()) for c in found)
        return mongo_work.fingerprint(server), counts


class MongoMove:
    """A MongoDB database goes to another MongoDB, Atlas for one."""

    name: ClassVar[str] = "mongodb"
    store_kind: ClassVar[StoreKind] = "mongodb"
    targets: ClassVar[tuple[Option, ...]] = (
        Option("mongodb", "Another MongoDB", "Atlas for one; I have a connection string"),
        Option("keep", "It stays where it is", "no redeploy touches it; only files move"),
    )

    def takes(self, project: Project, answers: Answers) -> bool:
        database = answers.database
        return (
            database is not None and database.provider == "mongodb" and source(project, answers) is not None
        )

    def describe(
        self, project: Project, answers: Answers, resolve: Resolve
    ) -> tuple[str, tuple[TableCount, ...]]:
        return _describe(project, answers, resolve)

    def snapshot(self, ctx: RunContext) -> str:
        _driver()
        from wizard.steps.moves import mongo_work

        return mongo_work.snapshot(ctx)

    def preflight(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.preflight(ctx)

    def provision(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.provision(ctx)

    def schema(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.schema(ctx)

    def recheck(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.recheck(ctx)

    def copy(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.copy(ctx)

    def references(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_references, mongo_work

        with mongo_work.target(ctx) as at:
            return mongo_references.run(ctx, at.server, at)

    def constraints(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_work

        return mongo_work.constraints(ctx)

    def verify(self, ctx: RunContext) -> tuple[str, int]:
        from wizard.steps.moves import mongo_work

        return mongo_work.verify(ctx)

    def cutover(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_sync

        return mongo_sync.run(ctx)

    def require_settled(self, ctx: RunContext) -> bool:
        from wizard.steps.moves import mongo_sync

        return mongo_sync.settled(ctx)

    def undo_references(self, ctx: RunContext) -> tuple[int, int]:
        _driver()
        from wizard.steps.moves import mongo_kept

        return mongo_kept.undo(ctx, ctx.database_url())

    def finish(self, ctx: RunContext) -> None:
        from wizard.steps.moves import mongo_sync

        mongo_sync.finish(ctx)

    def clean(self, run: str, url: Secret) -> None:
        """Take the record of `run` out of the target."""
        _driver()
        from wizard.steps.moves import mongo_kept

        mongo_kept.clean(run, url)

    def steps(self, answers: Answers) -> frozenset[str]:
        return _FILES | {"schema", "recheck", "copy", "constraints"}


class MongoKept:
    """A MongoDB database stays; what its documents say of files is rewritten."""

    name: ClassVar[str] = "mongodb-kept"

    def takes(self, project: Project, answers: Answers) -> bool:
        database = answers.database
        return database is not None and database.provider in STAYS and source(project, answers) is not None

    def describe(
        self, project: Project, answers: Answers, resolve: Resolve
    ) -> tuple[str, tuple[TableCount, ...]]:
        return _describe(project, answers, resolve)

    def snapshot(self, ctx: RunContext) -> str:
        _driver()
        from wizard.steps.moves import mongo_work

        return mongo_work.snapshot(ctx)

    def preflight(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_kept

        return mongo_kept.preflight(ctx)

    def provision(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_kept

        return mongo_kept.provision(ctx)

    def schema(self, ctx: RunContext) -> str:
        return "the database stays"

    def recheck(self, ctx: RunContext) -> str:
        return "the database stays"

    def copy(self, ctx: RunContext) -> str:
        return "the database stays"

    def references(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_kept

        return mongo_kept.references(ctx)

    def constraints(self, ctx: RunContext) -> str:
        return "the database stays"

    def verify(self, ctx: RunContext) -> tuple[str, int]:
        from wizard.steps.moves import mongo_kept

        return mongo_kept.verify(ctx)

    def cutover(self, ctx: RunContext) -> str:
        from wizard.steps.moves import mongo_kept

        return mongo_kept.cutover(ctx)

    def require_settled(self, ctx: RunContext) -> bool:
        return True  # the app goes on writing to this database, before and after

    def undo_references(self, ctx: RunContext) -> tuple[int, int]:
        _driver()
        from wizard.steps.moves import mongo_kept, mongo_work

        return mongo_kept.undo(ctx, mongo_work.source_url(ctx))

    def finish(self, ctx: RunContext) -> None:
        """Nothing: no other run takes a record in a database that stays."""

    def clean(self, run: str, url: Secret) -> None:
        """Take the record of `run` out of the database."""
        _driver()
        from wizard.steps.moves import mongo_kept

        mongo_kept.clean(run, url)

    def steps(self, answers: Answers) -> frozenset[str]:
        return _FILES
