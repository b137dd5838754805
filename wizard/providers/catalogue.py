"""The dated catalogue of providers: `catalogue.yaml`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

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


@cache
def products() -> tuple[Product, ...]:
    """Every product, in the file's order. Raises ValueError naming the entry that is not well formed."""
    text = resources.files("wizard.providers").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    return parse(text)


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
        return Product(kind=kind, **entry)
    except TypeError as error:
        raise ValueError(f"{kind} {number}: {error}") from error
