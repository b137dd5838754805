"""The comparison of providers, and the catalogue behind it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from wizard.advise import GB, Offer, advise
from wizard.advise_notes import notes
from wizard.errors import UsageError
from wizard.model import Finding, Project, Store
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


def test_a_disk_counts_the_paid_service_that_it_requires_and_is_never_recommended() -> None:
    stay = plan(offers(0.01, budget=100), "stay-with-backups", "disk")
    assert stay.monthly_now == 7.0
    assert "paid web service" in stay.also
    assert not stay.recommended
    assert plan(offers(10, kind="storage"), "render-disk", "disk").monthly_now == 10.0


def test_an_upgrade_in_place_is_offered_where_there_is_something_to_upgrade() -> None:
    assert not [o for o in offers(0.01) if o.provider == "keep"]
    finding = Finding("free-database-expires", "error", "It expires.", "")
    found = advise(Project(Path("/p"), findings=(finding,)), users=100, budget=20)
    assert [o.plan for o in found if o.provider == "keep"] == ["upgrade"]


def test_figures_over_180_days_old_are_marked() -> None:
    project = Project(Path("/p"))
    for on, stale in ((date(2026, 8, 27), False), (date(2026, 8, 29), True)):
        found = advise(project, users=1, budget=0, today=on)
        assert plan(list(found), "neon", "free").stale is stale
    assert not plan(list(found), "render", "free").stale


def test_what_breaks_first_is_the_size_where_ten_times_do_not_fit() -> None:
    assert "full at 2.0 times" in plan(offers(0.25), "neon", "free").breaks
    assert plan(offers(0.01), "neon", "free").breaks == "sleeps after 5 min idle"


def test_a_newer_catalogue_of_the_users_own_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "catalogue.yaml"
    monkeypatch.setenv(catalogue.VARIABLE, str(own))
    entry = "{provider: neon, plan: free, title: Mine, as_of: '2027-01', source: me, first_limit: f, limits: l, backups: b, monthly: 3}"  # noqa: E501
    own.write_text(f"date: 2027-01\ndatabase: [{entry}]\n")
    assert [o.monthly_now for o in offers(0.01)] == [3.0]
    own.write_text(f"date: 2025-01\ndatabase: [{entry}]\n")
    assert len(offers(0.01)) > 1, "an older one does not"
    own.write_text("date: 2027-01\ndatabase: [{provider: neon}]\n")
    with pytest.raises(UsageError, match="cannot be used: database 1"):
        offers(0.01)


def test_guides_are_corrected_and_hosts_declined_and_the_rule_of_thumb_is_one() -> None:
    told = notes(5000)
    assert {n.about for n in told} == {"correction", "declined", "bill", "capacity"}
    assert "30 days, not 90" in " ".join(n.text for n in told)
    assert "Imgur" in " ".join(n.text for n in told)
    assert "Rule of thumb for 5,000 people" in told[-1].text
    assert "not measured" in told[-1].text
