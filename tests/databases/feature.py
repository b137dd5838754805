"""One feature of the torture database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Rows = list[tuple[Any, ...]]
INF = float("inf")
LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@dataclass(frozen=True)
class Feature:
    """`make` are statements, or (statement, rows). `rows` maps a table to what the target must hold.

    `types` are column types by "table.column", `decisions` all that the preflight asks, with the answers,
    `left` the (kind, name) of objects that stay behind, `indexes` parts of the target's index definitions
    by name, `refused` what the target must refuse to insert afterwards.
    """

    name: str
    make: tuple[str | tuple[str, Rows], ...]
    rows: Mapping[str, Rows] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left: tuple[tuple[str, str], ...] = ()
    indexes: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
