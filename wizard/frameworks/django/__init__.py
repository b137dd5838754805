"""Django: its settings read from the code, its schema built by its own migrations."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from wizard.credentials import Secret
from wizard.frameworks.base import Change, Revision, Workshop
from wizard.model import Framework, Need, Project


class Django:
    """Implements `FrameworkKind`. Parts are imported when used: a scan needs none of them."""

    name: ClassVar[str] = "django"
    bookkeeping: ClassVar[tuple[str, ...]] = ("django_migrations",)

    def revision(self, workshop: Workshop, snapshot: Path) -> Revision:
        """See `wizard.frameworks.django.revision.revision`."""
        from wizard.frameworks.django.revision import revision

        return revision(workshop, snapshot)

    def build_schema(self, workshop: Workshop, url: Secret) -> None:
        """See `wizard.frameworks.django.schema.build_schema`."""
        from wizard.frameworks.django.schema import build_schema

        build_schema(workshop, url)

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """See `wizard.frameworks.django.change.change`."""
        from wizard.frameworks.django.change import change

        return change(project, framework, needs)
