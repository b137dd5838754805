"""The last sync deletes nothing that somebody wrote after the comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases.contexts import build, context, execute, rows
from wizard.credentials import Secret
from wizard.databases.copying import carry
from wizard.databases.postgres.target import open_target
from wizard.errors import NotAsPlanned
from wizard.steps import provision

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b');"


@pytest.mark.parametrize(
    "other",
    ["UPDATE t SET v = v WHERE id = 1", "DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (3, 'c')"],
)
def test_a_write_between_comparison_and_sync_is_seen(
    tmp_path: Path, database_url: Secret, other: str
) -> None:
    ctx = context(tmp_path, database_url, TABLE)
    provision.run(ctx)
    build(ctx, TABLE)
    with open_target(ctx) as target:
        seen = carry.versions(target.connection.cursor(), target, ["t"])
        target.connection.execute("VACUUM (FREEZE) t")
        with target.transaction() as cursor:
            carry.require_unchanged(cursor, target, seen)  # as nobody wrote
        execute(database_url, other)
        with pytest.raises(NotAsPlanned) as refused, target.transaction() as cursor:
            carry.require_unchanged(cursor, target, seen)
            cursor.execute("DELETE FROM t")
    assert refused.value.code == "target-changed"
    assert rows(database_url, "SELECT count(*) FROM t")[0][0] >= 1
