"""Stopped, or meddled with: what is left is finished, or refused with reason."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import world as worlds


class At:
    """Calls `act` once, at the first event that `matches`."""

    def __init__(self, act: Any, **matches: object) -> None:
        self.act = act
        self.matches = matches
        self.done = False

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        if not self.done and all(event.get(k) == v for k, v in self.matches.items()):
            self.done = True
            self.act(process)


def test_a_second_run_is_refused_and_a_signal_stops_at_a_safe_point(here: worlds.World) -> None:
    """A single step repeated meanwhile does not pass for the end of the run."""
    second: list[worlds.End] = []

    def try_again(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGSTOP)
        second.append(worlds.execute(here, *worlds.RUN))
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)

    end = worlds.execute(here, *worlds.RUN, watch=At(try_again, type="step_started", step="copy"))
    assert (second[0].exit_code, second[0].codes) == (2, ("run-in-progress",)), second[0].text
    assert (end.exit_code, end.codes) == (130, ()), end.text

    stop = At(lambda process: process.send_signal(signal.SIGTERM), type="step_started", step="patch")
    end = worlds.execute(here, *worlds.RESUME, watch=stop)
    assert (end.exit_code, end.codes) == (143, ()), end.text
    assert worlds.execute_plain(here, "verify").returncode == 0
    [run] = json.loads(worlds.execute_plain(here, "runs", "--json").stdout)["runs"]
    assert run["state"] == "stopped"
    assert worlds.execute_plain(here, "runs", "--clean", run["run"]).returncode == 2
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 0, end.text


@pytest.mark.long
def test_resume_refuses_what_is_not_as_it_left_it(here: worlds.World) -> None:
    worlds.execute(
        here, *worlds.RUN, watch=At(lambda process: process.kill(), type="step_finished", step="copy")
    )

    def refused(path: Path, spoil: Callable[[], object], code: str) -> None:
        before = path.read_bytes()
        spoil()
        spoiled = path.read_bytes()
        end = worlds.execute(here, *worlds.RESUME)
        assert (end.exit_code, end.codes) == (5, (code,)), end.text
        assert path.read_bytes() == spoiled
        path.write_bytes(before)

    snapshot = next(here.state.rglob("base.sqlite3"))
    os.chmod(snapshot, 0o600)
    refused(
        snapshot,
        lambda: snapshot.write_bytes(snapshot.read_bytes()[:-1] + b"\xa5"),
        "snapshot-changed",
    )

    def other_tables() -> None:
        with sqlite3.connect(here.project / "db.sqlite3") as source:
            source.execute("ALTER TABLE blog_post ADD COLUMN novelty text")
        source.close()

    refused(here.project / "db.sqlite3", other_tables, "source-changed")
    settings = here.project / "config" / "settings.py"
    refused(
        settings, lambda: settings.write_bytes(settings.read_bytes() + b"\nNOVELTY = 1\n"), "file-changed"
    )
    assert not (here.project / ".env.example").exists(), "one file was patched although another was refused"
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 0, end.text
