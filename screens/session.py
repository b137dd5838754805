"""Everything the user has said so far, outside any screen: going back and forth loses nothing.

Secrets are in memory only; a draft on disk holds their references.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.calls import Engine
from wizard.interview import Interview
from wizard.model import Plan

if TYPE_CHECKING:
    from wizard.api import Check, RunInfo

STEPS: tuple[tuple[str, str], ...] = (
    ("at_risk", "At risk"),
    ("database", "Database"),
    ("files", "Files"),
    ("credentials", "Credentials"),
    ("decisions", "Decisions"),
    ("review", "Review"),
    ("run", "Run"),
    ("report", "Report"),
)
NOTHING_WRITTEN = "Nothing has been written."


@dataclass(kw_only=True)
class Session(Interview):
    """The state of one wizard. Screens read and change it; nothing else does."""

    engine: Engine
    picked_plan: dict[str, str] = field(default_factory=dict)
    users: int = 1000
    budget: float = 20.0
    earlier_runs: tuple[RunInfo, ...] = ()
    tests: dict[str, tuple[object, tuple[Check, ...]]] = field(default_factory=dict)
    found_for: str = ""
    plan: Plan | None = None
    plan_for: str = ""
    diffs: dict[str, str] = field(default_factory=dict)
    resume: Path | None = None
    sync: bool = False
    synced: str = ""
    folder: Path | None = None
    written: str = NOTHING_WRITTEN
    visited: set[str] = field(default_factory=set)
    exit_code: int = 0

    def steps(self) -> tuple[str, ...]:
        """The steps that these answers lead through, in order."""
        from wizard import questions

        project, replies = self.known, self.replies
        applies = {
            "database": bool(questions.database_stores(project)),
            "files": bool(questions.upload_stores(project)),
            "credentials": bool(questions.asked(project, replies, "credentials"))
            or not self._chosen_places(),
            "decisions": self.found is None or bool(self.found),
        }
        return tuple(name for name, _ in STEPS if applies.get(name, True))

    def _chosen_places(self) -> bool:
        """Whether every place has been chosen, so that it is known which credentials are needed."""
        from wizard import questions

        asked = questions.asked(self.known, self.replies)
        return all(q.key in self.replies for q in asked if q.key.endswith(".provider"))
