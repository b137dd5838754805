from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.django import sample
from wizard.context import Cancel
from wizard.credentials import Redactor
from wizard.events import Event
from wizard.frameworks.base import Workshop
from wizard.model import Framework, Project, Store


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def make_workshop(tmp_path: Path, events: list[Event]) -> Callable[..., Workshop]:
    """Writes the sample project (with changed files) and gives the workshop to build it in."""

    def make(files: dict[str, str] | None = None, **options: Any) -> Workshop:
        root = sample.write(tmp_path / "app", files)
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        framework = Framework("django", None, ".")
        project = Project(root, (framework,), (), (Store("sqlite", "db.sqlite3"), Store("uploads", "media")))
        standard: dict[str, Any] = {
            "project": project,
            "framework": framework,
            "work": work,
            "interpreter": sys.executable,
            "application_name": "ashore:run-1:1",
            "redactor": Redactor(),
            "emit": events.append,
            "cancel": Cancel(),
        }
        return Workshop(**(standard | options))

    return make
