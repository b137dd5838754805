"""NestJS and Express: their schema built from Prisma's, where they use it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from wizard.credentials import Secret
from wizard.frameworks.base import Change, Revision, Workshop
from wizard.model import Framework, Need, Project


class NestJs:
    """Implements `FrameworkKind`. Parts are imported when used: a scan needs none of them."""

    name: ClassVar[str] = "nestjs"

    def owns_schema(self, project: Project, framework: Framework) -> bool:
        """Where a schema.prisma stands for a SQLite or a PostgreSQL database."""
        from wizard.frameworks.prisma.layout import owns_schema

        return owns_schema(project.root, framework)

    def bookkeeping(self, project: Project, framework: Framework) -> tuple[str, ...]:
        """Prisma's table, where the project has migrations."""
        from wizard.frameworks.prisma.layout import bookkeeping

        return bookkeeping(project.root, framework)

    def revision(self, workshop: Workshop, snapshot: Path) -> Revision:
        """See `wizard.frameworks.prisma.revision.revision`."""
        from wizard.frameworks.prisma.revision import revision

        return revision(workshop, snapshot)

    def build_schema(self, workshop: Workshop, url: Secret) -> None:
        """See `wizard.frameworks.prisma.schema.build_schema`."""
        from wizard.frameworks.prisma.schema import build_schema

        build_schema(workshop, url)

    def naive_zone(self, project: Project, framework: Framework) -> str:
        """UTC: what Prisma's client means by every DateTime."""
        return "UTC"

    def epoch(self, project: Project, framework: Framework) -> str | None:
        """What Prisma's own engine writes."""
        return "milliseconds"

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """`wizard.frameworks.nestjs.change.change`, and `wizard.frameworks.prisma.change.change_prisma`."""
        from wizard.frameworks.nestjs.change import change
        from wizard.frameworks.prisma.change import change_prisma

        app, prisma = change(project, framework, needs), change_prisma(project, framework, needs)
        return Change((*app.edits, *prisma.edits), (*app.instructions, *prisma.instructions))


class Express(NestJs):
    """As NestJS, but for its name."""

    name: ClassVar[str] = "express"
