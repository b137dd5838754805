"""Providers compared on the scanned sizes, with a recommendation. Offline: prices are the catalogue's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from wizard.model import Project
from wizard.providers.catalogue import Product, following, products

GB = 1_000_000_000
GROWTH = 10
# What one person is taken to use in a month where nothing is measured: files read, and compute.
EGRESS_GB_PER_USER = 0.02
CU_HOURS_PER_USER = 0.05
MONTH_HOURS = 730


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of the comparison. Prices are USD a month, None where the plan cannot hold the data.

    `monthly_at_10x` is for ten times the data and people, on the provider's next plan where this one
    ends. `as_of` and `second_hand` date the figures.
    """

    provider: str
    plan: str
    title: str
    monthly_now: float | None
    monthly_at_10x: float | None
    first_limit: str
    backups: str
    as_of: str
    second_hand: bool
    recommended: bool
    reason: str
    kind: Literal["database", "storage"] = "database"


def advise(project: Project, *, users: int, budget: float) -> tuple[Offer, ...]:
    """Every product with its price for this project, the catalogue's order, one recommended a kind.

    `users` are people a month, `budget` is USD a month for each kind. Recommended is the cheapest that
    holds the data now, fits the budget and does not delete it after a while; on a tie the cheapest at ten
    times.
    """
    everything = products()
    offers: list[Offer] = []
    for kind in ("database", "storage"):
        size = _gigabytes(project, kind)
        rows = [(p, _offer(p, everything, size, users)) for p in everything if p.kind == kind]
        best = _best(rows, budget)
        for product, offer in rows:
            if offer is best:
                offer = replace(offer, recommended=True, reason=_reason(product, offer, everything))
            offers.append(offer)
    return tuple(offers)


def _gigabytes(project: Project, kind: str) -> float:
    wanted = "sqlite" if kind == "database" else "uploads"
    return sum(s.bytes for s in project.stores if s.kind == wanted) / GB


def _offer(product: Product, everything: tuple[Product, ...], size: float, users: int) -> Offer:
    return Offer(
        provider=product.provider,
        plan=product.plan,
        title=product.title,
        monthly_now=_price(product, everything, size, users, climb=False),
        monthly_at_10x=_price(product, everything, size * GROWTH, users * GROWTH, climb=True),
        first_limit=product.first_limit,
        backups=product.backups,
        as_of=product.as_of,
        second_hand=product.second_hand,
        recommended=False,
        reason=product.limits,
        kind=product.kind,
    )


def _price(
    product: Product, everything: tuple[Product, ...], size: float, users: int, *, climb: bool
) -> float | None:
    """USD a month, rounded to cents; None where the plan (and, climbing, the next) cannot hold `size` GB."""
    if product.max_gb is not None and size > product.max_gb:
        upper = following(product, everything)
        return _price(upper, everything, size, users, climb=climb) if climb and upper else None
    read = users * EGRESS_GB_PER_USER if product.kind == "storage" else 0.0
    free_read = max(product.egress_included_gb, product.egress_included_times * size)
    compute = min(users * CU_HOURS_PER_USER, MONTH_HOURS) * product.compute_hour
    return round(
        product.monthly
        + max(0.0, size - product.included_gb) * product.per_gb
        + max(0.0, read - free_read) * product.egress_per_gb
        + compute,
        2,
    )


def _best(rows: list[tuple[Product, Offer]], budget: float) -> Offer | None:
    """Cheapest now, then at ten times; on a tie the catalogue's order decides."""
    fit = [
        offer
        for product, offer in rows
        if offer.monthly_now is not None and offer.monthly_now <= budget and product.expires_days is None
    ]
    return min(fit, key=lambda o: (o.monthly_now or 0.0, o.monthly_at_10x or 0.0), default=None)


def _reason(product: Product, offer: Offer, everything: tuple[Product, ...]) -> str:
    cost = "no fixed cost" if not offer.monthly_now else f"${offer.monthly_now:,.2f} a month"
    upper = following(product, everything)
    later = f" Move to {upper.title.split()[-1]} when a limit is met." if upper else ""
    return f"{cost}; first limit: {product.first_limit}.{later}"
