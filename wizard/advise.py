"""Providers compared on the scanned sizes, with a recommendation. Offline: prices are the catalogue's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
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
    ends. `as_of` and `second_hand` date the figures, `stale` says that they are over 180 days old. `breaks`
    is what gives way first as this project grows, `also` what the price holds besides the plan's own.
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
    stale: bool = False
    breaks: str = ""
    also: str = ""


def advise(project: Project, *, users: int, budget: float, today: date | None = None) -> tuple[Offer, ...]:
    """Every product with its price for this project, the catalogue's order, one recommended a kind.

    `users` are people a month, `budget` is USD a month for each kind. Recommended is the cheapest that
    holds the data now, fits the budget and does not delete it after a while; on a tie the cheapest at ten
    times. Raises UsageError `catalogue-invalid`.
    """
    on = today or date.today()
    everything = tuple(p for p in products() if _fits(p, project))
    offers: list[Offer] = []
    for kind in ("database", "storage"):
        size = _gigabytes(project, kind)
        rows = [(p, _offer(p, everything, size, users, on)) for p in everything if p.kind == kind]
        best = _best(rows, budget)
        for product, offer in rows:
            if offer is best:
                offer = replace(offer, recommended=True, reason=_reason(product, offer, everything))
            offers.append(offer)
    return tuple(offers)


def _gigabytes(project: Project, kind: str) -> float:
    wanted = "sqlite" if kind == "database" else "uploads"
    return sum(s.bytes for s in project.stores if s.kind == wanted) / GB


def _fits(product: Product, project: Project) -> bool:
    """Whether the product can be had at all: an upgrade in place needs the database that it upgrades."""
    if product.needs != "render-postgres":
        return True
    return any(f.code == "free-database-expires" for f in project.findings)


def _offer(product: Product, everything: tuple[Product, ...], size: float, users: int, on: date) -> Offer:
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
        stale=product.stale(on),
        breaks=_breaks(product, size),
        also=product.also,
    )


def _breaks(product: Product, size: float) -> str:
    """What gives way first, with the growth at which the size does."""
    if product.expires_days is not None:
        return f"time: it ends after {product.expires_days} days"
    if product.max_gb is None:
        return product.first_limit
    if size > product.max_gb:
        return f"size: {size:,.2f} GB do not fit into {product.max_gb:g} GB"
    times = product.max_gb / size if size else 0.0
    if not times or times > GROWTH:
        return product.first_limit
    return f"size: its {product.max_gb:g} GB are full at {times:,.1f} times of today's data"


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
        + product.also_monthly
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
        if offer.monthly_now is not None
        and offer.monthly_now <= budget
        and product.expires_days is None
        and product.advised
    ]
    return min(fit, key=_rank, default=None)


def _rank(offer: Offer) -> tuple[float, float]:
    """A plan that cannot hold ten times the data comes after every one that can."""
    later = offer.monthly_at_10x
    return offer.monthly_now or 0.0, float("inf") if later is None else later


def _reason(product: Product, offer: Offer, everything: tuple[Product, ...]) -> str:
    cost = "no fixed cost" if not offer.monthly_now else f"${offer.monthly_now:,.2f} a month"
    upper = following(product, everything)
    later = f" Move to {upper.title.split()[-1]} when a limit is met." if upper else ""
    bill = f", with {product.also}" if product.also else ""
    return f"{cost}{bill}; first limit: {offer.breaks}.{later}"
