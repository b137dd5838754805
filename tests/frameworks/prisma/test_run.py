"""Prisma on SQLite to PostgreSQL, from end to end."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.frameworks import run_kit
from tests.frameworks.prisma import sample
from wizard.credentials import Secret
from wizard.frameworks.prisma import history
from wizard.frameworks.prisma.parse import parse
from wizard.model import Framework


@pytest.mark.long
def test_a_prisma_app_arrives_with_its_moments_and_a_new_history(
    tmp_path: Path, database_url: Secret
) -> None:
    project = sample.write(tmp_path / "app")
    before = run_kit.tree(project)
    end = run_kit.run(project, database_url)
    assert end.exit_code == 0, end.text
    created = run_kit.rows(database_url, 'SELECT "createdAt", "updatedAt" FROM "User" WHERE id = 2')
    assert created == [(datetime(2024, 1, 1, 10, 4, 5, 679000), datetime(2024, 1, 1, 10, 4, 5, 677000))]
    mixed = run_kit.rows(database_url, """SELECT "updatedAt" FROM "User" WHERE email = 'z@x.org'""")
    assert mixed == [(datetime(2024, 2, 3, 4, 5, 6, 789000),)]
    sql = history.baseline(project, Framework("nestjs", None, "."), parse(sample.SCHEMA)).sql
    noted = run_kit.rows(
        database_url,
        "SELECT migration_name, checksum, finished_at > started_at - interval '1 s' FROM _prisma_migrations",
    )
    assert noted == [("0_init", hashlib.sha256(sql).hexdigest(), True)]
    keys = run_kit.rows(database_url, "SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    assert keys == [("_TeamToUser_A_fkey",), ("_TeamToUser_B_fkey",), ("tasks_user_id_fkey",)]
    assert run_kit.rows(database_url, """SELECT nextval('"User_id_seq"')""") == [(22,)]
    assert run_kit.tree(project) == before


@pytest.mark.long
def test_a_source_behind_ahead_or_drifted_is_refused(
    tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    url = new_database()
    project = sample.write(tmp_path / "app")
    more = project / "prisma" / "migrations" / "20250101000000_more"
    more.mkdir()
    (more / "migration.sql").write_text("SELECT 1;\n")
    behind = run_kit.run(project, url)
    (failed,) = behind.failures
    assert (behind.exit_code, failed["code"]) == (2, "revision-mismatch")
    assert more.name in failed["message"] and "npx prisma migrate deploy" in failed["hint"]
    (more / "migration.sql").unlink()
    with closing(sqlite3.connect(project / "prisma" / "dev.db")) as db, db:
        db.execute(
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) "
            "VALUES ('b', 'c', 1, '20230101000000_gone')"
        )
    (failed,) = run_kit.run(project, url).failures
    assert failed["code"] == "revision-mismatch" and "20230101000000_gone" in failed["message"]
    with closing(sqlite3.connect(project / "prisma" / "dev.db")) as db, db:
        db.execute("DELETE FROM _prisma_migrations WHERE id = 'b'")
        db.execute("ALTER TABLE tasks DROP COLUMN title")
    (failed,) = run_kit.run(project, url).failures
    assert failed["code"] == "revision-mismatch" and "tasks.title" in failed["message"]
    assert run_kit.rows(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
