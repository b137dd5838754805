"""A connection that is cut in the middle of a COPY: the step goes on by itself, or a resume ends the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.databases.postgres.moving import World, execute, rows
from tests.faults.cutting import cutting
from wizard.credentials import Secret

pytestmark = pytest.mark.long

COUNT = 6000
WIDTH = 500  # 3 MB in one COPY; no statement before it comes near `AFTER`
AFTER = 1_000_000
ALL = "SELECT id, body FROM post ORDER BY id"


def _postgres(world: World) -> list[tuple[int, str]]:
    world.answer()
    execute(
        world.source,
        "CREATE TABLE post (id int PRIMARY KEY, body text NOT NULL); "
        f"INSERT INTO post SELECT i, repeat('x', {WIDTH}) || i FROM generate_series(1, {COUNT}) i",
    )
    return [(i, "x" * WIDTH + str(i)) for i in range(1, COUNT + 1)]


def _sqlite(world: World) -> list[tuple[int, str]]:
    expected = [(i, "x" * WIDTH + str(i)) for i in range(1, COUNT + 1)]
    (world.root / "project").mkdir(parents=True)
    with closing(sqlite3.connect(world.root / "project" / "db.sqlite3")) as source:
        source.execute("CREATE TABLE post (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        source.executemany("INSERT INTO post VALUES (?, ?)", expected)
        source.commit()
    answers = {
        "version": 1, "project": "project", "patch": "skip", "storage": [],
        "database": {"source": "db.sqlite3", "url": "env:NEW_DATABASE_URL", "schema": "derived"},
    }  # fmt: skip
    (world.root / "ashore.yml").write_text(json.dumps(answers), encoding="utf-8")
    return expected


@pytest.mark.parametrize("source", [_sqlite, _postgres])
def test_one_cut_is_made_good_by_the_step_itself(
    source: Callable[[World], list[tuple[int, str]]], tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    target = new_database()
    with cutting(target, AFTER, times=1) as (url, proxy):
        world = World(tmp_path, new_database(), url)
        expected = source(world)
        end = world.run()
        assert end.exit_code == 0, end.said
        assert proxy.cuts == 1
    assert rows(target, ALL) == expected


@pytest.mark.parametrize("source", [_sqlite, _postgres])
def test_cut_for_good_it_ends_with_1_and_a_resume_ends_the_same(
    source: Callable[[World], list[tuple[int, str]]], tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    target = new_database()
    with cutting(target, AFTER, times=100) as (url, proxy):
        world = World(tmp_path, new_database(), url)
        expected = source(world)
        end = world.run()
        assert end.exit_code == 1, end.said
        assert "database-lost" in end.said
        assert proxy.cuts > 1
        assert rows(target, ALL) == []  # nothing half written
        proxy.left = 0
        end = world.ashore("resume")
        assert end.exit_code == 0, end.said
    assert rows(target, ALL) == expected
