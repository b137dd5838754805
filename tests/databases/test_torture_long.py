"""What takes its time: two thousand tables, a value of 100 MB, a sync of everything that is hard to sync."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.databases import torture
from tests.databases.conftest import ashore, migrate
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


CHANGES = (
    "UPDATE mixed SET t = 6.5, b = 'z' WHERE id = 1",
    "INSERT INTO mixed VALUES (9, 1, x'01', 'n', 1)",
    "DELETE FROM mixed WHERE id IN (2, 3, 4, 5)",
    "UPDATE nullkey SET v = 9 WHERE v = 1",
    "UPDATE own_key SET v = 11 WHERE k = 'b'",
    "DELETE FROM own_key WHERE k = 'a'",
    "INSERT INTO own_key VALUES ('c', 3)",
    "DELETE FROM keyless WHERE rowid = 1",
    "UPDATE blobs SET v = 99 WHERE k = x'00ff'",
    "UPDATE computed SET a = 7 WHERE id = 1",
    "UPDATE folded SET name = 'ANNA' WHERE id = 1",
    "UPDATE meeting SET v = 5 WHERE v = 1",
    "DELETE FROM tree WHERE id = 2",
    "UPDATE bytes SET nul = CAST(x'6300' AS TEXT) WHERE id = 2",
)
AFTER = {
    "mixed": [(1, "6.5", b"z", "seven", 1.0), (9, "1", b"\x01", "n", 1.0)],
    "nullkey": [("k", 3), (None, 2), (None, 9)],
    "own_key": [("b", 11), ("c", 3)],
    "keyless": [("x", 1), ("y", 2), (None, None)],
    "blobs": [(b"", 0), (b"\0", 1), (b"\0\xff", 99), (b"\xff", 3)],
    "computed": [(1, 7, "ÄB", 8, "Äb.", "Ä"), (2, None, None, None, None, None)],
    "folded": [(1, "ANNA", "x  ", "b", "Q", "T"), (2, "bob", "x", "a", "q", None)],
    "meeting": [("5", 2), ("5", 5)],
    "tree": [(1, 3), (3, None)],
    "bytes": [(1, "café", "a\ufffdb", "ab"), (2, "café", "🙂", "c")],
}


@pytest.mark.long
def test_a_sync_of_what_is_hard_to_sync(tmp_path: Path, database_url: Secret) -> None:
    (tmp_path / "project").mkdir()
    with closing(torture.build(tmp_path / "project" / "data.sqlite3")) as source:
        done = migrate(tmp_path, database_url, torture.decisions())
        assert done.exit_code == 0, done.said[-3000:]
        for statement in CHANGES:
            source.execute(statement)
        synced = ashore(tmp_path, database_url, ["sync", "--project", str(tmp_path / "project")])
    assert synced.returncode == 0, synced.stderr[-3000:]
    with psycopg.connect(database_url.reveal()) as target:
        for table, rows in AFTER.items():
            found = target.execute(f"SELECT * FROM {table}".encode()).fetchall()
            assert sorted(found, key=repr) == sorted(rows, key=repr), table
