"""What is asked about files: the place, then the keys that each storage declares itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from wizard.model import Project, Store
from wizard.question import Ask, Option, Question, Replies, When
from wizard.storages import LEAVE, STORAGES
from wizard.storages.base import StorageKind

MOVING: tuple[str, ...] = tuple(storage.name for storage in STORAGES)
STORAGE_OPTIONS: tuple[Option, ...] = (
    *(
        Option(
            storage.name,
            str(getattr(storage, "offered_as", storage.title)),
            str(getattr(storage, "about", "")),
        )
        for storage in STORAGES
    ),
    Option(LEAVE, "Leave the files where they are", "they stay on this disk"),
)


def upload_stores(project: Project) -> tuple[Store, ...]:
    """The uploads folders that the scan saw."""
    return tuple(s for s in project.stores if s.kind == "uploads")


def moves_files(project: Project, replies: Replies) -> bool:
    """Whether the replies so far move files to a storage."""
    return bool(upload_stores(project)) and replies.get("storage.provider") in MOVING


PLACE: tuple[Question, ...] = (
    Question(
        "storage.provider", "files", "choice", "Where should the files live?",
        "Uploaded files lie on the same disk; object storage keeps them outside the app.",
        "Files are copied, never moved: the folder stays as it is. Some bill what is read (egress), others "
        "do not; the table computes with the people you name.",
        options=STORAGE_OPTIONS,
        when=lambda project, replies: bool(upload_stores(project)),
    ),
)  # fmt: skip


def _to(name: str) -> When:
    return lambda project, replies: moves_files(project, replies) and replies.get("storage.provider") == name


def _questions_of(storage: StorageKind) -> Iterator[Question]:
    """The keys of its `Options` that have words or no default; secrets come last."""
    keys = [(key, _ask(key)) for key in fields(storage.Options)]
    for key, ask in sorted(keys, key=lambda pair: bool(pair[0].metadata.get("reference"))):
        if ask is not None:
            yield _question(storage, key, ask)


def _ask(key: Field[Any]) -> Ask | None:
    ask = key.metadata.get("ask")
    if isinstance(ask, Ask):
        return ask
    if key.default is not MISSING or key.default_factory is not MISSING:
        return None
    return Ask(key.name.replace("_", " ").capitalize(), "The storage cannot be reached without it.")


def _question(storage: StorageKind, key: Field[Any], ask: Ask) -> Question:
    default = None if key.default is MISSING else key.default
    return Question(
        f"storage.{key.name}",
        "credentials",
        "secret" if key.metadata.get("reference") else "text",
        ask.title,
        ask.why,
        ask.help,
        default=lambda project, replies: default,
        when=_to(storage.name),
        required=ask.required,
        variable=ask.variable or key.name.upper(),
        slug=key.name.replace("_", "-"),
        example=ask.example,
    )


KEYS: tuple[Question, ...] = tuple(q for storage in STORAGES for q in _questions_of(storage))
