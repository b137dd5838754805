"""A run that has come to its report, without having run: its plan, answers and the journal's facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wizard.answers import Answers, DeployAnswers
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.journal import Journal
from wizard.model import (
    Evidence,
    Finding,
    Need,
    Plan,
    Platform,
    Project,
    Step,
    Store,
    Variable,
)
from wizard.state import RunFolder

PASSWORD = "hunter2-and-then-some"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    root = tmp_path / "my app"
    root.mkdir()
    folder = RunFolder(tmp_path / "20260101-000000-abcdef")
    folder.path.mkdir()
    journal = Journal(folder.journal)
    redactor = Redactor()
    redactor.learn(Secret(PASSWORD))
    project = Project(
        root,
        platforms=(Platform("render", "free"),),
        stores=(
            Store(
                "sqlite",
                "db.sqlite3",
                4_400_000,
                25,
                13073,
                lost_on=("deploy",),
                evidence=(Evidence("a", 1),),
            ),
            Store("uploads", "media", 61_000_000, files=479, lost_on=("deploy", "idle")),
            Store("postgres", "DATABASE_URL", survives_redeploy=True),
        ),
        findings=(
            Finding(
                "secret-key-committed", "warning", "SECRET_KEY is committed.", "Make a new one.", "s.py", 14
            ),
        ),
    )
    need = Need(
        "database",
        "postgres",
        (Variable("DATABASE_URL", "Connection string.", True, "postgresql://u:p@host/db"),),
        (("url", "DATABASE_URL"),),
    )
    plan = Plan(1, str(root), "", "", (Step("snapshot", "Freeze a copy", "the run's folder"),), needs=(need,))
    answers = Answers(root, deploy=DeployAnswers(health_url="https://my-app.example.com/"))
    journal.step_started("snapshot")
    journal.step_finished("snapshot", 1.25, "25 tables")
    journal.put("verify", "database", verified())
    journal.put(
        "patch", "edits", [{"path": "my settings.py", "before": "x", "after": "y", "added": 9, "removed": 6}]
    )
    journal.put(
        "preflight",
        "decisions",
        [
            {
                "subject": "t.name",
                "code": "nul_bytes",
                "message": "2 values hold NUL.",
                "count": 2,
                "chosen": "strip",
            },
            {
                "subject": "view:recent",
                "code": "view",
                "message": "Not carried.",
                "count": 1,
                "chosen": "leave",
            },
        ],
    )
    journal.put("not-moved", "media/gone.png", {})
    yield RunContext(
        project,
        answers,
        plan,
        folder,
        journal,
        Vault(redactor, environ={}),
        redactor,
        lambda event: None,
        Cancel(),
    )
    journal.close()


def verified(*differences: dict[str, object]) -> dict[str, object]:
    """The fact that the step verify leaves."""
    return {
        "tables": 25,
        "rows": 13073,
        "values": 214551,
        "differences": list(differences),
        "total": len(differences),
        "notes": ["t: only the target has x"],
    }
