"""What the user is asked, in which order and why: pure data, used by the screens and by `--plain`.

Replies are flat: the question's key to a plain value; a secret's reply is the reference to it, never the
value. `fold` makes the answers mapping of INTERFACE out of them, `unfold` goes back. Storages declare their
own questions beside their keys, ways of moving a database where they can go.
"""

from __future__ import annotations

from wizard.model import Project
from wizard.question import Kind, Option, Question, Replies, Topic
from wizard.questions.access import ACCESS_OPTIONS
from wizard.questions.access import QUESTIONS as ACCESS
from wizard.questions.database import (
    DATABASE_OPTIONS,
    database_stores,
    held_kinds,
    moves_database,
    sqlite_stores,
)
from wizard.questions.database import QUESTIONS as DATABASE
from wizard.questions.folding import decisions_of, fold, unfold
from wizard.questions.storage import KEYS as STORAGE_KEYS
from wizard.questions.storage import PLACE, STORAGE_OPTIONS, moves_files, upload_stores

__all__ = [
    "ACCESS_OPTIONS",
    "DATABASE_OPTIONS",
    "QUESTIONS",
    "STORAGE_OPTIONS",
    "Kind",
    "Option",
    "Question",
    "Replies",
    "Topic",
    "asked",
    "database_stores",
    "decisions_of",
    "find",
    "fold",
    "held_kinds",
    "missing",
    "moves_database",
    "moves_files",
    "reference",
    "sqlite_stores",
    "unfold",
    "upload_stores",
]

_TOPICS: tuple[Topic, ...] = ("database", "files", "credentials")
QUESTIONS: tuple[Question, ...] = tuple(
    question
    for topic in _TOPICS
    for question in (*DATABASE, *PLACE, *ACCESS, *STORAGE_KEYS)
    if question.topic == topic
)


def asked(project: Project, replies: Replies, topic: Topic | None = None) -> tuple[Question, ...]:
    """The questions that matter for these replies, in order."""
    return tuple(q for q in QUESTIONS if (topic is None or q.topic == topic) and q.when(project, replies))


def find(key: str, project: Project, replies: Replies) -> Question:
    """The question that is asked under `key` for these replies; else any of that key, in the order above."""
    of_key = [q for q in QUESTIONS if q.key == key]
    return next((q for q in of_key if q.when(project, replies)), of_key[0])


def missing(project: Project, replies: Replies) -> tuple[Question, ...]:
    """Required questions that have neither a reply nor a default."""
    return tuple(q for q in asked(project, replies) if q.required and q.reply(project, replies) in (None, ""))


def reference(question: Question, project: Project, keyring: bool) -> str:
    """The reference under which this secret is kept: in the keyring, else in memory for one run."""
    if keyring:
        return f"keyring:{project.root.name or 'project'}/{question.slug}"
    return f"env:{question.variable}"
