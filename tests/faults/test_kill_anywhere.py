"""`kill -9` at any moment, then a resume: the same state as a run never interrupted (promise 2).

ASHORE_KILLS is how often (one migration each), ASHORE_SEED chooses the moments. The moment is the
number of an event within a step, plus a part of the time that passed until the next event in the
undisturbed run; so steps that say little are hit as well as chatty ones.
"""

from __future__ import annotations

import os
import random
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

KILLS = int(os.environ.get("ASHORE_KILLS", "4"))
SEED = int(os.environ.get("ASHORE_SEED", "2026"))
SCALE = 0.02
FIRST = ("copy", "upload", "constraints", "schema", "references", "patch")
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

    With `step` empty, any step's events count.
    """

    step: str
    number: int
    delay: float
    seen: int = 0
    killed: bool = False

    def __call__(self, process: subprocess.Popen[bytes], event: dict[str, Any]) -> None:
        if self.killed or event["type"] in ("header", "finished"):
            return
        mine = not self.step or event.get("step") == self.step
        self.seen += mine
        if mine and (self.seen >= self.number or (event["type"] == "step_finished" and self.step)):
            time.sleep(self.delay)  # the moment that the seed chose, not a wait for something
            process.kill()
            self.killed = True


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
            with worlds.world(root, template, url, s3_server, f"kill-{worker}") as here:
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
        before = worlds.files(here)
        end = worlds.execute(here, *worlds.RUN, watch=clock)
        assert end.exit_code == 0, end.text
        outcome = worlds.outcome(here)
        kept = {k: v for k, v in before.items() if k.startswith(("file media/", "file db.sqlite3"))}
        assert len(kept) > 20
        assert kept.items() <= outcome.items(), "the source was changed"
    return Undisturbed(outcome, clock.gaps, template)


def test_every_step_is_there_to_be_hit(undisturbed: Undisturbed) -> None:
    assert set(undisturbed.gaps) <= set(STEP_NAMES)
    assert {"snapshot", "schema", "copy", "upload", "constraints", "verify", "patch"} <= set(undisturbed.gaps)
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
    killer = Killer(step, number + 1, chance.random() * gaps[number])
    again = chance.random() < 0.5
    second = Killer("", 1 + chance.randrange(8), chance.random() * 0.5)
    told = f"seed {SEED}, kill {kill}: {killer}" + (f", then {second}" if again else "")

    with new_world(f"k{kill}", undisturbed.template) as here:
        end = worlds.execute(here, *worlds.RUN, watch=killer)
        assert killer.killed or end.exit_code == 0, f"{told}\n{end.text}"
        if again:
            go_on(here, told, second)
        end = go_on(here, told, None)
        assert end.exit_code == 0, f"{told}\n{end.text}"
        differing = worlds.differing(undisturbed.outcome, worlds.outcome(here))
        assert not differing, f"{told}\n{differing}"


def go_on(here: worlds.World, told: str, killer: Killer | None) -> worlds.End:
    """`resume`, as a user would: again while a dying child holds the lock, `run` where no run was begun."""
    deadline = time.monotonic() + 20
    while True:
        end = worlds.execute(here, *worlds.RESUME, watch=killer)
        if end.codes == ("run-in-progress",) and time.monotonic() < deadline:
            continue
        if end.codes == ("no-run",):
            finished = any(here.state.glob("projects/*/runs/*/report.json"))
            return worlds.End(0, (), "") if finished else worlds.execute(here, *worlds.RUN, watch=killer)
        assert end.exit_code in (0, -9), f"{told}\n{end.text}"
        return end
