"""What the screens save runs without them: over the engine itself, the same plan comes out."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

import wizard.demo
from screens.app import WizardApp
from tests.screens import drive
from wizard import api, cli


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The demo's app with a row that must be decided on, and a file."""
    folder = tmp_path / "app"
    shutil.copytree(Path(wizard.demo.__file__).parent / "app", folder)
    (folder / "media").mkdir(exist_ok=True)
    (folder / "media" / "a.txt").write_text("a")
    with sqlite3.connect(folder / "db.sqlite3") as connection:
        connection.execute("CREATE TABLE note (id integer PRIMARY KEY, body text)")
        connection.execute("INSERT INTO note VALUES (1, 'a' || char(0) || 'b')")
    connection.close()
    return folder


async def test_saved_answers_lead_to_the_plan_that_was_saved(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposed = {
        "database": {"provider": "postgres", "url": "env:DATABASE_URL", "schema": "derived"},
        "storage": [
            {"source": "media", "provider": "s3", "bucket": "my-app-media", "region": "eu-west-1",
             "access_key": "env:AWS_ACCESS_KEY_ID", "secret_key": "env:AWS_SECRET_ACCESS_KEY"}
        ],
    }  # fmt: skip
    app = WizardApp(project, api, tmp_path / "state", proposed)
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        app.go("decisions")
        await drive.says(pilot, "hold")
        await pilot.press("space")
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "review")
        await drive.onward(pilot)
        app.screen.query_one("#edits").focus()
        await pilot.press("space")  # the first file is left as it is
        await pilot.press("s", "enter")
        await drive.says(pilot, "✓ saved")
    saved = json.loads((project / "ashore.plan.json").read_text())
    assert saved["decisions"][0]["chosen"] == "strip"
    assert saved["edits"] and saved["edits"][0]["path"] not in app.session.skipped

    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["plan", "-a", str(project / "ashore.yml"), "--json", "--state-dir", str(tmp_path / "state")]
        )
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out) == saved
