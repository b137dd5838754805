"""`kill -9` at any moment, then a resume: the same state as a run never interrupted (promise 2).

ASHORE_KILLS is how often (one migration each), ASHORE_SEED chooses the moments. The moment is the
number of an event within a step, plus a part of the time that passed until the next event in the
undisturbed run; so steps that say little are hit as well as chatty ones.

The app goes on writing meanwhile: rows and files change once during each migration, at the latest when the
verification begins, so that the cut-over has something to carry over. Each end must be that of a migration
of the last state of the source that nothing disturbed. ASHORE_PUBLIC=0 keeps the files private.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import app_writer, embedded
from wizard.model import STEP_NAMES

KILLS = int(os.environ.get("ASHORE_KILLS", "1"))
SEED = int(os.environ.get("ASHORE_SEED", "2026"))
PUBLIC = os.environ.get("ASHORE_PUBLIC", "1") == "1"
# A short suite stays on one worker: what an undisturbed run does is then found out once.
pytestmark = [pytest.mark.xdist_group("kills")] if KILLS < 10 else []
Watch = Callable[[subprocess.Popen[bytes], dict[str, Any]], None]
SCALE = 0.02
FIRST = ("cutover", "upload", "copy", "constraints", "schema", "references", "patch")
"""The steps that a short suite hits; from 15 kills on, all are."""


@dataclass(frozen=True)
class Undisturbed:
    """An uninterrupted run: its outcome, and for each step the seconds after each of its events."""

    outcome: dict[str, object]
    gaps: dict[str, list[float]]
    template: Path


@dataclass
class Clock:
    """Notes for each event its step and the time until the next one."""

    step: str = ""
    last: float = 0.0
    gaps: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        now = time.monotonic()
        if self.step:
            self.gaps.setdefault(self.step, []).append(now - self.last)
        self.last = now
        self.step = event.get("step", "") or ""
        if event["type"] == "finished":
            self.step = ""


@dataclass
class Killer:
    """Kills the engine `delay` seconds after event number `number` of `step`, or at that step's end.

    With `step` empty, any step's events count. With `group`, its children die in the same instant.
    """

    step: str
    number: int
    delay: float
    group: bool
    seen: int = 0
    killed: bool = False

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        if self.killed or event["type"] in ("header", "finished"):
            return
        mine = not self.step or event.get("step") == self.step
        self.seen += mine
        if mine and (self.seen >= self.number or (event["type"] == "step_finished" and self.step)):
            time.sleep(self.delay)  # the moment that the seed chose, not a wait for something
            if self.group:
                os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
            else:
                process.kill()
            self.killed = True


@dataclass
class App:
    """The app that goes on: it writes once, when the verification begins, or when it is told to."""

    project: Path
    wrote: bool = False

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        if event["type"] == "step_started" and event["step"] == "verify":
            self.write()

    def write(self) -> None:
        if not self.wrote:
            self.wrote = True
            change(self.project)


def change(project: Path) -> None:
    """Rows added, changed and deleted, with references to files; a file added, one changed."""
    media = project / "media"
    old = min(p for p in media.rglob("*") if p.is_file() and p.stat().st_size < 100_000)
    link = f'<a href="/media/{old.relative_to(media).as_posix()}">seen</a>'
    with sqlite3.connect(project / "db.sqlite3") as source:
        source.execute("PRAGMA foreign_keys = ON")
        source.execute("UPDATE blog_post SET title = title || ' (edited)' WHERE id = 2")
        source.execute("UPDATE blog_post SET body = body || ? WHERE id IN (1, 3)", (link,))
        source.execute(
            "DELETE FROM blog_comment WHERE id = (SELECT max(id) FROM blog_comment "
            "WHERE id NOT IN (SELECT parent_id FROM blog_comment WHERE parent_id IS NOT NULL))"
        )
        columns = [r[1] for r in source.execute("PRAGMA table_info(blog_comment)") if r[1] != "id"]
        listed = ", ".join(columns)
        source.execute(f"INSERT INTO blog_comment ({listed}) SELECT {listed} FROM blog_comment WHERE id = 1")
    source.close()
    old.write_bytes(b"other bytes, and another number of them")
    (media / "late.txt").write_bytes(b"written while the migration ran")


def together(*watchers: Watch) -> Watch:
    """All of them, in this order."""

    def watch(process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        for watcher in watchers:
            watcher(process, event)

    return watch


@pytest.fixture(scope="module")
def new_world(
    postgres_server: embedded.Postgres, s3_server: embedded.S3, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Path], Any]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    @contextmanager
    def make(name: str, template: Path) -> Iterator[worlds.World]:
        # The same names for every world: the patched files hold the bucket's.
        database = f"kill_{worker}"
        url: Secret = postgres_server.database(database)
        root = tmp_path_factory.mktemp(name) / "world"
        try:
            with worlds.world(root, template, url, s3_server, f"kill-{worker}", PUBLIC) as here:
                yield here
        finally:
            with psycopg.connect(postgres_server.admin.reveal(), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
                connection.execute(f'DROP ROLE "{database}"')

    return make


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, new_world: Callable[..., Any]) -> Undisturbed:
    template = tmp_path_factory.mktemp("template") / "app"
    app_writer.prepare(template, SCALE)
    clock = Clock()
    with new_world("whole", template) as here:
        end = worlds.execute(here, *worlds.RUN, watch=together(clock, App(here.project)))
        assert end.exit_code == 0, end.text
        outcome = worlds.outcome(here)
    return Undisturbed(outcome, clock.gaps, template)


def test_what_changed_meanwhile_arrives_as_if_it_had_always_been_so(
    undisturbed: Undisturbed, new_world: Callable[..., Any]
) -> None:
    with new_world("still", undisturbed.template) as here:
        change(here.project)
        before = worlds.files(here)
        end = worlds.execute(here, *worlds.RUN)
        assert end.exit_code == 0, end.text
        outcome = worlds.outcome(here)
        with psycopg.connect(here.url.reveal()) as target:
            said = target.execute("SELECT body FROM blog_post WHERE id = 3").fetchone()
    differing = worlds.differing(outcome, undisturbed.outcome)
    assert not differing, differing
    kept = {k: v for k, v in before.items() if k.startswith(("file media/", "file db.sqlite3"))}
    assert len(kept) > 20
    assert kept.items() <= outcome.items(), "the source was changed"
    assert said is not None
    assert (f'<a href="{here.s3.endpoint}/{here.bucket}/' in said[0]) is PUBLIC


def test_every_step_is_there_to_be_hit(undisturbed: Undisturbed) -> None:
    assert set(undisturbed.gaps) <= set(STEP_NAMES)
    wanted = {"snapshot", "schema", "copy", "upload", "constraints", "verify", "cutover", "patch"}
    assert wanted <= set(undisturbed.gaps)
    assert sum(key.startswith("object ") for key in undisturbed.outcome) > 20


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_then_resumed_ends_the_same(
    kill: int, undisturbed: Undisturbed, new_world: Callable[..., Any]
) -> None:
    chance = random.Random(f"{SEED} {kill}")
    steps = [s for s in FIRST if s in undisturbed.gaps]
    steps += [s for s in STEP_NAMES if s in undisturbed.gaps and s not in steps]
    step = steps[kill % len(steps)]
    gaps = undisturbed.gaps[step]
    number = chance.randrange(len(gaps))
    killer = Killer(step, number + 1, chance.random() * gaps[number], chance.random() < 0.5)
    again = chance.random() < 0.5
    second = Killer("", 1 + chance.randrange(20), chance.random() * 0.5, chance.random() < 0.5)
    early = chance.random() < 0.5
    told = f"seed {SEED}, kill {kill}: {killer}" + (f", then {second}" if again else "")

    with new_world(f"k{kill}", undisturbed.template) as here:
        app = App(here.project)
        end = worlds.execute(here, *worlds.RUN, watch=together(app, killer))
        assert killer.killed or end.exit_code == 0, f"{told}\n{end.text}"
        if early:
            app.write()
        if again:
            go_on(here, told, together(app, second))
        end = go_on(here, told, app)
        assert app.wrote
        assert end.exit_code == 0, f"{told}\n{end.text}"
        differing = worlds.differing(undisturbed.outcome, worlds.outcome(here))
        assert not differing, f"{told}\n{differing}"


def go_on(here: worlds.World, told: str, watch: Watch) -> worlds.End:
    """`resume`, as a user would: again while a dying child holds the lock, `run` where no run was begun."""
    deadline = time.monotonic() + 20
    while True:
        end = worlds.execute(here, *worlds.RESUME, watch=watch)
        if end.codes == ("run-in-progress",) and time.monotonic() < deadline:
            continue
        if end.codes == ("no-run",):
            finished = any(here.state.glob("projects/*/runs/*/report.json"))
            return worlds.End(0, (), "") if finished else worlds.execute(here, *worlds.RUN, watch=watch)
        assert end.exit_code in (0, -9), f"{told}\n{end.text}"
        return end
