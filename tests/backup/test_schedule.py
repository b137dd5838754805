"""Generated jobs: what they run is a valid command line, with secrets from the platform only."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.backup.kit import CLEAN, ENTRY, make_app
from wizard.backup import opening, runbook, schedule
from wizard.cli import build_parser
from wizard.credentials import Secret
from wizard.errors import UsageError

ANSWERS = """version: 1
project: shop
database: {provider: postgres, url: "keyring:shop/url"}
storage:
  - {provider: s3-compatible, bucket: shop-media, endpoint: "https://s3.example.org", region: eu-1,
     access_key: "env:MEDIA_KEY", secret_key: "keyring:shop/secret"}
"""
TO = "s3://shop-backups/nightly?endpoint=https://s3.example.org&region=eu-1"
RENDER = """# ours
services:
  - type: web   # the app
    name: shop
    envVars:
      - key: A
        value: "1"
databases:
  - name: shop-db
"""


def job(tmp_path: Path, **more: str) -> schedule.Job:
    make_app(tmp_path)
    (tmp_path / "ashore.yml").write_text(ANSWERS)
    wish = opening.Wish(tmp_path / "shop", tmp_path / "ashore.yml", (TO,), **more)  # type: ignore[arg-type]
    given = {"keyring:shop/url": Secret("postgresql://u:hunter2@h/d")}
    return schedule.plan(wish, opening.open_project(wish.path, wish.answers, given, {}))


def commands(texts: list[str]) -> list[object]:
    return [vars(build_parser().parse_args(shlex.split(text)[1:])) for text in texts if "ashore " in text]


def test_the_workflow_runs_commands_that_exist(tmp_path: Path) -> None:
    made = job(tmp_path, encrypt="keyring:backup/passphrase")
    text = schedule.github(made)
    flow = yaml.safe_load(text)
    steps = [s["run"] for j in flow["jobs"].values() for s in j["steps"] if "run" in s]
    backup, test = commands([s for s in steps if s.startswith("ashore ")])
    assert (backup["database"], backup["keep"]) == ("env:DATABASE_URL", 14)  # type: ignore[index]
    assert "secret_key=env:AWS_SECRET_ACCESS_KEY" in backup["files"][0]  # type: ignore[index]
    assert test["test"] is True and test["key"] == "env:BACKUP_PASSPHRASE"  # type: ignore[index]
    wanted = {"DATABASE_URL", "MEDIA_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "BACKUP_PASSPHRASE"}
    assert set(flow["env"]) == wanted
    assert flow["env"]["DATABASE_URL"] == "${{ secrets.DATABASE_URL }}"
    assert len(flow[True]["schedule"]) == 2
    assert sum("failure()" in str(s.get("if")) for j in flow["jobs"].values() for s in j["steps"]) == 2
    assert "keyring" not in text and "hunter2" not in text


def test_a_render_yaml_gains_the_services_once_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "render.yaml"
    file.write_text(RENDER)
    made = job(tmp_path)
    text = schedule.render(made, file)
    lines = iter(text.splitlines())
    assert all(line in lines for line in RENDER.splitlines()), "every old line stands, in order"
    after = yaml.safe_load(text)
    assert [s["name"] for s in after["services"]] == ["shop", "shop-backup", "shop-restore-test"]
    origin = {v["key"]: v for v in after["services"][1]["envVars"]}
    assert origin["DATABASE_URL"]["fromDatabase"] == {"name": "shop-db", "property": "connectionString"}
    assert origin["MEDIA_KEY"] == {"key": "MEDIA_KEY", "sync": False}
    commands([s["startCommand"] for s in after["services"][1:]])
    file.write_text(text)
    assert schedule.render(made, file) == text
    assert yaml.safe_load(schedule.render(made, None))["services"] == [
        {**s, "envVars": [{"key": v["key"], "sync": False} for v in s["envVars"]]}
        for s in after["services"][1:]
    ]


def test_what_a_job_elsewhere_cannot_see_is_refused(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    opened = opening.open_project(app, None, {}, {})
    with pytest.raises(UsageError, match=r"db\.sqlite3"):
        schedule.plan(opening.Wish(app, to=(TO,), only="database"), opened)
    with pytest.raises(UsageError, match="is a folder"):
        schedule.plan(opening.Wish(app, to=("backups",), only="files", files=(TO,)), opened)


def test_the_runbook_names_this_project_and_no_secret(tmp_path: Path) -> None:
    text = runbook.text(job(tmp_path, encrypt="keyring:backup/passphrase"))
    found = [line for line in text.splitlines() if line.startswith("ashore ")]
    assert len(commands(found)) == len(found) >= 5
    for name in ("s3://shop-media", "s3://shop-backups/nightly", "`DATABASE_URL`", "age -d"):
        assert name in text
    assert "hunter2" not in text


@pytest.mark.long
def test_the_command_writes_what_it_prints(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    common = [
        *(sys.executable, "-c", ENTRY, "backup", ".", "--database", "env:DATABASE_URL", "--only", "database"),
        *("--to", TO, "--schedule", "github"),
    ]
    shown = subprocess.run(common, cwd=app, env=CLEAN, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    output = app / ".github/workflows/backup.yml"
    written = subprocess.run(
        [*common, "--output", str(output), "--runbook", "RECOVERY.md"],
        cwd=app,
        env=CLEAN,
        capture_output=True,
    )
    assert written.returncode == 0, written.stderr
    assert output.read_text() == shown.stdout.removesuffix("\n")
    assert (app / "RECOVERY.md").read_text().startswith("# When the data of shop is gone")
