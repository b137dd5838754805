"""Decisions in words: for lists, for errors, and as YAML ready to paste. Every part speaks through here."""

from __future__ import annotations

import json
from collections.abc import Iterable

from wizard.errors import Undecided
from wizard.model import Decision


def undecided(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those without an answer, or with one that is not among the choices."""
    return tuple(d for d in decisions if d.chosen not in {c.name for c in d.choices})


def require_decided(decisions: Iterable[Decision], when: str) -> None:
    """Raises Undecided naming every subject, count, keys and choices. `when` says what was not written."""
    left = undecided(decisions)
    if not left:
        return
    decidable = [d for d in left if d.choices]
    raise Undecided(
        "undecided",
        f"What follows cannot be carried exactly and is not decided; {when}\n"
        + "\n".join(describe(d) for d in left),
        f"To decide, put this into the answers and choose:\n{paste(decidable)}"
        if decidable
        else "Change it at the source, then start again.",
    )


def describe(decision: Decision) -> str:
    """What was found, where, how often, which rows, and what may be chosen."""
    text = f"{decision.subject} [{decision.code}]: {decision.message}"
    if decision.count:
        text += f" ({decision.count:,})"
    if decision.keys:
        more = " …" if decision.count > len(decision.keys) else ""
        text += f"\n  keys: {'; '.join(decision.keys)}{more}"
    for choice in decision.choices:
        mark = ">" if choice.name == decision.chosen else "-"
        text += f"\n  {mark} {choice.name}: {choice.about}"
    if not decision.choices:
        text += "\n  No answer can decide this: change it at the source, then start again."
    elif decision.chosen is not None and undecided([decision]):
        text += f"\n  `{decision.chosen}` is not one of these."
    return text


def paste(decisions: Iterable[Decision]) -> str:
    """The decisions as an answers file holds them: the first choice of each, the others beside it."""
    subjects: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.choices:
            subjects.setdefault(decision.subject, []).append(decision)
    lines = ["database:", "  decisions:"]
    for subject, group in subjects.items():
        chosen = ", ".join(f"{d.code}: {d.choices[0].name}" for d in group)
        others = "; ".join(
            f"{d.code}: {' | '.join(c.name for c in d.choices)}" for d in group if len(d.choices) > 1
        )
        lines.append(
            f"    {json.dumps(subject, ensure_ascii=False)}: {{{chosen}}}"
            + (f"  # {others}" if others else "")
        )
    return "\n".join(lines)
