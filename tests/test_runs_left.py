"""What a kill leaves in the state folder: half a line, half a folder. The next command copes with it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from wizard import engine, records, runner, watching
from wizard.cli import build_parser
from wizard.commands import runs as command
from wizard.context import Cancel
from wizard.credentials import Redactor
from wizard.errors import UsageError
from wizard.events import Finished, Header
from wizard.journal import Journal
from wizard.model import Plan
from wizard.state import RunFolder, State


def begun(state: State, project: Path, run: str) -> RunFolder:
    folder = state.new_run(project, run)
    folder.answers.write_text(f"version: 1\nproject: {project}\n", encoding="utf-8")
    runner.save_plan(Plan(1, str(project), "", "", ()), folder.plan)
    journal = Journal(folder.journal)
    journal.put("run", "status", {"status": "running"})
    journal.close()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "torn", [b'{"type": "warning", "mess', '{"type": "warning", "message": "é'.encode()[:-1]]
)
def test_a_line_cut_off_by_a_kill_swallows_nothing_of_the_resume(
    tmp_path: Path, project: Path, torn: bytes
) -> None:
    folder = State.open(tmp_path / "state", project, {}).new_run(project)
    first, last = Header(1, folder.run), Finished("done", 0)
    for event in (first, last):
        log = runner.EventLog(folder, Redactor(), lambda event: None)
        log.emit(event)
        log.close()
        if event is first:
            with folder.events.open("ab") as file:
                file.write(torn)
    assert folder.events.read_bytes().split(b"\n")[1] == torn
    assert list(watching.follow(folder.events, threading.Event(), lambda: False)) == [first, last]


def test_a_folder_that_a_kill_left_before_its_plan_is_passed_over_listed_and_removed(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State.open(tmp_path / "state", project, {})
    whole = begun(state, project, "20260101-000000-aaaaaa")
    bare = state.new_run(project, "20260102-000000-bbbbbb")
    half = state.new_run(project, "20260103-000000-cccccc")
    half.answers.with_name(half.answers.name + ".part").write_text("version: 1\nproj")
    half.journal.touch()
    assert engine.find_run(state, project, None, unfinished=True) == whole
    arguments = ["runs", "--json", "--state-dir", str(state.root)]
    parsed = build_parser().parse_args(arguments)
    parsed.project = project
    assert command.runs(parsed, None) == 0
    listed = {r["run"]: r["state"] for r in json.loads(capsys.readouterr().out)["runs"]}
    assert listed == {whole.run: "interrupted", bare.run: "empty", half.run: "empty"}
    for folder in (bare, half):
        with pytest.raises(UsageError) as caught:
            engine.resume(project, folder.run, {}, state.root, Cancel(), lambda event: None)
        assert caught.value.code == "no-run"
        records.clean(folder, state, project, {})
    assert state.runs(project) == [whole]


def test_a_removal_that_a_kill_cut_off_leaves_nothing_to_resume(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(path: Path) -> None:
        (path / "journal.sqlite3").unlink()
        raise Killed

    state = State.open(tmp_path / "state", project, {})
    folder = begun(state, project, "20260101-000000-aaaaaa")
    journal = Journal(folder.journal)
    journal.put("run", "status", {"status": "done", "exit_code": 0})
    journal.close()
    with monkeypatch.context() as patch:
        patch.setattr(records.shutil, "rmtree", killed)
        with pytest.raises(Killed):
            records.clean(folder, state, project, {})
    with pytest.raises(UsageError) as caught:
        engine.find_run(state, project, None, unfinished=True)
    assert caught.value.code == "no-run"
    records.clean(folder, state, project, {})
    assert state.runs(project) == []
