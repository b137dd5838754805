"""The whole flow on a platform's API: the database made there, filled, proven, the variables set, undone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.faults import world as worlds
from tests.providers.fake import TOKEN, Fake, RenderFake, serving
from tests.providers.fakes import NeonFake, VercelFake
from wizard import answers_file, engine, records
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.demo import story
from wizard.events import Event, Failed, StepFinished
from wizard.providers import neon, render, vercel
from wizard.state import State

pytestmark = pytest.mark.long
KINDS: tuple[tuple[str, str, str, Callable[[], Fake], Any], ...] = (
    ("render", "render", "srv-1", RenderFake, render),
    ("neon", "vercel", "prj_1", NeonFake, neon),
)


@pytest.mark.parametrize(
    ("provider", "platform", "service", "kind", "module"), KINDS, ids=["render", "neon+vercel"]
)
def test_made_filled_proven_set_and_undone(
    here: worlds.World, monkeypatch: pytest.MonkeyPatch, provider: str, platform: str, service: str,
    kind: Callable[[], Fake], module: Any,
) -> None:  # fmt: skip
    fake: Any = kind()
    where: Any = fake if platform == "render" else VercelFake()
    text = here.url.reveal()
    fake.connection = (lambda: (text, text)) if provider == "render" else (lambda pooled: text)
    data = yaml.safe_load((here.root / "ashore.yml").read_text())
    data["project"] = str(here.project)
    data["database"].pop("url")
    data["database"] |= {"provider": provider, "create": {"name": "my-app", "token": "env:TOKEN"}}
    data["deploy"] = {"platform": platform, "service": service, "token": "env:TOKEN", "set_variables": True}
    answers = answers_file.from_mapping(data, here.root)
    secrets = {k: v for k, v in here.secrets.items() if k != story.DATABASE_REFERENCE}
    secrets["env:TOKEN"] = Secret(TOKEN)
    before = worlds.files(here)
    events: list[Event] = []
    with serving(fake) as url, serving(where) as other:
        monkeypatch.setattr(module, "PROVIDER", dataclasses.replace(module.PROVIDER, base=url))
        if platform == "vercel":
            monkeypatch.setattr(vercel, "PROVIDER", dataclasses.replace(vercel.PROVIDER, base=other))
        code = engine.execute(answers, secrets, here.state, Cancel(), events.append)
        assert code == 0, [e for e in events if isinstance(e, Failed)]
        assert len(fake.databases if provider == "render" else fake.projects) == 1
        said = {e.step: e.summary for e in events if isinstance(e, StepFinished)}
        assert "nothing was deployed" in said["deploy"]
        assert values(where)["DATABASE_URL"] == text
        assert values(where)["OTHER"] == "untouched"
        assert where.count("POST", ".*/deploy.*") == 0
        folder = State.open(here.state, here.project).runs(here.project)[-1]
        report = json.loads(folder.report_json.read_text())
        assert not any("variables" in task for task in report["to_do"])
        everything = b"".join(p.read_bytes() for p in here.state.rglob("*") if p.is_file())
        assert text.encode() not in everything
        assert TOKEN.encode() not in everything

        with engine.chosen_run(
            here.project, None, secrets, here.state, Cancel(), lambda event: None, "undo"
        ) as ctx:
            undone = records.undo(ctx)
        assert undone.exit_code == 0
        assert set(values(where)) == {"OTHER"}
        assert worlds.files(here) == before
        assert "target" in records.clean(folder, State.open(here.state, here.project), here.project, secrets)
    assert ("ashore",) not in worlds.outcome(here)["schemas"]  # type: ignore[operator]


def values(where: Any) -> dict[str, str]:
    if isinstance(where, RenderFake):
        return where.variables["srv-1"]
    return {e["key"]: e["value"] for e in where.envs}
