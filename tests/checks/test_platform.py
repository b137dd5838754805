"""What the platform tells `ashore check`: Fly's volumes, Heroku's add-ons; never good unasked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.providers.fake import TOKEN, Fake, serving
from tests.providers.fake_platforms import FlyFake, HerokuFake, postgres_addon
from wizard.answers import Answers, DeployAnswers
from wizard.checks import platform
from wizard.checks.base import Checklist, Item
from wizard.credentials import Redactor, Vault
from wizard.providers import fly, heroku


def told(
    fake: Fake, name: str, monkeypatch: pytest.MonkeyPatch, token: str = TOKEN, service: str | None = "my-app"
) -> tuple[Item, ...]:
    answers = Answers(Path("/p"), deploy=DeployAnswers(name, service=service, token="env:T"))  # type: ignore[arg-type]
    with serving(fake) as url:
        for module in (fly, heroku):
            monkeypatch.setattr(module, "PROVIDER", dataclasses.replace(module.PROVIDER, base=url))
        vault = Vault(Redactor(), environ={"T": token})
        return platform.add(Checklist("p", ()), answers, vault).items


@pytest.mark.parametrize(
    ("changed", "answer", "says"),
    [
        ({}, "yes", "for 5 days"),
        ({"auto_backup_enabled": False}, "no", "makes no snapshots"),
        ({"auto_backup_enabled": None}, "cannot-tell", "does not say"),
        ({"attached_machine_id": None}, "cannot-tell", "no machine has it mounted"),
    ],
)
def test_a_volume_of_fly(
    changed: dict[str, object], answer: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = told(FlyFake(**changed), "fly", monkeypatch)
    assert (item.code, item.answer) == ("platform-volume", answer)
    assert says in item.why
    assert "vol_1" in item.title


def test_an_add_on_of_heroku(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = HerokuFake()
    fake.addons = [postgres_addon()]
    (item,) = told(fake, "heroku", monkeypatch)
    assert (item.code, item.answer) == ("platform-database", "yes")
    assert fake.restarts == 0


@pytest.mark.parametrize(("token", "service"), [("expired", "my-app"), (TOKEN, "another")])
@pytest.mark.parametrize("name", ["fly", "heroku"])
def test_what_cannot_be_asked_is_said(
    name: str, token: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake: Fake = FlyFake() if name == "fly" else HerokuFake()
    (item,) = told(fake, name, monkeypatch, token, service)
    assert (item.code, item.answer) == ("platform-asked", "cannot-tell")
    assert item.why
    assert item.hint


def test_nobody_is_asked_without_a_service_or_of_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FlyFake()
    assert told(fake, "fly", monkeypatch, service=None) == ()
    assert told(fake, "render", monkeypatch) == ()
    assert fake.requests == []
