"""Decisions in words: for lists, for errors, and as YAML ready to paste."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import yaml

from wizard.errors import Undecided
from wizard.model import Decision


def describe(decision: Decision) -> str:
    """What was found, where, how often, which rows, and what may be chosen."""
    count = f"{decision.count:,}" if decision.count else "some"
    text = f"{decision.subject}: {decision.message} ({count})"
    if decision.keys:
        text += f"\n  keys: {', '.join(decision.keys)}"
    for choice in decision.choices:
        mark = ">" if choice.name == decision.chosen else "-"
        text += f"\n  {mark} {decision.code}: {choice.name}  {choice.about}"
    if not decision.choices:
        text += "\n  No answer can decide this: change it at the source, then start again."
    return text


def paste(decisions: Iterable[Decision]) -> str:
    """The decisions as they would stand in an answers file, the first choice of each proposed."""
    table: dict[str, dict[str, str]] = {}
    for decision in decisions:
        if decision.choices:
            table.setdefault(decision.subject, {})[decision.code] = decision.choices[0].name
    return yaml.safe_dump({"decisions": table}, sort_keys=False, allow_unicode=True)


def require_decided(decisions: Sequence[Decision], when: str) -> None:
    """Raises Undecided naming every subject, count, keys and choices. `when` says what was written."""
    undecided = [d for d in decisions if d.chosen is None]
    if not undecided:
        return
    listed = "\n".join(describe(d) for d in undecided)
    decidable = [d for d in undecided if d.choices]
    raise Undecided(
        "undecided",
        f"{len(undecided)} things cannot be carried exactly and are not decided; {when}\n{listed}",
        f"Decide them in the answers, below `database:`\n{paste(decidable)}" if decidable else "",
    )
