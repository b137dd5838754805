"""A run of the database steps to its verified end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.databases.contexts import rows
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.steps import constraints, copy, recheck, verify


@dataclass(frozen=True)
class Moved:
    """A run that was verified: its context and the target's URL."""

    ctx: RunContext
    url: Secret

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.url, query)

    @property
    def left(self) -> set[tuple[str, str]]:
        return {(one["what"], one["name"]) for one in self.ctx.journal.get("schema", "left")}


def finish(ctx: RunContext) -> None:
    recheck.run(ctx)
    copy.run(ctx)
    constraints.run(ctx)
    verify.run(ctx)
