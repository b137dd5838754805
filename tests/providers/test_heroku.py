"""Heroku: all variables in one change, releases told from changes of config, add-ons respected and told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.fake import TOKEN, Reply, serving
from tests.providers.fake_platforms import NEWEST, HerokuFake, postgres_addon
from tests.providers.flows import api
from wizard.credentials import Secret
from wizard.errors import AshoreError
from wizard.providers import heroku


@pytest.fixture
def fake() -> Iterator[HerokuFake]:
    made = HerokuFake()
    with serving(made):
        yield made


def client(fake: HerokuFake) -> heroku.Heroku:
    return heroku.Heroku(api(heroku.PROVIDER, fake.url))


def test_variables_are_changed_in_one_request_and_no_other_is_touched(fake: HerokuFake) -> None:
    fake.variables["OLD"] = "old"
    used = client(fake)
    assert used.check_service("my-app") == "my-app"
    assert used.variable("my-app", "A") is None
    used.change_variables("my-app", {"A": Secret("postgresql://u:p@h/d?x=1"), "B": Secret("2"), "OLD": None})
    assert fake.variables == {"OTHER": "untouched", "A": "postgresql://u:p@h/d?x=1", "B": "2"}
    assert fake.restarts == fake.count("PATCH") == 1
    assert used.variable("my-app", "B") == Secret("2")
    used.delete_variable("my-app", "B")
    used.delete_variable("my-app", "B")
    assert fake.restarts == 2, "what is not there is not removed: that would restart the app for nothing"


def test_a_variable_of_an_add_on_is_left_and_nothing_is_changed(fake: HerokuFake) -> None:
    fake.addons = [postgres_addon(config_vars=["DATABASE_URL"])]
    with pytest.raises(AshoreError) as raised:
        client(fake).change_variables("my-app", {"A": Secret("1"), "DATABASE_URL": Secret("planted")})
    assert (raised.value.code, raised.value.exit_code) == ("variable-attached", 4)
    assert "postgresql-curly-1" in raised.value.message
    assert "planted" not in str(raised.value)
    assert fake.restarts == 0


def test_a_change_of_config_vars_is_no_deploy(fake: HerokuFake) -> None:
    used = client(fake)
    assert used.deploys("my-app") == (), "the first release of an app runs nothing"
    fake.pushed("c0ffee")
    before = used.deploys("my-app")
    assert [(d.state, d.commit) for d in before] == [("live", "c0ffee")]
    used.set_variable("my-app", "A", Secret("1"))
    assert used.deploys("my-app")[0].id == before[0].id
    fake.pushed("deca11")
    after = used.deploys("my-app")
    assert [(d.state, d.commit) for d in after] == [("live", "deca11"), ("superseded", "c0ffee")]
    assert fake.count("GET", r".*/slugs/.*") == 2, "a commit is asked for once"


def test_releases_are_asked_for_newest_first(fake: HerokuFake) -> None:
    fake.trouble("GET", r".*/releases", Reply(416, {"message": "no such range"}))
    with pytest.raises(AshoreError):
        client(fake).deploys("my-app")
    assert heroku.NEWEST == {"Range": NEWEST}
    assert client(fake).deploys("my-app") == ()


@pytest.mark.parametrize(("ends", "state"), [("succeeded", "live"), ("failed", "failed")])
def test_a_redeploy_is_a_new_release_of_the_same_slug_followed_to_its_end(
    fake: HerokuFake, ends: str, state: str
) -> None:
    fake.release_ends = ends
    fake.pushed("c0ffee")
    used = client(fake)
    live = used.deploys("my-app")[0]
    made = used.redeploy("my-app", live)
    assert (made.state, made.commit) == ("running", "c0ffee")
    assert made.id != live.id
    assert used.follow("my-app", made.id).state == state
    assert used.deploys("my-app")[0].state == "live", "a release that failed leaves the one before it"


def test_what_is_no_slug_is_not_redeployed(fake: HerokuFake) -> None:
    fake.pushed(None)
    fake.releases[-1] |= {"slug": None, "artifacts": [{"type": "oci-image", "id": "image-1"}]}
    used = client(fake)
    live = used.deploys("my-app")[0]
    assert (live.state, live.commit) == ("live", "")
    with pytest.raises(AshoreError) as raised:
        used.redeploy("my-app", live)
    assert raised.value.code == "redeploy-not-offered"
    assert fake.count("POST") == 0


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (401, "Invalid credentials provided.", "token-refused"),
        (403, "This scope cannot do that", "scope-missing"),
        (404, "Couldn't find that app.", "not-found"),
        (402, "Please verify your account", "plan-limit"),
        (422, f"Invalid value {TOKEN}", "provider-refused"),
        (503, "down", "provider-busy"),
    ],
)
def test_errors_in_words(fake: HerokuFake, status: int, said: str, code: str) -> None:
    fake.trouble("PATCH", ".*", fake.refused(status, said), times=9)
    with pytest.raises(AshoreError) as raised:
        client(fake).change_variables("my-app", {"A": Secret("1")})
    assert raised.value.code == code
    assert TOKEN not in str(raised.value)
    assert fake.variables == {"OTHER": "untouched"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"A": 3}'])
def test_garbage_is_told_as_such(fake: HerokuFake, body: bytes) -> None:
    fake.trouble("GET", r".*/config-vars", Reply(200, body))
    with pytest.raises(AshoreError) as raised:
        client(fake).variable("my-app", "A")
    assert raised.value.code == "provider-answer"


@pytest.mark.parametrize(
    ("state", "answer"), [("provisioned", "yes"), ("provisioning", "cannot-tell"), ("deprovisioned", "no")]
)
def test_the_database_add_on_is_told_with_its_plan(fake: HerokuFake, state: str, answer: str) -> None:
    other = postgres_addon(addon_service={"id": "r", "name": "heroku-redis"})
    fake.addons = [postgres_addon(state=state), other]
    (fact,) = client(fake).facts("my-app")
    assert fact.answer == answer
    assert "heroku-postgresql:essential-0, $5.00 a month" in fact.why
