"""The state folder: refused where it would be lost, locked against a second run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wizard.errors import UsageError
from wizard.journal import Journal
from wizard.state import State, holder


def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def test_a_state_folder_on_the_disk_that_the_deploy_wipes_is_refused(tmp_path: Path) -> None:
    same_disk = Path("/").stat().st_dev == tmp_path.stat().st_dev
    if not same_disk:
        pytest.skip("the temporary folder lies on another disk than /, as a mounted one would")
    with pytest.raises(UsageError) as caught:
        State.open(tmp_path / "state", project(tmp_path), {"RENDER": "true"})
    assert caught.value.code == "state-ephemeral"
    assert caught.value.exit_code == 2


def test_a_state_folder_inside_the_project_is_refused(tmp_path: Path) -> None:
    app = project(tmp_path)
    with pytest.raises(UsageError) as caught:
        State.open(app / ".ashore", app, {})
    assert caught.value.code == "state-in-project"


def test_a_second_run_is_refused_and_names_the_first(tmp_path: Path) -> None:
    app = project(tmp_path)
    state = State.open(tmp_path / "state", app, {})
    code = (
        "import sys; from pathlib import Path; from wizard.state import State\n"
        "app, root = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "with State.open(root, app, {}).lock(app): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(app), str(state.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        found = holder(state.project_folder(app))
        assert found is not None
        assert found.pid == child.pid
        with pytest.raises(UsageError) as caught, state.lock(app):
            pass
        assert caught.value.code == "run-in-progress"
        assert str(child.pid) in caught.value.message
    finally:
        child.kill()
        child.communicate()
    with state.lock(app):  # the kernel freed it when the holder was killed
        pass
    assert holder(state.project_folder(app)) is None


def test_a_child_that_outlives_the_engine_keeps_the_lock(tmp_path: Path) -> None:
    app = project(tmp_path)
    state = State.open(tmp_path / "state", app, {})
    with state.lock(app) as handle:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(handle,)
        )
    try:
        with pytest.raises(UsageError), state.lock(app):
            pass
    finally:
        child.communicate(b"")
    with state.lock(app):
        pass


def test_the_journal_remembers_across_openings(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    journal.step_started("copy")
    journal.put("upload", "a.png", {"etag": "x"})
    journal.put_many("upload", {"b.png": 1, "c.png": 2})
    journal.close()
    again = Journal(path)
    assert again.step_state("copy") == "started"
    assert again.step_state("upload") == "pending"
    again.step_finished("copy", 1.5, "done")
    again.step_finished("copy", 0.5, "done")
    assert again.steps() == [("copy", "finished", 2.0, "done")]
    assert dict(again.all("upload")) == {"a.png": {"etag": "x"}, "b.png": 1, "c.png": 2}
    again.close()
