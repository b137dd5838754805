"""PostgreSQL → PostgreSQL, from the command line to the last row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases.postgres.moving import World, execute, rows
from wizard.credentials import Secret

pytestmark = pytest.mark.long

SIMPLE = """
CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE post (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, body text,
    author integer NOT NULL REFERENCES author ON DELETE CASCADE,
    words integer GENERATED ALWAYS AS (length(body)) STORED);
CREATE TABLE note (said text, n integer);
CREATE INDEX post_title ON post (title);
INSERT INTO author (name) SELECT 'author ' || i FROM generate_series(1, 50) i;
INSERT INTO post (title, body, author)
    SELECT 'title ' || i, E'tab\\there, back\\\\slash, line\\nend ' || i, 1 + i % 50
    FROM generate_series(1, 2000) i;
INSERT INTO note SELECT 'same', 1 FROM generate_series(1, 3);
INSERT INTO note VALUES (NULL, NULL), ('\\N', 2);
SELECT setval('author_id_seq', 900);
"""


@pytest.fixture
def world(tmp_path: Path, new_database: Callable[[], Secret]) -> World:
    here = World(tmp_path, new_database(), new_database())
    here.answer()
    return here


def test_everything_arrives_and_a_sync_carries_what_changed(world: World) -> None:
    execute(world.source, SIMPLE)
    end = world.run()
    assert end.exit_code == 0, end.said
    for table in ("author", "post", "note"):
        query = f"SELECT t::text FROM {table} t ORDER BY 1"
        assert rows(world.source, query) == rows(world.target, query)
    assert rows(world.target, "SELECT nextval('author_id_seq')") == [(901,)]
    assert rows(world.target, "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated") == [
        (1,)
    ]
    execute(
        world.source,
        "UPDATE post SET title = 'new' WHERE id = 7; DELETE FROM author WHERE id = 3; "
        "INSERT INTO author (name) VALUES ('late'); INSERT INTO note VALUES ('same', 1)",
    )
    end = world.ashore("sync")
    assert end.exit_code == 0, end.said
    for table in ("author", "post", "note"):
        query = f"SELECT t::text FROM {table} t ORDER BY 1"
        assert rows(world.source, query) == rows(world.target, query)
    end = world.ashore("verify")
    assert end.exit_code == 0, end.said


def test_a_difference_is_named_by_table_key_column_and_both_values(world: World) -> None:
    execute(world.source, SIMPLE)
    assert world.run().exit_code == 0
    execute(world.target, "UPDATE post SET body = 'other' WHERE id = 9; DELETE FROM note WHERE n = 2")
    end = world.ashore("verify")
    assert end.exit_code == 6, end.said
    assert 'post.body ["9"]' in end.said
    assert "'other'" in end.said
    assert "a row of the source is not in the target" in end.said
    end = world.ashore("sync")  # nothing changed at the source
    assert end.exit_code == 5, end.said
    assert "no longer what this run wrote: 3 differences" in end.said  # the generated column is the third
    execute(world.target, "DROP TABLE note")
    end = world.ashore("sync")
    assert end.exit_code == 5, end.said
    assert "note" in end.said


def test_the_same_database_twice_is_refused(world: World) -> None:
    execute(world.source, SIMPLE)
    same = World(world.root, world.source, world.source)
    end = same.run()
    assert end.exit_code == 2, end.said
    assert "are the same database" in end.said
