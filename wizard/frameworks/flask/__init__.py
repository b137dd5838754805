"""Flask: its schema built by Alembic or by its SQLAlchemy models."""

from __future__ import annotations

from typing import ClassVar

from wizard.frameworks.base import Change
from wizard.frameworks.sqlalchemy.kind import SqlAlchemyKind
from wizard.model import Framework, Need, Project


class Flask(SqlAlchemyKind):
    """Implements `FrameworkKind`."""

    name: ClassVar[str] = "flask"

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """See `wizard.frameworks.flask.change.change`."""
        from wizard.frameworks.flask.change import change

        return change(project, framework, needs)
