"""Variables on Heroku, where each change restarts the app: one change, told before, and undone in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.providers.fake import Reply, serving
from tests.providers.fake_platforms import HerokuFake, postgres_addon
from tests.steps.test_deploy import EXPECTED, ctx, on_disk, ring
from wizard import planner
from wizard.answers import DeployAnswers
from wizard.context import RunContext
from wizard.errors import AshoreError
from wizard.events import Event, Warned
from wizard.providers import heroku
from wizard.steps import deploy, going_live, platform_access

__all__ = ["ctx", "ring"]
pytestmark = pytest.mark.long


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[HerokuFake]:
    made = HerokuFake()
    made.pushed("c0ffee")
    with serving(made) as url:
        monkeypatch.setattr(heroku, "PROVIDER", dataclasses.replace(heroku.PROVIDER, base=url))
        yield made


@pytest.fixture
def run(ctx: RunContext, seen: list[tuple[Event, int]], fake: HerokuFake) -> RunContext:
    """The run of `ctx`, whose app is on Heroku. `seen` holds each event and the restarts before it."""
    answers = DeployAnswers("heroku", service="my-app", token="env:TOKEN", set_variables=True)
    return replace(
        ctx,
        answers=replace(ctx.answers, deploy=answers),
        emit=lambda event: seen.append((event, fake.restarts)),
    )


@pytest.fixture
def seen() -> list[tuple[Event, int]]:
    return []


def test_all_are_set_in_one_change_that_is_told_before(
    run: RunContext, fake: HerokuFake, seen: list[tuple[Event, int]]
) -> None:
    platform_access.check(run)
    fake.variables["DATABASE_URL"] = "sqlite:///planted-old"
    said = deploy.run(run)
    assert fake.variables == {"OTHER": "untouched", **EXPECTED}
    assert fake.restarts == 1
    assert "the app restarted" in said
    told = [(e.message, before) for e, before in seen if isinstance(e, Warned) and e.code == "app-restarts"]
    assert [before for _, before in told] == [0], "said before the app is restarted"
    assert "wipes its disk" in told[0][0]
    assert b"planted" not in on_disk(run)

    deploy.run(run)
    assert fake.restarts == 1, "a second time there is nothing to set"
    assert deploy.restore(run) == (tuple(sorted(EXPECTED)), ())
    assert fake.variables == {"OTHER": "untouched", "DATABASE_URL": "sqlite:///planted-old"}
    assert fake.restarts == 2
    deploy.restore(run)
    assert fake.restarts == 2, "what is as it was restarts nothing"


@pytest.mark.parametrize("reply", [None, Reply(500)], ids=["done", "not-done"])
def test_a_change_whose_answer_is_lost_is_gone_on_from(
    run: RunContext, fake: HerokuFake, reply: Reply | None
) -> None:
    """Done or not, and the restart may have wiped what the run compares with."""
    fake.trouble("PATCH", ".*", reply, times=5)
    with pytest.raises(AshoreError):
        deploy.run(run)
    if reply is None:
        (run.project.root / "db.sqlite3").unlink()
    deploy.run(run)
    assert fake.variables == {"OTHER": "untouched", **EXPECTED}
    deploy.restore(run)
    assert fake.variables == {"OTHER": "untouched"}


def test_a_source_that_moved_is_refused_before_any_restart(run: RunContext, fake: HerokuFake) -> None:
    (run.project.root / "media" / "b.txt").write_text("a later upload")
    with pytest.raises(AshoreError) as raised:
        deploy.run(run)
    assert raised.value.code == "source-moved"
    assert fake.restarts == 0


def test_an_add_on_that_holds_the_url_is_left_and_nothing_restarts(run: RunContext, fake: HerokuFake) -> None:
    fake.addons = [postgres_addon(config_vars=["DATABASE_URL"])]
    fake.variables["DATABASE_URL"] = "postgres://planted-add-on"
    with pytest.raises(AshoreError) as raised:
        deploy.run(run)
    assert raised.value.code == "variable-attached"
    assert fake.restarts == 0
    assert fake.variables == {"OTHER": "untouched", "DATABASE_URL": "postgres://planted-add-on"}


def test_the_restart_is_not_taken_for_the_users_push(run: RunContext, fake: HerokuFake) -> None:
    fake.commits = dict.fromkeys(fake.commits)  # a platform that does not say which commit runs
    with platform_access.opened(run) as (client, service):
        going_live.note_before(run, client, service)
        deploy.run(run)
        assert going_live.arrived(run, client, service) is None
        fake.pushed(None)
        live = going_live.arrived(run, client, service)
    assert live is not None
    assert live.state == "live"


def test_the_plan_says_that_the_app_restarts(run: RunContext) -> None:
    step = next(s for s in planner.make_plan(run.project, run.answers).steps if s.name == "deploy")
    assert (step.writes, step.title) == ("Heroku", "Set the variables, in one change; the app restarts")
    assert run.answers.deploy is not None
    waiting = replace(run.answers.deploy, trigger=True, health_url="https://example.com/")
    plan = planner.make_plan(run.project, replace(run.answers, deploy=waiting))
    title = next(s for s in plan.steps if s.name == "deploy").title
    assert title.startswith("Set the variables (the app restarts), wait for your push")
