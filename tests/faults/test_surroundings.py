"""What goes wrong around a run: a full disk, a database that crashes, files that move, a second machine."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults import bare
from tests.faults import world as worlds
from wizard.demo import embedded, story


class At:
    """Stops the engine at the first event that `matches`, acts, and lets it go on."""

    def __init__(self, act: Callable[[], object], **matches: object) -> None:
        self.act = act
        self.matches = matches
        self.done = False

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        if not self.done and all(event.get(k) == v for k, v in self.matches.items()):
            self.done = True
            process.send_signal(signal.SIGSTOP)
            self.act()
            process.send_signal(signal.SIGCONT)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own for the state folder; skips where none can be mounted."""
    folder.mkdir()
    size = f"size={megabytes}m"
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.long
@pytest.mark.parametrize(
    "steps",
    [
        ("copy", "report"),
        ("snapshot", "backup", "upload", "verify", "cutover"),
    ],
    ids=["some", "others"],
)
def test_a_full_disk_is_told_at_any_step_and_a_resume_finishes_once_there_is_room(
    small: worlds.World, steps: tuple[str, ...]
) -> None:
    before = worlds.files(small)
    with small_disk(small.state, 128) as disk:
        filler = disk / "filler"

        def fill() -> None:
            with filler.open("ab", buffering=0) as file:
                for size in (1 << 20, 1 << 12, 1):
                    try:
                        while True:
                            file.write(b"\0" * size)
                    except OSError:
                        continue

        fill()
        assert shutil.disk_usage(disk).free == 0
        end = worlds.execute(small, *worlds.RUN)
        assert (end.exit_code, end.codes) == (2, ("state-full",)), end.text
        filler.unlink()
        command = worlds.RUN
        for step in steps:
            full = At(fill, type="step_started", step=step)
            end = worlds.execute(small, *command, watch=full)
            assert full.done, f"{step} was not reached\n{end.text}"
            assert (end.exit_code, end.codes) == (2, ("state-full",)), f"{step}\n{end.text}"
            assert worlds.files(small) == before
            filler.unlink()
            command = worlds.RESUME
        end = worlds.execute(small, *worlds.RESUME)
        assert end.exit_code == 0, end.text
        bare.arrived(small)
        assert worlds.files(small) == before


@pytest.mark.long
@pytest.mark.parametrize("step", ["copy", "constraints"])
def test_a_database_server_that_crashes_and_comes_back(
    small: worlds.World, postgres_server: embedded.Postgres, step: str
) -> None:
    def crash() -> None:
        # PostgreSQL answers the death of one backend by ending all of them and recovering from its log.
        with psycopg.connect(postgres_server.admin.reveal(), autocommit=True) as admin:
            os.kill(admin.info.backend_pid, signal.SIGKILL)

    crashed = At(crash, type="progress", step=step)
    end = worlds.execute(small, *worlds.RUN, watch=crashed)
    assert crashed.done
    if end.exit_code != 0:
        assert end.exit_code == 1, end.text
        end = worlds.execute(small, *worlds.RESUME)
    assert end.exit_code == 0, end.text
    bare.arrived(small)


@pytest.mark.long
def test_files_that_grow_vanish_or_are_replaced_while_they_are_sent(small: worlds.World) -> None:
    media = small.project / "media"
    answers = small.root / "ashore.yml"
    answers.write_text(answers.read_text().replace('"version"', '"backup": "database", "version"'))

    def move() -> None:
        with (media / "f1.txt").open("ab") as file:
            file.write(b", which grew")
        (media / "new").write_bytes(b"\1" * (18 << 20))
        (media / "new").replace(media / "large.bin")
        (media / "f2.txt").unlink()

    end = worlds.execute(small, *worlds.RUN, watch=At(move, type="progress", step="upload"))
    assert end.exit_code == 0, end.text
    gone = small.client().list_objects_v2(Bucket=small.bucket, Prefix="f2.txt").get("KeyCount")
    if gone:  # it had been sent before it vanished, and nothing is ever deleted
        small.client().delete_object(Bucket=small.bucket, Key="f2.txt")
    bare.arrived(small)


def elsewhere(small: worlds.World, root: Path) -> worlds.World:
    """The same app on another machine, with the same answers, target and bucket, and its own state folder."""
    root.mkdir()
    shutil.copytree(small.project, root / story.PROJECT)
    shutil.copy(small.root / "ashore.yml", root / "ashore.yml")
    return replace(small, root=root)


@pytest.mark.long
def test_a_run_that_another_machine_took_over_is_fenced_and_the_data_is_the_others(
    small: worlds.World, tmp_path: Path
) -> None:
    other = elsewhere(small, tmp_path / "other")
    with closing(sqlite3.connect(other.project / "db.sqlite3")) as source:
        source.executescript(
            "UPDATE note SET line = 'later' WHERE id IN (1, 2999);"
            "DELETE FROM note WHERE id = 7; INSERT INTO note VALUES (9999, 1, 'new', NULL)"
        )
    ends: list[worlds.End] = []
    take_over = At(
        lambda: ends.append(worlds.execute(other, *worlds.RUN)), type="step_started", step="upload"
    )
    end = worlds.execute(small, *worlds.RUN, watch=take_over)
    assert ends[0].exit_code == 0, ends[0].text
    assert (end.exit_code, end.codes) == (1, ("fenced",)), end.text
    bare.arrived(other)
    # The first machine does not get it back by insisting: the other's run is done.
    end = worlds.execute(small, *worlds.RESUME)
    assert (end.exit_code, end.codes) == (2, ("record-missing",)), end.text
    bare.arrived(other)


@pytest.mark.long
def test_a_run_at_work_on_another_machine_is_left_alone(small: worlds.World, tmp_path: Path) -> None:
    other = elsewhere(small, tmp_path / "other")
    ends: list[worlds.End] = []
    try_it = At(lambda: ends.append(worlds.execute(other, *worlds.RUN)), type="progress", step="copy")
    end = worlds.execute(small, *worlds.RUN, watch=try_it)
    assert (ends[0].exit_code, ends[0].codes) == (2, ("run-elsewhere",)), ends[0].text
    assert end.exit_code == 0, end.text
    bare.arrived(small)
