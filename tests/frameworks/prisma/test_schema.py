"""Prisma's tables made in a database, as often as a run is begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks import run_kit
from tests.frameworks.prisma import sample
from wizard.context import Cancel
from wizard.credentials import Redactor, Secret
from wizard.errors import StepFailed
from wizard.frameworks.base import Workshop
from wizard.frameworks.prisma.schema import build_schema
from wizard.model import Framework, Project


def workshop(root: Path, work: Path) -> Workshop:
    framework = Framework("nestjs", None, ".")
    project = Project(root, (framework,))
    return Workshop(project, framework, work, None, "test", Redactor(), lambda event: None, Cancel())


@pytest.mark.parametrize("migrations", [True, False])
def test_building_twice_is_building_once(tmp_path: Path, database_url: Secret, migrations: bool) -> None:
    shop = workshop(sample.write(tmp_path / "app", migrations=migrations), tmp_path)
    for _ in range(2):
        build_schema(shop, database_url)
    tables = run_kit.rows(
        database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    assert [name for (name,) in tables if name != "_prisma_migrations"] == [
        "Team", "User", "_TeamToUser", "tasks",
    ]  # fmt: skip
    assert (("_prisma_migrations",) in tables) is migrations


def test_migrations_for_postgresql_are_run_as_they_are(tmp_path: Path, database_url: Secret) -> None:
    root = sample.write(tmp_path / "app")
    schema = root / "prisma" / "schema.prisma"
    schema.write_text(sample.SCHEMA.replace('"sqlite"', '"postgresql"'))
    first = root / "prisma" / "migrations" / sample.NAME / "migration.sql"
    first.write_text("CREATE TABLE a (id INT);\nCREATE TABLE b (id INT);\n")
    second = root / "prisma" / "migrations" / "20250101000000_more" / "migration.sql"
    second.parent.mkdir()
    second.write_text("CREATE TABLE c (id INT);\nCREATE TABLE a (id INT);\n")
    with pytest.raises(StepFailed) as told:
        build_schema(workshop(root, tmp_path), database_url)
    assert told.value.code == "migrate-failed" and "20250101000000_more" in told.value.message
    assert run_kit.rows(database_url, "SELECT to_regclass('b')::text, to_regclass('c')::text") == [
        ("b", None)
    ]
    second.write_text("CREATE TABLE c (id INT);\n")
    build_schema(workshop(root, tmp_path), database_url)
    noted = run_kit.rows(database_url, "SELECT migration_name FROM _prisma_migrations ORDER BY 1")
    assert noted == [(sample.NAME,), ("20250101000000_more",)]
