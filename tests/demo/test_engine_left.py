"""An engine that was left at work does not outlive the demo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wizard.demo.engine_left import EngineLeft

HOLDER = """
import signal, sys, time
from pathlib import Path
from wizard.state import State
if sys.argv[3] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with State(Path(sys.argv[1])).lock(Path(sys.argv[2])):
    print("holds", flush=True)
    time.sleep(float(sys.argv[4]))
"""


def hold(state: Path, project: Path, how: str, seconds: float) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", HOLDER, str(state), str(project), how, str(seconds)],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"holds\n"
    return child


@pytest.mark.parametrize("how", ["obedient", "deaf"])
def test_stop_ends_the_engine(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.demo.engine_left.STOP_SECONDS", 1.0)
    left = EngineLeft(tmp_path / "app", tmp_path / "state")
    assert left.pid() is None
    child = hold(left.state, left.project, how, 300)
    try:
        assert left.pid() == child.pid
        left.stop()
        assert left.pid() is None
        assert child.wait(10) != 0
    finally:
        child.kill()
        child.wait()


def test_wait_ends_with_the_engine_and_no_run_has_no_status(tmp_path: Path) -> None:
    left = EngineLeft(tmp_path / "app", tmp_path / "state")
    child = hold(left.state, left.project, "obedient", 0.5)
    left.wait()
    assert left.pid() is None
    assert child.wait(10) == 0
    assert left.status() is None
