"""Every kind of type and object that a PostgreSQL keeps, moved and synced: `features.sql` beside this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases.postgres.moving import World, execute, rows
from wizard.credentials import Secret

pytestmark = pytest.mark.long
TABLES = (
    *('shop."Odd Name"', "log_2024", "log_rest", "ONLY parent", "child", "cache", "tree", "audited", "audit"),
    *("sorted", "summed", "above", "happy"),
)
CHANGE = """
UPDATE tree SET up = 1; DELETE FROM parent WHERE id = 2; INSERT INTO audited (v) VALUES ('three');
UPDATE log SET said = 'x' WHERE id = 5; UPDATE shop."Odd Name" SET f = 1.5 WHERE "Key" = '';
DELETE FROM shop."Odd Name" WHERE "Key" LIKE 'a%'; REFRESH MATERIALIZED VIEW summed;
REFRESH MATERIALIZED VIEW above
"""


def test_all_features_arrive_and_stay_equal_after_a_sync(
    tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    world = World(tmp_path, new_database(), new_database())
    world.answer()
    execute(world.source, (Path(__file__).parent / "features.sql").read_text(encoding="utf-8"))
    end = world.run()
    assert end.exit_code == 0, end.said
    _same(world)
    assert rows(world.target, "SELECT tricky()") == rows(world.source, "SELECT tricky()")
    assert rows(world.target, "SELECT nextval('shop.tickets')") == [(1015,)]
    states = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    assert rows(world.target, states) == [("audit_it", "O"), ("off", "D")]
    execute(world.source, CHANGE)
    end = world.ashore("sync")
    assert end.exit_code == 0, end.said
    _same(world)
    assert rows(world.target, states) == [("audit_it", "O"), ("off", "D")]


def _same(world: World) -> None:
    for table in TABLES:
        query = f"SELECT t::text FROM {table} t ORDER BY 1"
        assert rows(world.source, query) == rows(world.target, query), table
