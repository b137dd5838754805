"""PostgreSQL: moved to another PostgreSQL, or kept with its references to files rewritten in place."""

from __future__ import annotations

from typing import ClassVar

import psycopg

from wizard.answers import STAYS, Answers
from wizard.context import RunContext
from wizard.credentials import REFERENCE, Secret
from wizard.databases.postgres import record
from wizard.databases.postgres.connect import connect, translate
from wizard.databases.postgres.dumps import source as dumps_source
from wizard.databases.postgres.target import open_target
from wizard.model import Project, StoreKind, TableCount
from wizard.question import Option
from wizard.references import undo
from wizard.steps.moves import (
    postgres_kept,
    postgres_references,
    postgres_sync,
    postgres_verify,
    postgres_work,
)
from wizard.steps.moves.base import Resolve

_FILES = frozenset({"snapshot", "preflight", "provision", "references", "verify", "cutover"})


def source(project: Project, answers: Answers) -> str | None:
    """The reference to the source's connection string, where the answers or the scan say that it is a
    PostgreSQL; None where it is something else."""
    if answers.database is None:
        return None
    named = answers.database.source
    if named is not None:
        kinds = {s.kind for s in project.stores if s.kind in ("postgres", "mongodb")}
        mongo = (
            "mongo" in named.lower()
            or any(f"env:{s.path}" == named for s in project.stores if s.kind == "mongodb")
            or kinds == {"mongodb"}
        )
        return named if REFERENCE.match(named) and not mongo else None
    servers = [s for s in project.stores if s.kind in ("sqlite", "postgres", "mongodb")]
    only = servers[0] if len(servers) == 1 else None
    return f"env:{only.path}" if only is not None and only.kind == "postgres" else None


def _describe(project: Project, answers: Answers, resolve: Resolve) -> tuple[str, tuple[TableCount, ...]]:
    reference = source(project, answers)
    assert reference is not None
    with dumps_source.open_source(resolve(reference), "plan") as connection:
        counts = tuple(TableCount(*row) for row in dumps_source.row_counts(connection))
        return dumps_source.fingerprint(connection), counts


def _undo(ctx: RunContext) -> tuple[int, int]:
    summary = ctx.journal.get("references", "summary") or {}
    unsure = ctx.journal.step_state("references") == "started"
    if not (unsure or summary.get("rewritten")):
        return 0, 0
    with open_target(ctx) as target:
        return undo.undo(target, ctx.run)


def _clean(run: str, url: Secret) -> None:
    try:
        with connect(url, f"ashore:{run}:clean") as connection:
            record.remove(connection, run)
    except psycopg.Error as error:
        raise translate(error) from error


def _finish(ctx: RunContext) -> None:
    with open_target(ctx) as target, target.transaction() as cursor:
        record.set_state(cursor, ctx.run, record.DONE)


class PostgresMove:
    """A PostgreSQL database goes to another PostgreSQL."""

    name: ClassVar[str] = "postgres"
    store_kind: ClassVar[StoreKind] = "postgres"
    targets: ClassVar[tuple[Option, ...]] = (
        Option("neon", "Neon", "managed PostgreSQL"),
        Option("render", "Render", "PostgreSQL beside the app"),
        Option("supabase", "Supabase", "managed PostgreSQL"),
        Option("postgres", "Another PostgreSQL", "I have a URL"),
        Option("keep", "It stays where it is", "no redeploy touches it; only files move"),
    )

    def takes(self, project: Project, answers: Answers) -> bool:
        database = answers.database
        return (
            database is not None
            and database.provider not in (*STAYS, "mongodb")
            and source(project, answers) is not None
        )

    def describe(
        self, project: Project, answers: Answers, resolve: Resolve
    ) -> tuple[str, tuple[TableCount, ...]]:
        return _describe(project, answers, resolve)

    def snapshot(self, ctx: RunContext) -> str:
        return postgres_work.snapshot(ctx)

    def preflight(self, ctx: RunContext) -> str:
        return postgres_work.preflight(ctx)

    def provision(self, ctx: RunContext) -> str:
        return postgres_work.provision(ctx)

    def schema(self, ctx: RunContext) -> str:
        return postgres_work.schema(ctx)

    def recheck(self, ctx: RunContext) -> str:
        return postgres_work.recheck(ctx)

    def copy(self, ctx: RunContext) -> str:
        return postgres_work.copy(ctx)

    def references(self, ctx: RunContext) -> str:
        return postgres_references.run(ctx)

    def constraints(self, ctx: RunContext) -> str:
        return postgres_work.constraints(ctx)

    def verify(self, ctx: RunContext) -> tuple[str, int]:
        return postgres_verify.run(ctx)

    def cutover(self, ctx: RunContext) -> str:
        return postgres_sync.run(ctx)

    def require_settled(self, ctx: RunContext) -> bool:
        return postgres_sync.settled(ctx)

    def undo_references(self, ctx: RunContext) -> tuple[int, int]:
        return _undo(ctx)

    def finish(self, ctx: RunContext) -> None:
        _finish(ctx)

    def clean(self, run: str, url: Secret) -> None:
        _clean(run, url)

    def steps(self, answers: Answers) -> frozenset[str]:
        return _FILES | {"schema", "recheck", "copy", "constraints"}


class PostgresKept:
    """A PostgreSQL database stays; what it says of files is rewritten. Only where the answers name it."""

    name: ClassVar[str] = "postgres-kept"

    def takes(self, project: Project, answers: Answers) -> bool:
        database = answers.database
        return (
            database is not None
            and database.provider in STAYS
            and database.source is not None
            and source(project, answers) is not None
        )

    def describe(
        self, project: Project, answers: Answers, resolve: Resolve
    ) -> tuple[str, tuple[TableCount, ...]]:
        return _describe(project, answers, resolve)

    def snapshot(self, ctx: RunContext) -> str:
        return postgres_kept.STAYS

    def preflight(self, ctx: RunContext) -> str:
        return postgres_kept.preflight(ctx)

    def provision(self, ctx: RunContext) -> str:
        return postgres_kept.provision(ctx)

    def schema(self, ctx: RunContext) -> str:
        return postgres_kept.STAYS

    def recheck(self, ctx: RunContext) -> str:
        return postgres_kept.STAYS

    def copy(self, ctx: RunContext) -> str:
        return postgres_kept.STAYS

    def references(self, ctx: RunContext) -> str:
        return postgres_kept.references(ctx)

    def constraints(self, ctx: RunContext) -> str:
        return postgres_kept.STAYS

    def verify(self, ctx: RunContext) -> tuple[str, int]:
        return postgres_kept.verify(ctx)

    def cutover(self, ctx: RunContext) -> str:
        return postgres_kept.cutover(ctx)

    def require_settled(self, ctx: RunContext) -> bool:
        return True  # the app goes on writing to this database, before and after

    def undo_references(self, ctx: RunContext) -> tuple[int, int]:
        return _undo(ctx)

    def finish(self, ctx: RunContext) -> None:
        if postgres_references.wanted(ctx):
            _finish(ctx)

    def clean(self, run: str, url: Secret) -> None:
        _clean(run, url)

    def steps(self, answers: Answers) -> frozenset[str]:
        return _FILES
