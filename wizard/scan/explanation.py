"""What a page of `ashore scan --explain` is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a finding means, how to see it oneself, and what to do."""

    code: str
    title: str
    text: str
