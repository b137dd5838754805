"""Everything the user has said so far, outside any screen: going back and forth loses nothing.

Secrets are in memory only; a draft on disk holds their references.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from screens.engine import Engine
from wizard import questions
from wizard.model import Decision, Plan, Project

if TYPE_CHECKING:
    from wizard.api import Check, KeyringState, RunInfo, Secret

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


@dataclass
class Session:
    """The state of one wizard. Screens read and change it; nothing else does."""

    project_path: Path
    engine: Engine
    state_dir: Path | None = None
    base: dict[str, object] = field(default_factory=dict)
    replies: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    chosen: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    picked_plan: dict[str, str] = field(default_factory=dict)
    users: int = 1000
    budget: float = 20.0
    project: Project | None = None
    keyring: KeyringState | None = None
    earlier_runs: tuple[RunInfo, ...] = ()
    tests: dict[str, tuple[object, tuple[Check, ...]]] = field(default_factory=dict)
    found: tuple[Decision, ...] | None = None
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

    def take(self, answers: Mapping[str, object]) -> None:
        """Start from answers that were proposed, or from a draft."""
        self.base = dict(answers)
        self.replies |= questions.unfold(answers)
        self.chosen = questions.decisions_of(answers)
        skipped = answers.get("skip_edits")
        if isinstance(skipped, list | tuple):
            self.skipped = {str(path) for path in skipped}

    @property
    def known(self) -> Project:
        """The scanned project; screens after the first may rely on it."""
        return self.project or Project(root=self.project_path)

    def answers(self, *, skipped: bool = True) -> dict[str, object]:
        """The answers mapping of everything said. Without `skipped`, as if every edit were wanted."""
        answers = questions.fold(
            self.known, self.replies, self.chosen, self.skipped if skipped else (), self.base
        )
        if not skipped:
            answers.pop("skip_edits", None)
        return answers

    def fingerprint(self, *, decisions: bool) -> str:
        """Identifies the answers (with or without decisions), to know whether a result is still theirs."""
        answers = questions.fold(self.known, self.replies, self.chosen if decisions else None, (), self.base)
        return json.dumps(answers, sort_keys=True, default=str)

    def put_secret(self, question: questions.Question, secret: Secret | None) -> None:
        """Keep a secret that was typed, under the reference that the answers will name."""
        usable = self.keyring is not None and self.keyring.usable
        if secret is None or not secret:
            # An emptied field falls back to what the answers named before it, if they did.
            given = questions.unfold(self.base).get(question.key)
            self.secrets.pop(str(self.replies.get(question.key)), None)
            if given is None:
                self.replies.pop(question.key, None)
            else:
                self.replies[question.key] = given
            return
        reference = questions.reference(question, self.known, usable)
        self.replies[question.key] = reference
        self.secrets[reference] = secret

    def keep_in_memory(self, question: questions.Question) -> None:
        """The keyring refused this secret: hold it for this run under an environment reference."""
        secret = self.secrets.pop(str(self.replies.get(question.key)), None)
        if secret is not None:
            reference = questions.reference(question, self.known, keyring=False)
            self.replies[question.key] = reference
            self.secrets[reference] = secret

    def secret(self, question: questions.Question) -> Secret | None:
        """The secret behind the question's reply, where it can be seen from here."""
        reference = str(self.replies.get(question.key) or "")
        if reference in self.secrets:
            return self.secrets[reference]
        scheme, _, name = reference.partition(":")
        value = os.environ.get(name) if scheme == "env" else None
        return self.engine.Secret(value) if value else None

    def unseen(self) -> tuple[questions.Question, ...]:
        """Secrets held only in memory by an earlier wizard: the run cannot have them without the user."""
        return tuple(
            q
            for q in questions.asked(self.known, self.replies)
            if q.kind == "secret"
            and str(self.replies.get(q.key, "env:")).startswith("env:")
            and not self.secret(q)
        )

    def steps(self) -> tuple[str, ...]:
        """The steps that these answers lead through, in order."""
        project, replies = self.known, self.replies
        applies = {
            "database": bool(questions.sqlite_stores(project)),
            "files": bool(questions.upload_stores(project)),
            "credentials": bool(questions.asked(project, replies, "credentials"))
            or not self._chosen_places(),
            "decisions": self.found is None or bool(self.found),
        }
        return tuple(name for name, _ in STEPS if applies.get(name, True))

    def _chosen_places(self) -> bool:
        """Whether every place has been chosen, so that it is known which credentials are needed."""
        asked = questions.asked(self.known, self.replies)
        return all(q.key in self.replies for q in asked if q.key.endswith(".provider"))

    def undecided(self) -> tuple[Decision, ...]:
        """Decisions of the last preflight that have no answer yet."""
        return tuple(d for d in self.found or () if not self.choice(d))

    def decided(self) -> tuple[Decision, ...] | None:
        """What the last preflight found, each with what was chosen; None where there was none yet."""
        return None if self.found is None else tuple(replace(d, chosen=self.choice(d)) for d in self.found)

    def choice(self, decision: Decision) -> str | None:
        """What was chosen for `decision`, where that is one of its choices."""
        chosen = self.chosen.get(decision.subject, {}).get(decision.code, decision.chosen)
        return chosen if chosen in {c.name for c in decision.choices} else None
