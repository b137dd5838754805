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

    def owns_schema(self, project: Project, framework: Framework) -> bool:
        """Always: Django has migrations."""
        return True

    def bookkeeping(self, project: Project, framework: Framework) -> tuple[str, ...]:
        """The table in which Django notes the migrations that were applied."""
        return ("django_migrations",)

    def revision(self, workshop: Workshop, snapshot: Path) -> Revision:
        """See `wizard.frameworks.django.revision.revision`."""
        from wizard.frameworks.django.revision import revision

        return revision(workshop, snapshot)

    def build_schema(self, workshop: Workshop, url: Secret) -> None:
        """See `wizard.frameworks.django.schema.build_schema`."""
        from wizard.frameworks.django.schema import build_schema

        build_schema(workshop, url)

    def naive_zone(self, project: Project, framework: Framework) -> str:
        """See `wizard.frameworks.django.timezones.naive_zone`. Raises UsageError `unknown-time-zone`."""
        from wizard.errors import UsageError
        from wizard.frameworks.django import settings

        found = settings.read(project.root, framework)
        if found.naive_zone is None:
            where = found.where.get("TIME_ZONE") or found.where.get("USE_TZ")
            place = f"{where.file}:{where.line}" if where else found.files[0]
            raise UsageError(
                "unknown-time-zone",
                f"{place}: whether USE_TZ is on and which TIME_ZONE is meant cannot be read from the code, "
                "so it is not known what the stored times mean. Nothing was written.",
                "Write USE_TZ and TIME_ZONE into the settings as plain values, as the deployed app has them.",
            )
        return found.naive_zone

    def epoch(self, project: Project, framework: Framework) -> str | None:
        """Django keeps moments as text."""
        return None

    def change(self, project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
        """See `wizard.frameworks.django.change.change`."""
        from wizard.frameworks.django.change import change

        return change(project, framework, needs)
