"""Who builds the tables in the target: the app's own framework, or ashore from the SQLite schema."""

from __future__ import annotations

from typing import Literal

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.errors import UsageError
from wizard.frameworks import FRAMEWORKS
from wizard.frameworks.base import FrameworkKind, Workshop
from wizard.model import Project

SchemaMode = Literal["framework", "derived"]


def schema_mode(project: Project, answers: Answers) -> SchemaMode:
    """The answer, else `framework` where the project has one that ashore knows, else `derived`.

    Raises UsageError `no-framework` where the answer wants a framework and the project has none.
    """
    known = owner(project) is not None
    asked = answers.database.schema if answers.database is not None else None
    if asked == "framework" and not known:
        raise UsageError(
            "no-framework",
            "`database.schema: framework` is set, but no framework that ashore knows was found in "
            f"{project.root}; nothing was written.",
            "Leave the key out, or set it to `derived`.",
        )
    return asked or ("framework" if known else "derived")


def owner(project: Project) -> FrameworkKind | None:
    """The kind of the first framework of the project that ashore knows."""
    kinds = {kind.name: kind for kind in FRAMEWORKS}
    return next((kinds[f.name] for f in project.frameworks if f.name in kinds), None)


def bookkeeping(project: Project, answers: Answers) -> tuple[str, ...]:
    """Tables that belong to the target and are not copied; none with a derived schema."""
    kind = owner(project)
    return kind.bookkeeping if kind is not None and schema_mode(project, answers) == "framework" else ()


def workshop(ctx: RunContext) -> Workshop | None:
    """Where the framework's tools may run, or None where the schema is derived or no database moves."""
    kind = owner(ctx.project)
    if ctx.answers.database is None or kind is None:
        return None
    if schema_mode(ctx.project, ctx.answers) == "derived":
        return None
    return Workshop(
        project=ctx.project,
        framework=next(f for f in ctx.project.frameworks if f.name == kind.name),
        work=ctx.folder.work,
        interpreter=ctx.answers.interpreter,
        application_name=f"ashore:{ctx.run}:children",
        redactor=ctx.redactor,
        emit=ctx.emit,
        cancel=ctx.cancel,
        lock_handle=ctx.lock_handle,
    )
