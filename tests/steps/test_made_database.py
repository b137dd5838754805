"""A database that the run makes: one, whatever is killed; its URLs are asked for and never written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.databases.contexts import context, new_process, rows
from tests.providers.fake import TOKEN, Fake, RenderFake, serving
from tests.providers.fakes import NeonFake
from tests.steps.test_deploy import Unhurried
from wizard import answers_file, planner
from wizard.answers import CreateDatabase, DatabaseAnswers, DeployAnswers
from wizard.context import RunContext
from wizard.credentials import Secret, Vault
from wizard.errors import AshoreError, UsageError
from wizard.providers import neon, render
from wizard.steps import app_variables, constraints, copy, made_database, provision, schema, verify
from wizard.steps.made_database import Created

pytestmark = pytest.mark.long

CREATE = CreateDatabase("my-app", token="env:TOKEN")
TABLES = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'carried');"


@pytest.fixture(params=["render", "neon"])
def made(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RunContext, Any]]:
    """A run that shall make its database at a fake whose connection strings lead to a real, empty one."""
    ctx, fake = prepare(request.param, tmp_path, database_url)
    with ExitStack() as stack:
        url = stack.enter_context(serving(fake))
        module = render if request.param == "render" else neon
        monkeypatch.setattr(module, "PROVIDER", dataclasses.replace(module.PROVIDER, base=url))
        yield ctx, fake


def prepare(provider: Any, tmp_path: Path, url: Secret) -> tuple[RunContext, Fake]:
    fake: Any = RenderFake() if provider == "render" else NeonFake()
    text = url.reveal()
    fake.connection = (lambda: (text, text)) if provider == "render" else (lambda pooled: text)
    made = context(tmp_path, url, TABLES)
    answers = replace(
        made.answers,
        database=DatabaseAnswers(provider, source="db.sqlite3", schema="derived", create=CREATE),
    )
    vault = Vault(made.redactor, environ={"TOKEN": TOKEN})
    return replace(made, answers=answers, vault=vault, cancel=Unhurried(), created_urls=Created()), fake


def count(fake: Any) -> int:
    return len(fake.databases if isinstance(fake, RenderFake) else fake.projects)


def again(ctx: RunContext) -> RunContext:
    """The next process of the run: it has asked for no URL yet."""
    return replace(new_process(ctx), created_urls=Created(), cancel=Unhurried())


def test_it_is_made_once_filled_and_found_again(made: tuple[RunContext, Any], database_url: Secret) -> None:
    ctx, fake = made
    assert "the database my-app was made" in provision.run(ctx)
    ctx = again(ctx)
    provision.run(ctx)
    for step in (schema, copy, constraints):
        step.run(ctx)
    verify.run(again(ctx))
    assert rows(database_url, "SELECT id, x FROM t") == [(1, "carried")]
    assert count(fake) == 1
    disk = b"".join(p.read_bytes() for p in ctx.folder.path.rglob("*") if p.is_file())
    assert database_url.reveal().encode() not in disk
    assert TOKEN.encode() not in disk


@pytest.mark.parametrize("where", ["answer lost", "note lost", "not ready"])
def test_a_kill_does_not_buy_two(made: tuple[RunContext, Any], where: str) -> None:
    ctx, fake = made
    if where == "answer lost":
        fake.trouble("POST", "/(postgres|projects)", None)
    elif where == "not ready":
        fake.trouble("GET", "/(postgres/.+|projects/.+/branches)", fake.refused(401, "expired"), times=1)
    if where == "note lost":
        made_database.make(ctx)
        ctx.journal.forget(*made_database.DATABASE)
    else:
        with pytest.raises(AshoreError):
            provision.run(ctx)
    assert count(fake) == 1
    provision.run(again(ctx))
    assert count(fake) == 1


def test_a_database_of_that_name_with_data_of_others_is_refused(
    made: tuple[RunContext, Any], database_url: Secret
) -> None:
    ctx = made[0]
    with psycopg.connect(database_url.reveal()) as connection:
        connection.execute("CREATE TABLE theirs (x int)")
        connection.execute("INSERT INTO theirs VALUES (1)")
    with pytest.raises(UsageError) as raised:
        provision.run(ctx)
    assert raised.value.code == "target-not-empty"
    assert rows(database_url, "SELECT x FROM theirs") == [(1,)]


def test_the_app_gets_the_internal_url_only_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, _ = prepare("render", tmp_path, Secret("postgresql://u:p@h/d"))
    fake = RenderFake(polls=0)
    platform = DeployAnswers("render", service="srv-1", token="env:TOKEN", set_variables=True)
    ctx = replace(ctx, answers=replace(ctx.answers, deploy=platform))
    ctx = replace(ctx, plan=replace(ctx.plan, needs=planner.needs(ctx.answers)))
    with serving(fake) as url:
        monkeypatch.setattr(render, "PROVIDER", dataclasses.replace(render.PROVIDER, base=url))
        made_database.make(ctx)
        assert "render.com" in app_variables.values(ctx)["DATABASE_URL"].reveal(), "another region"
        fake.region = "oregon"
        ctx = again(ctx)
        assert "render.com" not in app_variables.values(ctx)["DATABASE_URL"].reveal()
        assert "render.com" in ctx.database_url().reveal()


@pytest.mark.parametrize(
    ("database", "code"),
    [
        (DatabaseAnswers("postgres", create=CREATE), "create-not-available"),
        (DatabaseAnswers("supabase", create=CREATE), "create-incomplete"),
        (DatabaseAnswers("neon", create=replace(CREATE, password="env:P")), "create-incomplete"),
        (DatabaseAnswers("neon", create=CREATE, url="env:U"), "create-and-url"),
        (DatabaseAnswers("neon", create=CreateDatabase("x")), "create-incomplete"),
        (DatabaseAnswers("neon", create=replace(CREATE, plan="launch")), "create-not-available"),
    ],
)
def test_answers_that_cannot_be_carried_out(tmp_path: Path, database: DatabaseAnswers, code: str) -> None:
    answers = replace(prepare("neon", tmp_path, Secret("postgresql://u:p@h/d"))[0].answers, database=database)
    with pytest.raises(UsageError) as raised:
        made_database.check_answers(answers)
    assert raised.value.code == code


def test_the_token_is_a_reference_that_a_run_needs(tmp_path: Path) -> None:
    text = "version: 1\ndatabase: {provider: neon, create: {name: my-app, token: %s}}\n"
    answers = answers_file.parse(text % "keyring:neon/token", tmp_path)
    assert answers_file.references(answers) == ("keyring:neon/token",)
    assert answers_file.from_mapping(answers_file.to_mapping(answers), tmp_path) == answers
    with pytest.raises(UsageError, match=r"database\.create\.token: holds a literal") as raised:
        answers_file.parse(text % "planted-canary", tmp_path)
    assert "planted" not in str(raised.value)
