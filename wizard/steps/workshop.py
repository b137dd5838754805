"""Who builds the tables in the target: the app's own framework, or ashore from the SQLite schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.errors import UsageError
from wizard.frameworks import FRAMEWORKS
from wizard.frameworks.base import FrameworkKind, Workshop
from wizard.model import Framework, Project

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
    """The kind of the first framework of the project that can build the app's tables."""
    found = _owner(project)
    return found[0] if found is not None else None


def _owner(project: Project) -> tuple[FrameworkKind, Framework] | None:
    kinds = {kind.name: kind for kind in FRAMEWORKS}
    for framework in project.frameworks:
        kind = kinds.get(framework.name)
        if kind is not None and kind.owns_schema(project, framework):
            return kind, framework
    return None


def bookkeeping(project: Project, answers: Answers) -> tuple[str, ...]:
    """Tables that belong to the target and are not copied; none with a derived schema."""
    found = _owner(project)
    if found is None or schema_mode(project, answers) != "framework":
        return ()
    kind, framework = found
    return kind.bookkeeping(project, framework)


def decided(project: Project, answers: Answers) -> Mapping[str, Mapping[str, str]]:
    """The answers' decisions, and for each column what the framework itself settles (`epoch`)."""
    own = answers.database.decisions if answers.database is not None else {}
    found = _owner(project)
    if found is None or schema_mode(project, answers) != "framework":
        return own
    kind, framework = found
    unit = kind.epoch(project, framework)
    return own if unit is None else _Settled(own, unit)


@dataclass(frozen=True, slots=True)
class _Settled(Mapping[str, Mapping[str, str]]):
    """The user's decisions, and below every other subject the unit of moments. Only the user's are listed."""

    own: Mapping[str, Mapping[str, str]]
    unit: str

    def __getitem__(self, subject: str) -> Mapping[str, str]:
        return {"epoch": self.unit, **self.own.get(subject, {})}

    def __contains__(self, subject: object) -> bool:
        return subject in self.own

    def __iter__(self) -> Iterator[str]:
        return iter(self.own)

    def __len__(self) -> int:
        return len(self.own)


def project_zone(project: Project, answers: Answers) -> str:
    """The zone in which the app means a stored time without an offset: `UTC`, or an IANA name.

    A derived schema keeps such times without zone. Raises UsageError `unknown-time-zone` where it cannot be
    known, or no time zone data of that name is on this machine.
    """
    found = _owner(project)
    if answers.database is None or found is None or schema_mode(project, answers) == "derived":
        return "UTC"
    kind, framework = found
    zone = kind.naive_zone(project, framework)
    if zone == "UTC":
        return zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(
            "unknown-time-zone",
            f"The app's times are meant in {zone}, and this machine's Python knows no such time zone. "
            "Nothing was written.",
            "Correct TIME_ZONE in the settings; where it is right, `pip install tzdata` beside ashore.",
        ) from error
    return zone


def naive_zone(ctx: RunContext) -> str:
    """`project_zone` as the run's preflight found it: later changes to the settings do not count."""
    found = ctx.journal.get("preflight", "naive_zone")
    return str(found) if found else project_zone(ctx.project, ctx.answers)


def workshop(ctx: RunContext) -> Workshop | None:
    """Where the framework's tools may run, or None where the schema is derived or no database moves."""
    found = _owner(ctx.project)
    if ctx.answers.database is None or found is None:
        return None
    if schema_mode(ctx.project, ctx.answers) == "derived":
        return None
    return Workshop(
        project=ctx.project,
        framework=found[1],
        work=ctx.folder.work,
        interpreter=ctx.answers.interpreter,
        application_name=f"ashore:{ctx.run}:children",
        redactor=ctx.redactor,
        emit=ctx.emit,
        cancel=ctx.cancel,
        lock_handle=ctx.lock_handle,
    )
