"""Flask with Flask-Migrate and FastAPI with SQLModel, from SQLite to PostgreSQL, from end to end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.frameworks import run_kit
from tests.frameworks.sqlalchemy import sample
from wizard.credentials import Secret

pytestmark = pytest.mark.long


def test_flask_migrate_builds_the_tables(tmp_path: Path, database_url: Secret) -> None:
    project = sample.flask(tmp_path / "app")
    before = run_kit.tree(project)
    end = run_kit.run(project, database_url)
    assert end.exit_code == 0, end.text
    found = run_kit.rows(
        database_url, 'SELECT active, kind::text, joined, seen, price, photo FROM "user" WHERE id = 4'
    )
    seen = datetime(2024, 7, 1, 10, 3, tzinfo=UTC)
    assert [tuple(map(str, row[:3])) + row[3:4] for row in found] == [
        ("False", "full", "2024-07-01 12:00:03.123456", seen)
    ]
    assert run_kit.rows(database_url, "SELECT version_num FROM alembic_version") == [("b2",)]
    names = run_kit.rows(database_url, "SELECT conname FROM pg_constraint WHERE contype = 'f'")
    assert names == [
        ("fk_post_user",)
    ]  # of the migration, not of create_all, which the app calls as it starts
    length = "SELECT character_maximum_length FROM information_schema.columns WHERE table_name = 'user' "
    assert run_kit.rows(database_url, length + "AND column_name = 'name'") == [(80,)]
    assert run_kit.tree(project) == before


def test_a_source_behind_ahead_or_without_history_is_refused(
    tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    url = new_database()
    project = sample.flask(tmp_path / "app")
    versions = project / "migrations" / "versions"

    def refused() -> dict[str, str]:
        end = run_kit.run(project, url)
        (failed,) = end.failures
        assert (end.exit_code, failed["code"]) == (2, "revision-mismatch")
        return failed

    (versions / "c3.py").write_text(sample.THIRD.format(name="c3", after="b2"))
    behind = refused()
    assert "c3" in behind["message"] and "`flask db upgrade`" in behind["hint"]
    (versions / "c4.py").write_text(sample.THIRD.format(name="c4", after="b2"))
    assert "`flask db upgrade heads`" in refused()["hint"]
    for name in ("c3.py", "c4.py", "b2_second.py"):
        (versions / name).unlink()
    ahead = refused()
    assert "b2" in ahead["message"] and "no longer in the code" in ahead["message"]
    with closing(sqlite3.connect(project / "instance" / "shop.db")) as db, db:
        db.execute("DROP TABLE alembic_version")
    assert "flask db stamp head" in refused()["hint"]
    assert run_kit.rows(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_models_without_migrations_build_the_tables(tmp_path: Path, database_url: Secret) -> None:
    project = sample.fastapi(tmp_path / "app")
    before = run_kit.tree(project)
    end = run_kit.run(project, database_url)
    assert end.exit_code == 0, end.text
    found = run_kit.rows(database_url, "SELECT name, born, strong, team_id FROM hero WHERE id = 3")
    assert found == [("h2", date(1990, 1, 3), True, 7)]
    assert run_kit.rows(database_url, "SELECT nextval('team_id_seq')") == [(8,)]
    assert run_kit.tree(project) == before


def test_models_that_cannot_be_imported_are_said_before_anything_is_written(
    tmp_path: Path, database_url: Secret
) -> None:
    project = sample.fastapi(tmp_path / "app")
    models = project / "app" / "models.py"
    models.write_text("import a_package_that_is_not_here\n" + models.read_text())
    end = run_kit.run(project, database_url)
    (failed,) = end.failures
    assert (end.exit_code, failed["code"]) == (2, "unreadable-models")
    assert "a_package_that_is_not_here" in failed["message"] and "database.schema: derived" in failed["hint"]
    end = run_kit.run(project, database_url, "  schema: derived\n")
    assert end.exit_code == 0, end.text
    assert run_kit.rows(database_url, "SELECT count(*) FROM hero") == [(25,)]
