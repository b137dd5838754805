"""Stopped, cut off, or robbed of its state folder: what is left is finished, or refused with reason."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from typing import Any

import psycopg
import pytest

from tests.faults import world as worlds
from wizard.demo import embedded


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


@pytest.mark.parametrize(
    ("number", "code", "step"), [(signal.SIGINT, 130, "copy"), (signal.SIGTERM, 143, "patch")]
)
def test_a_signal_stops_at_a_safe_point_and_resume_finishes(
    here: worlds.World, number: signal.Signals, code: int, step: str
) -> None:
    """A single step repeated meanwhile does not pass for the end of the run."""
    stop = At(lambda process: process.send_signal(number), type="step_started", step=step)
    end = worlds.execute(here, *worlds.RUN, watch=stop)
    assert end.exit_code == code, end.text
    assert end.codes == ()
    if step == "patch":
        assert worlds.execute_plain(here, "verify").returncode == 0
        [run] = json.loads(worlds.execute_plain(here, "runs", "--json").stdout)["runs"]
        assert run["state"] == "stopped"
        assert worlds.execute_plain(here, "runs", "--clean", run["run"]).returncode == 2
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 0, end.text


def test_a_lost_connection_is_made_again(here: worlds.World, postgres_server: embedded.Postgres) -> None:
    def cut(_process: object) -> None:
        with psycopg.connect(postgres_server.admin.reveal(), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (here.url.reveal().rpartition("/")[2],),
            )

    end = worlds.execute(here, *worlds.RUN, watch=At(cut, type="progress", step="copy"))
    if end.exit_code != 0:
        assert end.exit_code == 1, end.text
        end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 0, end.text


def test_with_the_state_folder_lost_a_new_run_goes_on_from_the_targets_record(here: worlds.World) -> None:
    kill = At(lambda process: process.kill(), type="step_finished", step="copy")
    worlds.execute(here, *worlds.RUN, watch=kill)
    assert kill.done
    shutil.rmtree(here.state)
    with sqlite3.connect(here.project / "db.sqlite3") as source:  # the app went on meanwhile
        source.execute("DELETE FROM blog_comment WHERE id = (SELECT max(id) FROM blog_comment)")
        source.execute("UPDATE blog_post SET title = 'changed meanwhile' WHERE id = 1")
    source.close()
    end = worlds.execute(here, *worlds.RUN)
    assert end.exit_code == 0, end.text
    with psycopg.connect(here.url.reveal()) as target, sqlite3.connect(here.project / "db.sqlite3") as source:
        assert target.execute("SELECT title FROM blog_post WHERE id = 1").fetchone() == ("changed meanwhile",)
        for table in ("blog_comment", "blog_post"):
            query = f"SELECT count(*) FROM {table}"
            assert target.execute(query).fetchone() == source.execute(query).fetchone()
    source.close()


def test_resume_refuses_a_source_whose_tables_changed(here: worlds.World) -> None:
    worlds.execute(
        here, *worlds.RUN, watch=At(lambda process: process.kill(), type="step_finished", step="schema")
    )
    with sqlite3.connect(here.project / "db.sqlite3") as source:
        source.execute("ALTER TABLE blog_post ADD COLUMN novelty text")
    source.close()
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 5, end.text
    assert "source-changed" in end.codes


def test_resume_refuses_a_file_that_is_not_what_the_plan_saw(here: worlds.World) -> None:
    worlds.execute(
        here, *worlds.RUN, watch=At(lambda process: process.kill(), type="step_finished", step="copy")
    )
    settings = here.project / "config" / "settings.py"
    changed = settings.read_bytes() + b"\nNOVELTY = 1\n"
    settings.write_bytes(changed)
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 5, end.text
    assert settings.read_bytes() == changed
    assert not (here.project / ".env.example").exists(), "one file was patched although another was refused"


def test_a_second_run_of_the_project_is_refused_while_one_works(here: worlds.World) -> None:
    second: list[worlds.End] = []

    def try_again(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGSTOP)
        second.append(worlds.execute(here, *worlds.RUN))
        process.send_signal(signal.SIGCONT)

    end = worlds.execute(here, *worlds.RUN, watch=At(try_again, type="step_started", step="copy"))
    assert end.exit_code == 0, end.text
    assert second[0].exit_code == 2
    assert "run-in-progress" in second[0].codes


def test_a_snapshot_that_was_tampered_with_is_refused(here: worlds.World) -> None:
    worlds.execute(
        here, *worlds.RUN, watch=At(lambda process: process.kill(), type="step_started", step="recheck")
    )
    snapshot = next(here.state.rglob("base.sqlite3"))
    os.chmod(snapshot, 0o600)
    data = bytearray(snapshot.read_bytes())
    data[-1] ^= 0xFF
    snapshot.write_bytes(data)
    end = worlds.execute(here, *worlds.RESUME)
    assert end.exit_code == 5, end.text
