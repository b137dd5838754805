"""A pair of databases for the tests: a SQLite snapshot and a PostgreSQL that holds the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.events import Event
from wizard.verifying.database import DatabaseComparison, compare_database


class Pair:
    """Both sides, filled by plain statements, and the comparison of them."""

    def __init__(self, snapshot: Path, target: psycopg.Connection, scratch: Path) -> None:
        self.snapshot, self.target, self.scratch = snapshot, target, scratch
        self.events: list[Event] = []

    def source(self, *statements: str, rows: Mapping[str, Sequence[Sequence[object]]] | None = None) -> None:
        """Run statements in the snapshot, then insert `rows` by table."""
        with closing(sqlite3.connect(self.snapshot)) as db:
            for statement in statements:
                db.execute(statement)
            for table, values in (rows or {}).items():
                marks = ", ".join("?" * len(values[0]))
                db.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)
            db.commit()

    def compare(
        self,
        decisions: Mapping[str, Mapping[str, str]] | None = None,
        run: str | None = None,
        bases: tuple[str, ...] = (),
        cancel: Cancel | None = None,
        naive_zone: str = "UTC",
        skip: tuple[str, ...] = (),
    ) -> DatabaseComparison:
        return compare_database(
            self.snapshot, self.target, "public", decisions=decisions or {}, skip_tables=skip, run=run,
            scratch=self.scratch, naive_zone=naive_zone, emit=self.events.append, cancel=cancel or Cancel(),
            public_bases=bases,
        )  # fmt: skip

    def named(self, **given: object) -> list[tuple[str, str, str, str | None]]:
        """(kind, table, key, column) of every difference."""
        found = self.compare(**given)  # type: ignore[arg-type]
        assert found.total == len(found.differences)
        return [(d.kind, d.table, d.key, d.column) for d in found.differences]


@pytest.fixture
def pair(tmp_path: Path, database_url: Secret) -> Iterator[Pair]:
    with psycopg.connect(database_url.reveal(), autocommit=True, prepare_threshold=None) as target:
        yield Pair(tmp_path / "snapshot.sqlite3", target, tmp_path / "work")
