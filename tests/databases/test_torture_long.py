"""What takes its time: two thousand tables, a value of 100 MB."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.databases.conftest import migrate
from wizard.credentials import Secret

TABLES = 2000
BLOB_BYTES = 100_000_000
# One value is held as bytes, several times as hexadecimal digits (twice as long) while it is compared, and in
# the driver's buffer, which grows by doubling. It must not depend on how many such values there are.
MEMORY_BYTES = 16 * BLOB_BYTES + 200_000_000
MEASURE = """
import atexit, pathlib, resource
atexit.register(lambda: pathlib.Path("peak").write_text(
    str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)))
"""


@pytest.mark.long
def test_two_thousand_tables(tmp_path: Path, database_url: Secret) -> None:
    (tmp_path / "project").mkdir()
    with closing(sqlite3.connect(tmp_path / "project" / "data.sqlite3")) as source:
        for number in range(TABLES):
            up = f"REFERENCES t{number - 1}" if number else ""
            source.execute(
                f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, up INT {up}, "
                "word TEXT UNIQUE CHECK (word <> ''))"
            )
            source.execute(f"CREATE INDEX i{number} ON t{number} (up DESC)")
            source.execute(f"INSERT INTO t{number} VALUES (1, 1, 'word {number}')")
        source.commit()
    done = migrate(tmp_path, database_url, {})
    assert done.exit_code == 0, done.said[-3000:]
    assert done.report["compared"]["tables"] == done.report["compared"]["rows"] == TABLES
    assert done.report["not_moved"] == []
    with psycopg.connect(database_url.reveal()) as target:
        kinds = dict(
            target.execute(
                "SELECT contype::text, count(*) FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace AND convalidated "
                "AND contype IN ('p', 'f', 'u', 'c') GROUP BY 1"
            ).fetchall()
        )
        assert kinds == {"p": TABLES, "f": TABLES - 1, "u": TABLES, "c": TABLES}


@pytest.mark.long
def test_a_value_of_100_mb_in_bounded_memory(tmp_path: Path, database_url: Secret) -> None:
    (tmp_path / "project").mkdir()
    blob = bytes(range(250)) * (BLOB_BYTES // 250)
    with closing(sqlite3.connect(tmp_path / "project" / "data.sqlite3")) as source:
        source.execute("CREATE TABLE files (id INTEGER PRIMARY KEY, data BLOB)")
        for number in range(3):
            source.execute("INSERT INTO files VALUES (?, ?)", (number, blob))
        source.commit()
    digest = hashlib.sha256(blob).digest()
    del blob
    done = migrate(tmp_path, database_url, {}, MEASURE)
    assert done.exit_code == 0, done.said[-3000:]
    with psycopg.connect(database_url.reveal()) as target:
        rows = target.execute("SELECT id, sha256(data) FROM files ORDER BY id").fetchall()
    assert rows == [(number, digest) for number in range(3)]
    peak = int((tmp_path / "peak").read_text())
    assert peak < MEMORY_BYTES, f"{peak:,} bytes"
