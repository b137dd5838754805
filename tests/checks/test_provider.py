"""What the provider and the database say of themselves: backups, end date, size; and what cannot be asked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.checks import command
from tests.providers.fake import TOKEN, RenderFake, serving
from wizard.credentials import Secret
from wizard.providers import render


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[RenderFake]:
    made = RenderFake(polls=0)
    made.databases["dpg-1"] = {
        "id": "dpg-1",
        "name": "my-app",
        "diskSizeGB": 1,
        "status": "available",
    }
    monkeypatch.setenv("TOKEN", TOKEN)
    with serving(made) as url:
        monkeypatch.setattr(render, "PROVIDER", dataclasses.replace(render.PROVIDER, base=url))
        yield made


def answers(
    folder: Path, capsys: pytest.CaptureFixture[str], extra: str = "", name: str = "my-app"
) -> dict[str, tuple[str, str]]:
    file = folder / "ashore.yml"
    create = f"create: {{name: {name}, token: env:TOKEN}}"
    file.write_text(f"version: 1\ndatabase: {{provider: render, {extra or create}}}\n")
    code = command("check", str(folder), "--json", "-a", str(file))
    told = json.loads(capsys.readouterr().out)
    assert (code == 7) == bool(told["risks"])
    return {item["code"]: (item["answer"], item["why"]) for item in told["items"]}


def test_backups_are_asked_of_the_provider(
    tmp_path: Path, fake: RenderFake, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answers(tmp_path, capsys)
    assert found["backups"][0] == "yes"
    assert found["no-expiry"][0] == "yes"
    assert found["database-size"][0] == "cannot-tell"
    fake.recovery = "NOT_AVAILABLE"
    assert answers(tmp_path, capsys)["backups"][0] == "no"
    fake.recovery = "BACKUP_NOT_READY"
    assert answers(tmp_path, capsys)["backups"][0] == "cannot-tell"


def test_an_end_date_is_told_with_its_day(
    tmp_path: Path, fake: RenderFake, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = datetime.now(UTC) + timedelta(days=9, hours=1)
    fake.databases["dpg-1"]["expiresAt"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    answer, why = answers(tmp_path, capsys)["no-expiry"]
    assert answer == "no"
    assert f"{ends:%Y-%m-%d}, in 9 days" in why


def test_what_cannot_be_asked_is_not_told_as_good(
    tmp_path: Path, fake: RenderFake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no database other" in answers(tmp_path, capsys, name="other")["backups"][1]
    monkeypatch.setenv("TOKEN", "expired-token")
    answer, why = answers(tmp_path, capsys)["backups"]
    assert answer == "cannot-tell"
    assert "refused the token" in why
    assert "expired-token" not in why
    monkeypatch.delenv("TOKEN")
    assert "env:TOKEN is not set" in answers(tmp_path, capsys)["backups"][1]


@pytest.mark.long
def test_the_size_is_asked_of_the_database(
    tmp_path: Path,
    fake: RenderFake,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: Secret,
) -> None:
    monkeypatch.setenv("TARGET", database_url.reveal())
    answer, why = answers(tmp_path, capsys, "url: env:TARGET")["database-size"]
    assert (answer, "GB of the 1.00 GB" in why) == ("yes", True), why
