"""The whole way on each provider: made, filled, proven, set, pushed, waited for, seen, redeployed."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.faults import world as worlds
from tests.providers.fake import TOKEN, Fake, RenderFake, Reply, Request, serving
from tests.providers.fakes import NeonFake, SupabaseFake, VercelFake
from wizard import answers_file, engine
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.demo import platform, story
from wizard.events import Event, Failed, FindingSeen, StepFinished, Warned
from wizard.providers import neon, render, supabase, vercel
from wizard.providers.base import Urls
from wizard.state import State
from wizard.steps import going_live

pytestmark = pytest.mark.long


class Unhurried(Cancel):
    """Takes no pause between two looks."""

    def wait(self, seconds: float) -> None:
        self.check()


class Hosting:
    """A platform with a live app behind one address: a push or a redeploy replaces the container."""

    def __init__(self, checkout: Path, variables: Callable[[], dict[str, str]]) -> None:
        self.checkout = checkout
        self.variables = variables
        self.site = ""
        self._stack = ExitStack()

    def deploy(self) -> None:
        self._stack.close()
        self.site = self._stack.enter_context(platform.deploy(self.checkout, dict(self.variables()))).url

    def close(self) -> None:
        self._stack.close()


@contextmanager
def front(hosting: Hosting) -> Iterator[str]:
    """The app's public address, which stays while containers come and go."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came = httpx.get(hosting.site + self.path, follow_redirects=False, timeout=30)
            self.send_response(came.status_code)
            for name in ("content-type", "location"):
                if name in came.headers:
                    self.send_header(name, came.headers[name])
            self.send_header("Content-Length", str(len(came.content)))
            self.end_headers()
            self.wfile.write(came.content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class Case:
    """One migration: its providers, its app's hosting, and what the user does when told to push."""

    def __init__(self, here: worlds.World, provider: str, host: Any, made_at: Any) -> None:
        self.here, self.provider, self.host, self.made_at = here, provider, host, made_at
        self.on_render = isinstance(host, RenderFake)
        self.hosting = Hosting(here.project, self.variables)
        self.events: list[Event] = []
        self.push: Callable[[], None] = self.push_well

    def variables(self) -> dict[str, str]:
        if self.on_render:
            return self.host.variables["srv-1"]
        return {e["key"]: e["value"] for e in self.host.envs}

    def push_well(self) -> None:
        assert platform.commit(self.here.project, "The push")
        self.hosting.deploy()
        self.host.pushed(self.head())

    def head(self) -> str:
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.run(
            command, cwd=self.here.project, capture_output=True, check=True, text=True
        ).stdout.strip()

    def listen(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Warned) and event.code == "push-now":
            self.push()

    def answers(self, address: str, **deploy: Any) -> Any:
        data = yaml.safe_load((self.here.root / "ashore.yml").read_text())
        data["project"] = str(self.here.project)
        data["database"].pop("url")
        create = {"name": "my-app", "token": "env:TOKEN"}
        if self.provider == "supabase":
            create["password"] = "env:PASSWORD"
        data["database"] |= {"provider": self.provider, "create": create}
        data["deploy"] = {
            "platform": "render" if self.on_render else "vercel",
            "service": "srv-1" if self.on_render else "prj_1",
            "token": "env:TOKEN", "set_variables": True, "trigger": True, "wait_minutes": 1,
            "health_url": address, **deploy,
        }  # fmt: skip
        return answers_file.from_mapping(data, self.here.root)

    @property
    def secrets(self) -> dict[str, Secret]:
        kept = {k: v for k, v in self.here.secrets.items() if k != story.DATABASE_REFERENCE}
        return {**kept, "env:TOKEN": Secret(TOKEN), "env:PASSWORD": Secret("planted-password-of-ours")}

    def run(self, answers: Any) -> int:
        return engine.execute(answers, self.secrets, self.here.state, Unhurried(), self.listen)

    def resume(self) -> int:
        return engine.resume(self.here.project, None, self.secrets, self.here.state, Unhurried(), self.listen)

    def failures(self) -> list[str]:
        return [e.code for e in self.events if isinstance(e, Failed)]

    def fact(self, key: str) -> Any:
        from wizard.journal import Journal

        folder = State.open(self.here.state, self.here.project).runs(self.here.project)[-1]
        journal = Journal(folder.journal)
        try:
            return journal.get("deploy", key)
        finally:
            journal.close()


@contextmanager
def case(here: worlds.World, monkeypatch: pytest.MonkeyPatch, provider: str) -> Iterator[tuple[Case, str]]:
    text = here.url.reveal()
    host: Any = VercelFake(polls=0) if provider == "neon" else RenderFake(polls=0)
    made_at: Fake = {"render": lambda: host, "neon": NeonFake, "supabase": SupabaseFake}[provider]()
    if isinstance(made_at, RenderFake):
        made_at.connection = lambda: (text, text)
    elif isinstance(made_at, NeonFake):
        made_at.connection = lambda pooled: text
    with ExitStack() as stack:
        for fake, module in (
            (host, render if isinstance(host, RenderFake) else vercel),
            (made_at, {"render": render, "neon": neon, "supabase": supabase}[provider]),
        ):
            url = stack.enter_context(serving(fake))
            monkeypatch.setattr(module, "PROVIDER", dataclasses.replace(module.PROVIDER, base=url))
        if provider == "supabase":
            asked = supabase.Supabase.urls

            def urls(client: supabase.Supabase, id: str) -> Urls:
                # The pooler's address is the provider's; the embedded server stands behind it here.
                assert "pooler.supabase.com:5432" in asked(client, id).wizard.reveal()
                return Urls(here.url, here.url)

            monkeypatch.setattr(supabase.Supabase, "urls", urls)
        assert platform.commit(here.project, "As it was")
        made = Case(here, provider, host, made_at)
        stack.callback(made.hosting.close)
        made.hosting.deploy()
        made.host.pushed(made.head())
        yield made, stack.enter_context(front(made.hosting))


def redeploys_for_real(made: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy that the API asks for replaces the container, as the platform's would."""
    asked = type(made.host)._deploy

    def deploy(fake: Any, request: Request, *rest: str) -> Reply:
        made.hosting.deploy()
        reply: Reply = asked(fake, request, *rest)
        return reply

    monkeypatch.setattr(type(made.host), "_deploy", deploy)


@pytest.mark.parametrize("provider", ["render", "neon", "supabase"])
def test_made_moved_pushed_seen_and_redeployed(
    here: worlds.World, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    with case(here, monkeypatch, provider) as (made, address):
        redeploys_for_real(made, monkeypatch)
        before = made.hosting.site
        code = made.run(made.answers(address))
        assert code == 0, [e for e in made.events if isinstance(e, Failed)]
        said = {e.step: e.summary for e in made.events if isinstance(e, StepFinished)}
        assert "redeployed once more, and all of it is still there" in said["deploy"]
        assert made.hosting.site != before
        assert made.variables()["DATABASE_URL"] == here.url.reveal()
        assert made.variables()["OTHER"] == "untouched"
        assert len(made.fact("proven")["pages"]) > 1
        assert made.fact("proven")["files"], "files of the live app were compared too"
        deploys = r".*/deploys" if made.on_render else "/v13/deployments"
        assert made.host.count("POST", deploys) == 1
        folder = State.open(here.state, here.project).runs(here.project)[-1]
        report = json.loads(folder.report_json.read_text())
        assert not any("push" in str(task).lower() for task in report["to_do"])
        everything = b"".join(p.read_bytes() for p in here.state.rglob("*") if p.is_file())
        for secret in (here.url.reveal(), TOKEN, "planted-password-of-ours"):
            assert secret.encode() not in everything
    if provider == "supabase":
        assert len(made.made_at.projects) == 1


def test_what_goes_wrong_on_the_way_is_told_and_gone_on_from(
    here: worlds.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No push; a push without the edits; a build that fails; then all is well. The old version serves on."""
    with case(here, monkeypatch, "render") as (made, address):
        redeploys_for_real(made, monkeypatch)
        # A push that is live, but holds none of the edits.
        head = made.head()
        made.push = lambda: made.host.pushed(head)
        assert made.run(made.answers(address, wait_minutes=0)) == 1
        assert made.failures() == ["not-pushed-yet"]
        assert made.host.count("POST", r".*/deploys") == 0

        # What is written to the old place from here on would be lost: nothing goes on.
        made.push = lambda: None
        upload = here.project / "media" / "late.txt"
        upload.write_text("late")
        assert made.resume() == 5
        assert made.failures()[1:] == ["source-moved"]
        upload.unlink()

        made.push = lambda: made.host.pushed("0" * 40, "build_failed")
        assert made.resume() == 1
        assert made.failures()[2:] == ["deploy-failed"]
        assert [e.message for e in made.events if isinstance(e, FindingSeen) and e.code == "deploy-log"] == [
            "first line", "last line",
        ]  # fmt: skip

        # The app comes up without its data: its pages fail, and nothing is redeployed.
        def broken() -> None:
            assert platform.commit(here.project, "The push")
            made.hosting.close()
            made.host.pushed(made.head())

        made.push = broken
        assert made.resume() == 1
        assert made.failures()[3:] == ["live-app-fails"]
        assert made.host.count("POST", r".*/deploys") == 0

        # The container with the old data is gone by now: the run goes on all the same.
        (here.project / "db.sqlite3").unlink()
        made.hosting.deploy()
        assert made.resume() == 0
        assert made.fact("proven")
        assert made.host.count("POST", r".*/deploys") == 1


def test_a_redeploy_that_loses_something_is_never_told_as_done(
    here: worlds.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with case(here, monkeypatch, "render") as (made, address):
        looked: list[int] = []
        look = going_live._look

        def forgetful(ctx: Any, where: str) -> Any:
            seen = look(ctx, where)
            looked.append(1)
            return dataclasses.replace(seen, files=dict.fromkeys(seen.files, "0")) if looked[1:] else seen

        monkeypatch.setattr(going_live, "_look", forgetful)
        assert made.run(made.answers(address)) == 6
        assert made.failures() == ["data-not-kept"]
        assert made.resume() == 6, "what was seen first stays the measure"
        assert made.host.count("POST", r".*/deploys") == 1, "a resume does not redeploy again"
