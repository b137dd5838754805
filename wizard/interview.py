"""Everything the user has said so far, whoever asks: the screens or `--plain`. Nothing here draws or calls.

Secrets are in memory only; answers and drafts hold their references. The question list is imported where it
is used: it brings the storages with it, and the first screen is painted before that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.credentials import Secret
from wizard.model import Decision, Project

if TYPE_CHECKING:
    from wizard.keyrings import KeyringState
    from wizard.question import Question


@dataclass(kw_only=True)
class Interview:
    """Replies, secrets and decisions of one wizard; going back and forth loses nothing."""

    project_path: Path
    state_dir: Path | None = None
    base: dict[str, object] = field(default_factory=dict)
    replies: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    chosen: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    project: Project | None = None
    keyring: KeyringState | None = None
    found: tuple[Decision, ...] | None = None

    def take(self, answers: Mapping[str, object]) -> None:
        """Start from answers that were proposed, or from a draft."""
        from wizard import questions

        self.base = dict(answers)
        self.replies |= questions.unfold(answers)
        self.chosen = questions.decisions_of(answers)
        skipped = answers.get("skip_edits")
        if isinstance(skipped, list | tuple):
            self.skipped = {str(path) for path in skipped}

    def begin_anew(self) -> None:
        """Forget what an earlier session left: answers, decisions, skipped files."""
        self.base, self.replies, self.chosen, self.skipped = {}, {}, {}, set()
        self.found = None

    @property
    def known(self) -> Project:
        """The scanned project; screens after the first may rely on it."""
        return self.project or Project(root=self.project_path)

    def answers(self, *, skipped: bool = True) -> dict[str, object]:
        """The answers mapping of everything said. Without `skipped`, as if every edit were wanted."""
        from wizard import questions

        answers = questions.fold(
            self.known, self.replies, self.chosen, self.skipped if skipped else (), self.base
        )
        if not skipped:
            answers.pop("skip_edits", None)
        return answers

    def fingerprint(self, *, decisions: bool) -> str:
        """Identifies the answers (with or without decisions), to know whether a result is still theirs."""
        from wizard import questions

        answers = questions.fold(self.known, self.replies, self.chosen if decisions else None, (), self.base)
        return json.dumps(answers, sort_keys=True, default=str)

    def put_secret(self, question: Question, secret: Secret | None) -> None:
        """Keep a secret that was typed, under the reference that the answers will name."""
        from wizard import questions

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

    def keep_in_memory(self, question: Question) -> None:
        """The keyring refused this secret: hold it for this run under an environment reference."""
        from wizard import questions

        secret = self.secrets.pop(str(self.replies.get(question.key)), None)
        if secret is not None:
            reference = questions.reference(question, self.known, keyring=False)
            self.replies[question.key] = reference
            self.secrets[reference] = secret

    def secret(self, question: Question) -> Secret | None:
        """The secret behind the question's reply, where it can be seen from here."""
        reference = str(self.replies.get(question.key) or "")
        if reference in self.secrets:
            return self.secrets[reference]
        scheme, _, name = reference.partition(":")
        value = os.environ.get(name) if scheme == "env" else None
        return Secret(value) if value else None

    def unseen(self) -> tuple[Question, ...]:
        """Secrets held only in memory by an earlier wizard: the run cannot have them without the user."""
        from wizard import questions

        return tuple(
            q
            for q in questions.asked(self.known, self.replies)
            if q.kind == "secret"
            and str(self.replies.get(q.key, "env:")).startswith("env:")
            and not self.secret(q)
        )

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
