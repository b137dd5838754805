"""The clients against stateful fakes: the whole flow, every shape of error, and who waits how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from tests.providers.fake import TOKEN, Fake, RenderFake, Reply, serving
from tests.providers.fakes import NeonFake, SupabaseFake, VercelFake
from tests.providers.flows import FLOWS, api
from wizard.answers import CreateDatabase
from wizard.credentials import Secret
from wizard.errors import EXIT_REFUSED, AshoreError
from wizard.providers import http, neon, render, supabase, vercel
from wizard.providers.base import Deploy

OWNERS = r"/owners"


@pytest.mark.parametrize(("spec", "kind", "flow"), FLOWS)
def test_the_whole_flow(spec: str, kind: Callable[[], Fake], flow: Callable[[Any, str], None]) -> None:
    fake = kind()
    with serving(fake) as url:
        flow(fake, url)


@pytest.fixture
def fake() -> Iterator[RenderFake]:
    made = RenderFake(polls=0)
    with serving(made):
        yield made


def client(fake: Fake, waits: list[float] | None = None, token: str = TOKEN) -> render.Render:
    return render.Render(api(render.PROVIDER, fake.url, waits, token))


def failing(fake: RenderFake, reply: Reply, *, times: int = 99) -> tuple[AshoreError, list[float]]:
    """What `owners` fails with where this is the answer, and the pauses before."""
    fake.trouble("GET", OWNERS, reply, times)
    waits: list[float] = []
    with pytest.raises(AshoreError) as raised:
        client(fake, waits).owners()
    return raised.value, waits


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (401, "Unauthorized", "token-refused"),
        (403, "insufficient permissions", "scope-missing"),
        (402, "payment information required", "plan-limit"),
        (400, "cannot have more than one active free tier database", "plan-limit"),
        (422, "projects limit exceeded", "plan-limit"),
        (409, "conflict", "name-taken"),
        (400, "name already exists", "name-taken"),
        (404, "no such thing", "not-found"),
        (400, f"bad value {TOKEN}", "provider-refused"),
    ],
)
def test_a_refusal_ends_at_once_with_exit_4_in_words(
    fake: RenderFake, status: int, said: str, code: str
) -> None:
    error, waits = failing(fake, fake.refused(status, said))
    assert (error.code, error.exit_code, waits) == (code, EXIT_REFUSED, [])
    assert "Render" in error.message
    assert error.hint
    assert TOKEN not in str(error)


def test_a_wrong_token_names_where_to_make_one(fake: RenderFake) -> None:
    with pytest.raises(AshoreError) as raised:
        client(fake, token="expired-token").services()
    assert raised.value.code == "token-refused"
    assert "API Keys" in raised.value.hint
    assert "expired-token" not in str(raised.value)


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "7"}, {"Ratelimit-Reset": "7"}, {"X-RateLimit-Reset": str(int(time.time()) + 7)}],
)
def test_too_many_requests_waits_as_long_as_it_is_told(fake: RenderFake, headers: dict[str, str]) -> None:
    waits: list[float] = []
    fake.trouble("GET", OWNERS, Reply(429, {"message": "slow down"}, headers), times=2)
    assert client(fake, waits).owners()
    assert len(waits) == 2
    assert all(0 < pause <= 8 for pause in waits)


def test_a_date_to_retry_after_is_understood(fake: RenderFake) -> None:
    waits: list[float] = []
    later = formatdate(time.time() + 60, usegmt=True)
    fake.trouble("GET", OWNERS, Reply(503, None, {"Retry-After": later}))
    assert client(fake, waits).owners()
    assert len(waits) == 1
    assert 40 < waits[0] <= 60


def test_too_many_requests_for_minutes_ends_and_can_be_resumed(fake: RenderFake) -> None:
    error, waits = failing(fake, Reply(429, {"message": "slow down"}, {"Retry-After": "50"}))
    assert (error.code, error.exit_code) == ("provider-busy", 1)
    assert sum(waits) == 200, "more than that is not waited for"


def test_an_error_of_the_server_is_tried_again_and_then_told(fake: RenderFake) -> None:
    error, waits = failing(fake, Reply(500, b"<html>oops</html>"))
    assert error.code == "provider-busy"
    assert waits == sorted(waits)
    assert fake.count("GET", OWNERS) == len(waits) + 1 == http.ATTEMPTS


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"owner": {}}]', b'[{"owner": 3}]', b"[[]]"])
def test_garbage_is_told_as_such(fake: RenderFake, body: bytes) -> None:
    error, _ = failing(fake, Reply(200, body))
    assert error.code == "provider-answer"


def test_a_line_that_is_cut_is_tried_again_but_a_post_is_not(fake: RenderFake) -> None:
    fake.trouble("GET", OWNERS, None, times=2)
    waits: list[float] = []
    assert client(fake, waits).owners()
    assert len(waits) == 2
    fake.trouble("POST", "/postgres", None)
    with pytest.raises(AshoreError) as raised:
        client(fake).make(CreateDatabase("my-app"))
    assert raised.value.code == "provider-unreachable"
    assert client(fake).make(CreateDatabase("my-app")).found
    assert len(fake.databases) == 1, "what the cut hid is found, not bought twice"


def test_a_post_that_the_server_may_have_done_is_not_repeated(fake: RenderFake) -> None:
    fake.trouble("POST", "/postgres", fake.refused(503, "unavailable"), times=9)
    with pytest.raises(AshoreError):
        client(fake).make(CreateDatabase("my-app"))
    assert fake.count("POST", "/postgres") == 1


def test_an_answer_that_never_ends_is_not_waited_for(
    fake: RenderFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1000)
    error, _ = failing(fake, Reply(200, b"[" + b" " * 5000 + b"]"), times=1)
    assert error.code == "provider-answer"
    monkeypatch.setattr(http, "ANSWER_SECONDS", -1.0)
    error, waits = failing(fake, Reply(200, b"[]"))
    assert error.code == "provider-unreachable"
    assert len(waits) == http.ATTEMPTS - 1


def test_nobody_listens() -> None:
    with serving(RenderFake()) as url:
        pass
    with pytest.raises(AshoreError) as raised:
        render.Render(api(render.PROVIDER, url)).owners()
    assert raised.value.code == "provider-unreachable"


def test_lists_are_read_to_their_last_page(fake: RenderFake) -> None:
    fake.variables |= {f"srv-{n}": {} for n in range(2, 251)}
    assert len(client(fake).services()) == 250
    fake.variables = {f"srv-{n}": {} for n in range(100)}
    assert len(client(fake).services()) == 100


def test_a_region_that_is_not_there_and_a_workspace_that_is_not_clear(fake: RenderFake) -> None:
    with pytest.raises(AshoreError, match="no region mars") as raised:
        client(fake).make(CreateDatabase("my-app", region="mars"))
    assert raised.value.code == "region-unknown"
    fake.owners.append({**fake.owners[0], "id": "tea-2"})
    with pytest.raises(AshoreError, match="2 workspaces"):
        client(fake).make(CreateDatabase("my-app"))
    assert not fake.databases


def test_a_name_that_only_begins_alike_is_another_database() -> None:
    fake = NeonFake(polls=0)
    with serving(fake) as url:
        made = neon.Neon(api(neon.PROVIDER, url))
        first = made.make(CreateDatabase("my-app-2"))
        second = made.make(CreateDatabase("my-app"))
        assert not second.found
        assert first.id != second.id
        with pytest.raises(AshoreError, match="no region mars") as raised:
            made.make(CreateDatabase("other", region="mars"))
        assert raised.value.code == "region-unknown"
        fake.organizations = ["org-1", "org-2"]
        with pytest.raises(AshoreError, match="2 organizations"):
            made.make(CreateDatabase("third"))
        assert len(fake.projects) == 2


def test_neon_locked_is_tried_again_also_for_a_post() -> None:
    fake = NeonFake(polls=0)
    fake.trouble("POST", "/projects", fake.refused(423, "locked"), times=2)
    with serving(fake) as url:
        assert not neon.Neon(api(neon.PROVIDER, url)).make(CreateDatabase("my-app")).found
    assert len(fake.projects) == 1


def test_an_operation_that_failed_and_one_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = NeonFake(polls=0)
    fake.operation_ends = "failed"
    with serving(fake) as url:
        made = neon.Neon(api(neon.PROVIDER, url))
        id = made.make(CreateDatabase("my-app")).id
        with pytest.raises(AshoreError) as raised:
            made.urls(id)
        assert raised.value.code == "database-failed"
        fake.operation_ends = "running"
        monkeypatch.setattr(neon, "PROJECT_SECONDS", 0.0)
        with pytest.raises(AshoreError) as raised:
            made.urls(id)
        assert raised.value.code == "provider-slow"


def test_a_paused_project_of_supabase_is_not_waited_for() -> None:
    fake = SupabaseFake(polls=0)
    fake.status = "INACTIVE"
    with serving(fake) as url:
        made = supabase.Supabase(api(supabase.PROVIDER, url), Secret("password"))
        ref = made.make(CreateDatabase("my-app")).id
        with pytest.raises(AshoreError, match="paused"):
            made.urls(ref)


@pytest.mark.parametrize(("ends", "state"), [("build_failed", "failed"), ("deactivated", "superseded")])
def test_a_deploy_that_ends_otherwise_is_told(fake: RenderFake, ends: str, state: str) -> None:
    fake.deploy_ends = ends
    deploy = client(fake).redeploy("srv-1", Deploy("dep-0", "live", "", ""))
    assert client(fake).follow("srv-1", deploy.id).state == state


def test_a_deploy_that_was_queued_without_a_body_is_looked_up(fake: RenderFake) -> None:
    fake.pushed("c0ffee")
    fake.trouble("POST", r"/services/srv-1/deploys", Reply(202))
    assert client(fake).redeploy("srv-1", client(fake).deploys("srv-1")[0]).id == "dep-1"


def test_vercel_variables_that_are_not_ours_to_change() -> None:
    fake = VercelFake()
    with serving(fake) as url:
        made = vercel.Vercel(api(vercel.PROVIDER, url))
        shared = {"id": "env-1", "key": "A", "value": "v", "type": "encrypted",
                  "target": ["production", "preview"]}  # fmt: skip
        fake.envs += [
            shared,
            {**shared, "id": "env-2", "key": "B", "type": "sensitive", "target": "production"},
        ]
        fake.envs += [{**shared, "id": "env-3", "key": "C", "target": ["production"], "gitBranch": "x"}]
        fake.envs += [{**shared, "id": "env-4", "key": "C", "target": ["preview"]}]
        with pytest.raises(AshoreError) as raised:
            made.set_variable("prj_1", "A", Secret("new"))
        assert raised.value.code == "variable-shared"
        with pytest.raises(AshoreError) as raised:
            made.variable("prj_1", "B")
        assert raised.value.code == "variable-unreadable"
        assert made.variable("prj_1", "C") is None
        fake.failed = [{"error": {"code": "x", "message": "too long"}}]
        with pytest.raises(AshoreError, match="too long"):
            made.set_variable("prj_1", "C", Secret("new"))
        with pytest.raises(AshoreError) as raised:
            made.check_service("prj_other")
        assert raised.value.code == "not-found"
