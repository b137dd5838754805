"""What frameworks on SQLAlchemy share: a schema built by Alembic or by the app's own models."""

from __future__ import annotations

from pathlib import Path

from wizard.credentials import Secret
from wizard.frameworks.base import Revision, Workshop
from wizard.model import Framework, Project


class SqlAlchemyKind:
    """The part of `FrameworkKind` about the schema. Parts are imported when used: a scan needs none."""

    def owns_schema(self, project: Project, framework: Framework) -> bool:
        """Where the code holds migrations of Alembic, or models of SQLAlchemy."""
        from wizard.frameworks.sqlalchemy.layout import owns_schema

        return owns_schema(project.root, framework)

    def bookkeeping(self, project: Project, framework: Framework) -> tuple[str, ...]:
        """Alembic's table, where the project has migrations."""
        from wizard.frameworks.sqlalchemy.layout import bookkeeping

        return bookkeeping(project.root, framework)

    def revision(self, workshop: Workshop, snapshot: Path) -> Revision:
        """See `wizard.frameworks.sqlalchemy.revision.revision`."""
        from wizard.frameworks.sqlalchemy.revision import revision

        return revision(workshop, snapshot)

    def build_schema(self, workshop: Workshop, url: Secret) -> None:
        """See `wizard.frameworks.sqlalchemy.schema.build_schema`."""
        from wizard.frameworks.sqlalchemy.schema import build_schema

        build_schema(workshop, url)

    def naive_zone(self, project: Project, framework: Framework) -> str:
        """UTC: SQLAlchemy keeps no offset in SQLite, and most columns have none in PostgreSQL either."""
        return "UTC"

    def epoch(self, project: Project, framework: Framework) -> str | None:
        """SQLAlchemy keeps moments as text."""
        return None
