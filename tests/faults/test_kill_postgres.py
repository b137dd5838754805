"""`kill -9` of a PostgreSQL → PostgreSQL run at seeded moments, then a resume: the end of one undisturbed.

ASHORE_KILLS is how often (2 unless set), ASHORE_SEED chooses the moments: after a number of lines of events
and a part of a second more.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases.postgres.moving import World, execute, rows
from wizard.credentials import Secret

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("ASHORE_KILLS", "2"))
SEED = int(os.environ.get("ASHORE_SEED", "2026"))
SOURCE = """
CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE post (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text,
    author integer NOT NULL REFERENCES author ON DELETE CASCADE);
CREATE TABLE note (said text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.note VALUES (NEW.body); RETURN NEW; END $$;
CREATE TRIGGER shouts AFTER INSERT ON post FOR EACH ROW EXECUTE FUNCTION shout();
CREATE INDEX post_author ON post (author);
INSERT INTO author (name) SELECT 'author ' || i FROM generate_series(1, 3000) i;
INSERT INTO post (body, author) SELECT repeat('x', 1000) || i, 1 + i % 3000 FROM generate_series(1, 30000) i;
DELETE FROM note WHERE length(said) < 1005;
"""
CHANGE = (
    "UPDATE post SET body = 'new' WHERE id % 1000 = 1; DELETE FROM author WHERE id < 10; "
    "INSERT INTO author (name) VALUES ('late'); INSERT INTO note VALUES ('late')"
)


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_then_resumed_ends_the_same(
    kill: int, tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    chance = random.Random(f"{SEED} {kill}")
    world = World(tmp_path, new_database(), new_database())
    world.answer()
    execute(world.source, SOURCE)
    after, delay = chance.randrange(2, 45), chance.random() * 0.4
    told = f"seed {SEED}, kill {kill}: {delay:.3f} s after line {after}"
    killed = _killed(world, ["run", "-a", str(tmp_path / "ashore.yml"), "--yes"], after, delay)
    execute(world.source, CHANGE)
    if killed and chance.random() < 0.5:
        _killed(world, ["resume"], chance.randrange(2, 25), chance.random() * 0.4)
    lost = chance.random() < 0.3
    if lost:  # as from another machine: the target's record is all there is
        end = world.run(state="other")
    else:
        end = world.ashore("resume")
        if "no-run" in end.said or "No unfinished run" in end.said:
            finished = list((tmp_path / "state").rglob("report.json"))
            end = world.ashore("sync") if finished else world.run()
        else:
            assert end.exit_code == 0, f"{told}\n{end.said}"
            end = world.ashore("sync")
    if lost and not killed:
        assert end.exit_code in (0, 2), f"{told}\n{end.said}"  # a finished run's target is not taken over
        return
    assert end.exit_code == 0, f"{told}\n{end.said}"
    for table in ("author", "post", "note"):
        query = f"SELECT t::text FROM {table} t ORDER BY 1"
        assert rows(world.source, query) == rows(world.target, query), told
    catalog = (
        "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1"
    )
    assert rows(world.source, catalog) == rows(world.target, catalog), told
    triggers = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal"
    assert rows(world.target, triggers) == [("shouts", "O")], told


def _killed(world: World, words: list[str], after: int, delay: float) -> bool:
    """Whether the command was killed before its end, `delay` seconds after that many lines of events."""
    child = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "wizard", *words),
            "--events",
            "--state-dir",
            str(world.root / "state"),
        ],
        cwd=world.root / "project",
        env=world.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert child.stdout is not None
    for number, _ in enumerate(child.stdout, 1):
        if number == after:
            time.sleep(delay)  # the moment that the seed chose, not a wait for something
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            break
    child.stdout.close()
    return child.wait() == -signal.SIGKILL
