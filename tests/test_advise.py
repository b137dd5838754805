"""The comparison of providers, and the catalogue behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.advise import GB, Offer, advise
from wizard.model import Project, Store
from wizard.providers import catalogue


def offers(gigabytes: float, *, users: int = 1000, budget: float = 20, kind: str = "database") -> list[Offer]:
    store = Store("sqlite" if kind == "database" else "uploads", "x", bytes=int(gigabytes * GB))
    project = Project(Path("/p"), stores=(store,))
    return [o for o in advise(project, users=users, budget=budget) if o.kind == kind]


def plan(found: list[Offer], provider: str, name: str) -> Offer:
    return next(o for o in found if (o.provider, o.plan) == (provider, name))


def test_small_data_is_free_and_a_plan_that_deletes_is_never_recommended() -> None:
    best = [o for o in offers(0.004) if o.recommended]
    assert [(o.provider, o.plan, o.monthly_now) for o in best] == [("neon", "free", 0.0)]
    assert not plan(offers(0.004), "render", "free").recommended


def test_a_plan_that_ends_at_ten_times_costs_what_the_next_one_costs() -> None:
    assert plan(offers(0.1), "supabase", "free").monthly_now == 0
    assert plan(offers(0.1), "supabase", "free").monthly_at_10x == 25


def test_a_plan_that_cannot_hold_the_data_has_no_price() -> None:
    found = offers(3)
    assert plan(found, "neon", "free").monthly_now is None
    assert plan(found, "render", "basic").monthly_now == 6.9
    assert all(o.monthly_now is not None for o in found if o.recommended)


def test_nothing_within_the_budget_recommends_nothing() -> None:
    assert not any(o.recommended for o in offers(3, budget=1))


def test_reading_costs_where_egress_does() -> None:
    found = offers(61, kind="storage")
    assert plan(found, "r2", "standard").monthly_now == pytest.approx(51 * 0.015, abs=0.01)
    assert plan(found, "s3", "standard").monthly_now == pytest.approx(61 * 0.023 + 20 * 0.09, abs=0.01)


def test_every_product_is_dated_and_says_where_from() -> None:
    for product in catalogue.products():
        assert product.as_of.startswith("20") and product.source and product.limits, product


def test_a_catalogue_that_is_wrong_names_the_entry() -> None:
    with pytest.raises(ValueError, match="database 1: unknown keys colour"):
        catalogue.parse("database: [{provider: a, colour: red}]")
    with pytest.raises(ValueError, match="storage 1"):
        catalogue.parse("storage: [{provider: a}]")
