"""What a check answers, and the whole list as text and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from wizard.model import Evidence

VERSION = 1
Answer = Literal["yes", "no", "cannot-tell"]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist.

    `code` is stable, kebab-case. `title` is the statement that should be true. `why` says what was seen, or
    why it cannot be told; `hint` what to do, empty where nothing is.
    """

    code: str
    title: str
    answer: Answer
    why: str
    hint: str = ""
    place: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    """Every item for one project or address, in order. `subject` is its name."""

    subject: str
    items: tuple[Item, ...]

    def count(self, answer: Answer) -> int:
        """How many items have this answer."""
        return sum(item.answer == answer for item in self.items)


def to_json(checklist: Checklist) -> dict[str, Any]:
    """The checklist as `ashore check --json` prints it."""
    return {
        "version": VERSION,
        "subject": checklist.subject,
        "risks": checklist.count("no"),
        "items": [
            {
                "code": item.code,
                "title": item.title,
                "answer": item.answer,
                "why": item.why,
                "hint": item.hint,
                "file": item.place.file if item.place else None,
                "line": item.place.line if item.place else None,
            }
            for item in checklist.items
        ],
    }
