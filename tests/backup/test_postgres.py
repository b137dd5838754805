"""PostgreSQL: dumped in the snapshot that the digests are of; restored, tested, refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.backup.kit import fill_postgres
from wizard.backup import read, restore
from wizard.backup.folder import FolderPlace
from wizard.backup.sources import PostgresSource
from wizard.backup.write import Request, backup
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.databases.postgres import pgtools
from wizard.errors import AshoreError, UsageError

COUNTS = "SELECT (SELECT count(*) FROM author), (SELECT count(*) FROM post), (SELECT sum(v) FROM {})"
ODD = '"Other Room"."Odd Table"'


def make(url: Secret, place: Path) -> str:
    request = Request(
        "shop", "postgres:x", PostgresSource(url, "env:DATABASE_URL"), (), (FolderPlace(place),)
    )
    return backup(request, lambda text: None, Cancel()).id


def test_a_database_comes_back_and_a_changed_value_is_found(
    tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    source, target = new_database(), new_database()
    fill_postgres(source)
    id = make(source, tmp_path)
    with read.open_backup(FolderPlace(tmp_path), id, None, Cancel()) as opened:
        done = restore.postgres_into(opened, target)
        assert done.rows == 602
        with psycopg.connect(target.reveal()) as connection:
            assert connection.execute(COUNTS.format(ODD)).fetchone() == (300, 300, 3)
            new = connection.execute("INSERT INTO author (name) VALUES ('next') RETURNING id").fetchone()
            assert new == (301,), "the identity goes on behind what was there"
            connection.rollback()
            connection.execute("UPDATE post SET doc = '{\"k\": 2}' WHERE id = 150")
        _, facts = restore.database_part(opened) or pytest.fail("no database")
        with pytest.raises(AshoreError, match="post: 300 rows, but not the values"):
            restore.compare(facts, restore._postgres_facts(target, opened))
        with pytest.raises(UsageError, match="not empty"):
            restore.postgres_into(opened, target)
        with pytest.raises(UsageError, match="not empty"):
            restore.postgres_into(opened, source)
        with pytest.raises(UsageError, match="no scratch database"):
            restore.test(opened, source, lambda text: None)


@pytest.mark.long
def test_a_test_restore_leaves_nothing(
    tmp_path: Path, new_database: Callable[[], Secret], postgres_server: object
) -> None:
    source = new_database()
    fill_postgres(source)
    id = make(source, tmp_path)
    said: list[str] = []
    with read.open_backup(FolderPlace(tmp_path), id, None, Cancel()) as opened:
        assert restore.test(opened, None, said.append).rows == 602
        admin = postgres_server.admin  # type: ignore[attr-defined]
        assert restore.test(opened, admin, said.append).rows == 602
    with psycopg.connect(admin.reveal()) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^ashore_test_'")
        assert left.fetchall() == []


def test_nothing_is_backed_up_of_an_empty_database(tmp_path: Path, database_url: Secret) -> None:
    with pytest.raises(AshoreError, match="holds no table"):
        make(database_url, tmp_path / "place")
    assert not (tmp_path / "place").exists()


def test_a_tool_older_than_the_server_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        pgtools.find("pg_dump", 990000)
    assert caught.value.code == "pgtools-old"
    with pytest.raises(UsageError) as caught:
        pgtools.find("pg_no_such_tool", 0)
    assert caught.value.code == "pgtools-missing"
    assert pgtools.version_of(pgtools.find("pg_dump", 180000)) >= 18
