"""What the app writes after the run is carried over by `ashore sync` (during the run: tests/faults)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults import world as worlds


def change(project: Path) -> None:
    """As a busy app would: a row added, one changed, one deleted, a file added."""
    with sqlite3.connect(project / "db.sqlite3") as source:
        source.execute("PRAGMA foreign_keys = ON")
        source.execute("UPDATE blog_post SET title = title || ' (edited)' WHERE id = 2")
        source.execute(
            "DELETE FROM blog_comment WHERE id = (SELECT max(id) FROM blog_comment "
            "WHERE id NOT IN (SELECT parent_id FROM blog_comment WHERE parent_id IS NOT NULL))"
        )
        columns = [r[1] for r in source.execute("PRAGMA table_info(blog_comment)") if r[1] != "id"]
        listed = ", ".join(columns)
        source.execute(f"INSERT INTO blog_comment ({listed}) SELECT {listed} FROM blog_comment WHERE id = 1")
    source.close()
    (project / "media" / "late.txt").write_bytes(b"written while the migration ran")


def ids(connection: Any, table: str) -> list[Any]:
    return [r[0] for r in connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()]


def check(here: worlds.World) -> None:
    with psycopg.connect(here.url.reveal()) as target, sqlite3.connect(here.project / "db.sqlite3") as source:
        query = "SELECT title FROM blog_post WHERE id = 2"
        assert target.execute(query).fetchone() == source.execute(query).fetchone()
        for table in ("blog_comment", "blog_post"):
            assert ids(target, table) == ids(source, table)
    source.close()
    body = here.client().get_object(Bucket=here.bucket, Key="late.txt")["Body"].read()
    assert body == b"written while the migration ran"


@pytest.mark.long
def test_sync_after_the_run_and_refused_once_the_app_writes_to_the_target(here: worlds.World) -> None:
    end = worlds.execute(here, *worlds.RUN)
    assert end.exit_code == 0, end.text
    change(here.project)
    end = worlds.execute(here, "sync")
    assert end.exit_code == 0, end.text
    check(here)

    with psycopg.connect(here.url.reveal()) as target:
        target.execute("UPDATE blog_post SET title = 'by the new app' WHERE id = 1")
    with sqlite3.connect(here.project / "db.sqlite3") as source:
        source.execute("UPDATE blog_post SET title = 'by the old app' WHERE id = 3")
    source.close()
    end = worlds.execute(here, "sync")
    assert end.exit_code == 5, end.text
    assert "target-changed" in end.codes
    with psycopg.connect(here.url.reveal()) as target:
        row = target.execute("SELECT title FROM blog_post WHERE id = 3").fetchone()
    assert row is not None
    assert row[0] != "by the old app"
