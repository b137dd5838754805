"""The dated catalogue of providers: `catalogue.yaml`, read and checked.

A file of the user's own (`catalogue.yaml` in ashore's configuration folder, or the one that
`ASHORE_CATALOGUE` names) takes its place where its `date` is newer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import platformdirs
import yaml

from wizard.errors import UsageError

# Prices change: what was read longer ago is marked wherever it is shown.
STALE_DAYS = 180
VARIABLE = "ASHORE_CATALOGUE"
Kind = Literal["database", "storage"]


@dataclass(frozen=True, slots=True)
class Product:
    """One plan of one provider. Prices in USD, sizes in GB (10^9 bytes); None where there is no limit.

    `as_of` is the month the facts were read, `second_hand` whether a figure is not the provider's own,
    `source` where it was read. The other keys are explained at the top of the YAML file.
    """

    kind: Kind
    provider: str
    plan: str
    title: str
    as_of: str
    source: str
    first_limit: str
    limits: str
    backups: str
    monthly: float = 0.0
    included_gb: float = 0.0
    per_gb: float = 0.0
    egress_per_gb: float = 0.0
    egress_included_gb: float = 0.0
    egress_included_times: float = 0.0
    compute_hour: float = 0.0
    max_gb: float | None = None
    next: str | None = None
    expires_days: int | None = None
    second_hand: bool = False
    also: str = ""
    also_monthly: float = 0.0
    needs: str = ""
    advised: bool = True

    def stale(self, today: date) -> bool:
        """Whether the facts were read more than 180 days before `today`; a year alone means its first day."""
        year, _, month = self.as_of.partition("-")
        return (today - date(int(year), int(month or 1), 1)).days > STALE_DAYS


def products() -> tuple[Product, ...]:
    """Every product, in the file's order: ashore's own, or the user's where that is newer.

    Raises UsageError `catalogue-invalid` for a file of the user's that is not well formed.
    """
    path = own_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _shipped()[1]
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(path, "it cannot be read") from error
    try:
        newer = _date(text) > _shipped()[0]
        return parse(text) if newer else _shipped()[1]
    except (ValueError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise _invalid(path, " ".join(str(error).split())[:200]) from error


def own_file() -> Path:
    """Where a catalogue of the user's own is looked for."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("ashore")) / "catalogue.yaml"


@cache
def _shipped() -> tuple[str, tuple[Product, ...]]:
    text = resources.files("wizard.providers").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    return _date(text), parse(text)


def _date(text: str) -> str:
    """The catalogue's own date, `YYYY-MM` or `YYYY-MM-DD`. Raises ValueError where it has none."""
    found = str(yaml.safe_load(text).get("date") or "")
    if not found[:4].isdigit() or found[4:5] != "-":
        raise ValueError("it has no `date: YYYY-MM`")
    return found


def _invalid(path: Path, why: str) -> UsageError:
    return UsageError(
        "catalogue-invalid", f"Your catalogue {path} cannot be used: {why}.", "Correct it, or move it away."
    )


def parse(text: str) -> tuple[Product, ...]:
    """The products of a catalogue in YAML. Raises ValueError naming the entry that is not well formed."""
    data: Mapping[str, Any] = yaml.safe_load(text)
    found: list[Product] = []
    kinds: tuple[Kind, ...] = ("database", "storage")
    for kind in kinds:
        for number, entry in enumerate(data.get(kind) or (), 1):
            found.append(_product(kind, number, entry))
    for product in found:
        if product.next and not any(_same(p, product) and p.plan == product.next for p in found):
            raise ValueError(f"{product.provider} {product.plan}: the next plan {product.next} is not listed")
    return tuple(found)


def following(product: Product, among: tuple[Product, ...]) -> Product | None:
    """The plan that one moves to at this one's limit."""
    return next((p for p in among if _same(p, product) and p.plan == product.next), None)


def _same(one: Product, other: Product) -> bool:
    return one.provider == other.provider and one.kind == other.kind


def _product(kind: Kind, number: int, entry: object) -> Product:
    if not isinstance(entry, dict):
        raise ValueError(f"{kind} {number}: not a mapping")
    unknown = set(entry) - {f.name for f in fields(Product)}
    if unknown:
        raise ValueError(f"{kind} {number}: unknown keys {', '.join(sorted(map(str, unknown)))}")
    try:
        made = Product(kind=kind, **entry)
        made.stale(date.today())
        return made
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{kind} {number}: {error}") from error
