"""Who may read the files, where the storage leaves a choice, and the address they are read at."""

from __future__ import annotations

from wizard.model import Access, Project
from wizard.question import Option, Question, Replies
from wizard.questions.storage import moves_files
from wizard.storages import STORAGES

BOTH: tuple[Access, ...] = ("signed", "public")
ACCESS_OPTIONS: tuple[Option, ...] = (
    Option("signed", "private", "through links of the app that expire"),
    Option("public", "public", "by anyone who has the address"),
)


def accesses(provider: object) -> tuple[Access, ...]:
    """How files at `provider` can be read; empty where the app serves them itself."""
    storage = next((s for s in STORAGES if s.name == provider), None)
    found: tuple[Access, ...] = getattr(storage, "accesses", BOTH)
    return found


def _asks(project: Project, replies: Replies) -> bool:
    return moves_files(project, replies) and bool(accesses(replies.get("storage.provider")))


def _choices(project: Project, replies: Replies) -> tuple[Option, ...]:
    possible = accesses(replies.get("storage.provider"))
    return tuple(option for option in ACCESS_OPTIONS if option.name in possible)


def _default(project: Project, replies: Replies) -> object:
    # Private unless said otherwise; a storage that is public by its nature has to be agreed to.
    return "signed" if "signed" in accesses(replies.get("storage.provider")) else None


def _is_public(project: Project, replies: Replies) -> bool:
    return moves_files(project, replies) and replies.get("storage.access") == "public"


QUESTIONS: tuple[Question, ...] = (
    Question(
        "storage.access", "files", "choice", "Who may read the files?",
        "Files that were behind a login stay private unless you say otherwise.",
        "Private files are read through signed links that the app makes and that expire. Public means that "
        "anyone who has an address can read the file.",
        options=ACCESS_OPTIONS, choices=_choices, default=_default, when=_asks,
    ),
    Question(
        "storage.public_url", "credentials", "text", "Public address",
        "Where a browser reads the public files: the bucket's own address or a CDN's.",
        "Links inside the database are rewritten to it. Empty: the provider's own address, where it has one.",
        when=_is_public, required=False, example="https://media.example.com",
    ),
)  # fmt: skip
