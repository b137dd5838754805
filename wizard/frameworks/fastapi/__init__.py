"""FastAPI: its schema built by Alembic or by its SQLAlchemy models."""

from __future__ import annotations

from typing import ClassVar

from wizard.frameworks.base import Change
from wizard.frameworks.sqlalchemy.kind import SqlAlchemyKind
from wizard.model import Framework, Need, Project


class FastApi(SqlAlchemyKind):
    """Implements `FrameworkKind`."""

    name: ClassVar[str] = "fastapi"

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """See `wizard.frameworks.fastapi.change.change`."""
        from wizard.frameworks.fastapi.change import change

        return change(project, framework, needs)
