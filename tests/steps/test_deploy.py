"""Variables of the platform: set one by one, never a value on disk, restorable, and only when it is safe."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail

from tests.databases.contexts import context
from tests.providers.fake import TOKEN, RenderFake, Reply, serving
from tests.providers.fakes import VercelFake
from tests.test_keyrings import Ring
from wizard import planner
from wizard.answers import DeployAnswers, StorageRule
from wizard.context import Cancel, RunContext
from wizard.credentials import Secret, Vault
from wizard.databases.sqlite import schema as sqlite_schema
from wizard.errors import AshoreError
from wizard.providers import render, vercel
from wizard.sources import inventory
from wizard.steps import deploy, platform_access, verify

pytestmark = pytest.mark.long

URL = "postgres://app:planted-canary@db.example.com/app"
SECRETS = {"TARGET": URL, "TOKEN": TOKEN, "ACCESS": "planted-access-key", "SECRET": "planted-secret-key"}
EXPECTED = {
    "DATABASE_URL": "postgresql://app:planted-canary@db.example.com/app",
    "S3_BUCKET_NAME": "media",
    "AWS_REGION": "us-east-1",
    "S3_ENDPOINT_URL": "https://s3.example.com",
    "AWS_ACCESS_KEY_ID": "planted-access-key",
    "AWS_SECRET_ACCESS_KEY": "planted-secret-key",
}


class Unhurried(Cancel):
    """Takes no pause between two tries."""

    def wait(self, seconds: float) -> None:
        self.check()


@pytest.fixture(autouse=True)
def ring() -> Iterator[Ring]:
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[RenderFake]:
    made = RenderFake()
    with serving(made) as url:
        monkeypatch.setattr(render, "PROVIDER", dataclasses.replace(render.PROVIDER, base=url))
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    """A run that has come to `deploy`: rows and files of the source are those that were verified."""
    made = context(tmp_path, Secret(URL), "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);")
    source = made.project.root / "db.sqlite3"
    source.write_bytes(made.snapshot_path.read_bytes())
    (made.project.root / "media").mkdir()
    (made.project.root / "media" / "a.txt").write_text("an upload")
    options = {"bucket": "media", "endpoint": "https://s3.example.com", "access_key": "env:ACCESS",
               "secret_key": "env:SECRET"}  # fmt: skip
    answers = replace(
        made.answers,
        storage=(StorageRule("s3-compatible", source="media", options=options),),
        deploy=DeployAnswers("render", service="srv-1", token="env:TOKEN", set_variables=True),
    )
    with closing(sqlite_schema.open_readonly(source)) as connection:
        fingerprint = sqlite_schema.fingerprint(connection)
    plan = replace(made.plan, source_fingerprint=fingerprint, needs=planner.needs(answers))
    vault = Vault(made.redactor, environ=SECRETS)
    made = replace(made, answers=answers, plan=plan, vault=vault, cancel=Unhurried())
    inventory.take(made)
    made.journal.put(verify.name, "inventory", verify.inventory_digest(made))
    return made


def on_disk(ctx: RunContext) -> bytes:
    return b"".join(p.read_bytes() for p in ctx.folder.path.rglob("*") if p.is_file())


def test_every_variable_is_set_no_other_is_touched_and_nothing_is_deployed(
    ctx: RunContext, fake: RenderFake
) -> None:
    platform_access.check(ctx)
    assert not fake.count("PUT"), "looking writes nothing"
    said = deploy.run(ctx)
    assert fake.variables["srv-1"] == {"OTHER": "untouched", **EXPECTED}
    assert fake.deploys == []
    assert not fake.count("PUT", r"/services/srv-1/env-vars"), "never the call that replaces all"
    assert "6 variables are set on Render (name-of-srv-1)" in said
    disk = on_disk(ctx)
    assert b"planted" not in disk
    assert TOKEN.encode() not in disk
    puts = fake.count("PUT")
    assert "6 stood there already" not in deploy.run(ctx), "ours, though they stand there now"
    assert fake.count("PUT") == puts, "a second time there is nothing to set"

    assert deploy.restore(ctx) == (tuple(sorted(EXPECTED)), ())
    assert fake.variables["srv-1"] == {"OTHER": "untouched"}
    assert deploy.restore(ctx) == (tuple(sorted(EXPECTED)), ()), "and again"


def test_an_old_value_is_kept_in_the_keyring_and_comes_back(
    ctx: RunContext, fake: RenderFake, ring: Ring
) -> None:
    fake.variables["srv-1"] |= {"DATABASE_URL": "sqlite:///planted-old", "S3_BUCKET_NAME": "media"}
    assert "(1 stood there already)" in deploy.run(ctx)
    assert fake.variables["srv-1"]["DATABASE_URL"] == EXPECTED["DATABASE_URL"]
    assert b"planted" not in on_disk(ctx)
    fake.variables["srv-1"]["AWS_REGION"] = "changed-since"
    restored, left = deploy.restore(ctx)
    assert left == ("AWS_REGION",)
    assert "DATABASE_URL" in restored
    assert fake.variables["srv-1"] == {
        "OTHER": "untouched", "DATABASE_URL": "sqlite:///planted-old", "S3_BUCKET_NAME": "media",
        "AWS_REGION": "changed-since",
    }  # fmt: skip
    deploy.forget(dict(ctx.journal.all(deploy.SET)), ctx.run)
    assert not any("planted" in value for value in ring.held.values())


def test_without_a_keyring_nothing_that_stands_there_is_overwritten(
    ctx: RunContext, fake: RenderFake
) -> None:
    keyring.set_keyring(fail.Keyring())
    fake.variables["srv-1"]["AWS_ACCESS_KEY_ID"] = "planted-old"
    with pytest.raises(AshoreError) as raised:
        deploy.run(ctx)
    assert raised.value.code == "variable-exists"
    assert "planted" not in str(raised.value)
    assert fake.variables["srv-1"]["AWS_ACCESS_KEY_ID"] == "planted-old"
    del fake.variables["srv-1"]["AWS_ACCESS_KEY_ID"]
    deploy.run(ctx)
    assert fake.variables["srv-1"] == {"OTHER": "untouched", **EXPECTED}


@pytest.mark.parametrize("name", ["DATABASE_URL", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.parametrize("reply", [None, Reply(500)], ids=["done", "not-done"])
def test_an_end_at_any_variable_is_gone_on_from(
    ctx: RunContext, fake: RenderFake, name: str, reply: Reply | None
) -> None:
    """The platform is lost at one variable, before or after it was set; the next execution goes on."""
    fake.variables["srv-1"][name] = "planted-old"
    fake.trouble("PUT", f".*/{name}", reply, times=5)
    with pytest.raises(AshoreError):
        deploy.run(ctx)
    deploy.run(ctx)
    assert fake.variables["srv-1"] == {"OTHER": "untouched", **EXPECTED}
    deploy.restore(ctx)
    assert fake.variables["srv-1"] == {"OTHER": "untouched", name: "planted-old"}


@pytest.mark.parametrize("what", ["row", "file", "schema", "gone"])
def test_a_source_that_moved_since_is_refused(ctx: RunContext, fake: RenderFake, what: str) -> None:
    source = ctx.project.root / "db.sqlite3"
    if what == "file":
        (ctx.project.root / "media" / "b.txt").write_text("a later upload")
    elif what == "gone":
        source.unlink()
    else:
        statement = "INSERT INTO t VALUES (1, 'late')" if what == "row" else "CREATE TABLE u (x)"
        with closing(sqlite3.connect(source)) as connection:
            connection.execute(statement)
            connection.commit()
    with pytest.raises(AshoreError) as raised:
        deploy.run(ctx)
    assert raised.value.exit_code == 5
    assert raised.value.code == ("source-gone" if what == "gone" else "source-moved")
    assert fake.variables["srv-1"] == {"OTHER": "untouched"}
    assert not list(ctx.folder.work.glob("before-deploy*"))


def test_a_wrong_token_and_a_wrong_service_are_found_before_anything_is_written(
    ctx: RunContext, fake: RenderFake
) -> None:
    wrong = replace(ctx, vault=Vault(ctx.redactor, environ={**SECRETS, "TOKEN": "expired"}))
    with pytest.raises(AshoreError) as raised:
        platform_access.check(wrong)
    assert (raised.value.code, raised.value.exit_code) == ("token-refused", 4)
    other = replace(ctx.answers.deploy or DeployAnswers(), service="srv-other")
    with pytest.raises(AshoreError) as raised:
        platform_access.check(replace(ctx, answers=replace(ctx.answers, deploy=other)))
    assert raised.value.code == "not-found"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (DeployAnswers("render", set_variables=True, service="srv-1"), "deploy-incomplete"),
        (DeployAnswers("fly", set_variables=True, service="a", token="env:T"), "deploy-not-available"),
        (DeployAnswers("render", trigger=True), "deploy-incomplete"),
        (DeployAnswers("render", trigger=True, service="a", token="env:T"), "deploy-incomplete"),
    ],
)
def test_what_cannot_be_done_is_said_when_planning(
    ctx: RunContext, answers: DeployAnswers, code: str
) -> None:
    with pytest.raises(AshoreError) as raised:
        planner.make_plan(ctx.project, replace(ctx.answers, deploy=answers))
    assert (raised.value.code, raised.value.exit_code) == (code, 2)


def test_the_plan_says_what_it_writes(ctx: RunContext) -> None:
    step = next(s for s in planner.make_plan(ctx.project, ctx.answers).steps if s.name == "deploy")
    assert (step.writes, step.detail) == ("Render", ", ".join(EXPECTED))
    listing = replace(ctx.answers, deploy=DeployAnswers("render"))
    step = next(s for s in planner.make_plan(ctx.project, listing).steps if s.name == "deploy")
    assert step.writes == "nothing"


def test_the_same_on_vercel(ctx: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = VercelFake()
    answers = DeployAnswers("vercel", service="team_1/prj_1", token="env:TOKEN", set_variables=True)
    ctx = replace(ctx, answers=replace(ctx.answers, deploy=answers))
    with serving(fake) as url:
        monkeypatch.setattr(vercel, "PROVIDER", dataclasses.replace(vercel.PROVIDER, base=url))
        deploy.run(ctx)
        assert {e["key"]: e["value"] for e in fake.envs} == {"OTHER": "untouched", **EXPECTED}
        assert fake.count("POST", "/v13/deployments") == 0
        deploy.restore(ctx)
    assert [e["key"] for e in fake.envs] == ["OTHER"]
