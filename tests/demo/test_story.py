"""The demo's story from beginning to end: with ashore's own run, and with runs that did not save anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from wizard.credentials import Secret
from wizard.demo import story
from wizard.demo.engine_left import EngineLeft
from wizard.errors import Stopped, UsageError

SMALL = 0.02


def run_ashore(project: Path, answers: Path, secrets: Mapping[str, Secret], state: Path) -> int:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "wizard", "run", "-a", str(answers), "--yes"),
            *("--secrets-stdin", "--state-dir", str(state)),
        ],
        input=json.dumps({k: v.reveal() for k, v in secrets.items()}),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return done.returncode


def test_saved_app_is_identical_and_keeps_what_is_added(tmp_path: Path) -> None:
    said: list[str] = []
    code = story.run_demo(
        headless=True,
        keep=tmp_path / "kept",
        state_dir=None,
        say=said.append,
        migrate=run_ashore,
        scale=SMALL,
    )
    text = "\n".join(said)
    assert code == 0, text
    assert "both are still there" in text
    files = next(line.split() for line in said if "Files identical" in line)
    assert files[2] == files[4] != "0" and files[3] == "0", text
    assert (tmp_path / "kept/harbour-blog/db.sqlite3").is_file()


@pytest.mark.long
def test_a_run_that_moved_nothing_is_not_called_saved() -> None:
    said: list[str] = []
    kept: list[Path] = []

    def nothing(project: Path, answers: Path, secrets: Mapping[str, Secret], state: Path) -> int:
        kept.append(project)
        chosen = yaml.safe_load(answers.read_text())
        assert (answers.parent / chosen["project"]).resolve() == project.resolve()
        for secret in secrets.values():
            assert secret.reveal() not in answers.read_text()
        return 0

    code = story.run_demo(
        headless=True, keep=None, state_dir=None, say=said.append, migrate=nothing, scale=SMALL
    )
    assert code == 6
    assert any("differs: /files/" in line or "differs: /" in line for line in said)
    assert "byte for byte" not in "\n".join(said)
    assert not kept[0].exists(), "the demo removes its folder"


def test_how_a_migration_ended_is_handed_on(tmp_path: Path) -> None:
    nobody = EngineLeft(tmp_path / "app", tmp_path / "state")
    said: list[str] = []
    assert story.ended(4, True, nobody, said.append) == 4
    assert "exit code 4" in said[-1]
    assert story.ended(0, False, nobody, said.append) == 0
    assert "no run was started" in said[-1]
    assert story.ended(0, True, nobody, said.append) is None
    with pytest.raises(Stopped) as stopped:
        story.ended(143, True, nobody, said.append)
    assert stopped.value.exit_code == 143


def test_keep_refuses_a_folder_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError):
        story.run_demo(
            headless=True, keep=tmp_path, state_dir=None, say=print, migrate=lambda *_: 0, scale=SMALL
        )
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


SCRIPT = """
import sys, time
from wizard.demo import story

def migrate(project, answers, secrets, state):
    print("at work", flush=True)
    time.sleep(300)
    return 0

say = lambda line: None
sys.exit(story.run_demo(headless=True, keep=None, state_dir=None, say=say, migrate=migrate, scale=0.02))
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to look at processes")
def test_a_signal_ends_everything_it_started() -> None:
    # Not pytest's own temporary folder: PostgreSQL's service user could not reach into it.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        environ = {**os.environ, "TMPDIR": name}
        demo = subprocess.Popen([sys.executable, "-P", "-c", SCRIPT], stdout=subprocess.PIPE, env=environ)
        try:
            assert demo.stdout is not None
            assert demo.stdout.readline().startswith(b"at work")
            children = descendants(demo.pid)
            assert len(children) >= 2, "PostgreSQL and S3 are running"
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(30) == 143
        finally:
            demo.kill()
            demo.wait()
        deadline = time.monotonic() + 10
        while any(map(alive, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in children if alive(pid)]
        assert list(Path(name).iterdir()) == []


def descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
    found: list[int] = []
    todo = [pid]
    while todo:
        parent = todo.pop()
        mine = [child for child, of in parents.items() if of == parent]
        found += mine
        todo += mine
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
