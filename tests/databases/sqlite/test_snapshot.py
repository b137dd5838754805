"""The snapshot is consistent, and taking it leaves the source's folder exactly as it was."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wizard.context import Cancel
from wizard.databases.sqlite import snapshot
from wizard.databases.sqlite.failures import explained
from wizard.databases.sqlite.schema import open_readonly
from wizard.errors import Stopped, UsageError


def state(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        p.name: (p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).hexdigest())
        for p in sorted(folder.iterdir())
    }


def make(path: Path, mode: str = "delete", rows: int = 2000) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t (body) VALUES (?)", ((f"row {n} " * 20,) for n in range(rows)))
    connection.execute("COMMIT")
    return connection


def rows_of(path: Path) -> int:
    with open_readonly(path) as connection:
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "my app #1?"
    folder.mkdir()
    return folder


def test_a_plain_database_is_copied_and_left_alone(app: Path, tmp_path: Path) -> None:
    make(app / "db.sqlite3").close()
    before = state(app)
    seen: list[tuple[int, int]] = []
    taken = snapshot.take(
        app / "db.sqlite3", tmp_path / "s.sqlite3", progress=lambda done, total: seen.append((done, total))
    )
    assert state(app) == before
    assert taken.counts == (("t", 2000),)
    assert taken.sha256 == hashlib.sha256((tmp_path / "s.sqlite3").read_bytes()).hexdigest()
    assert seen[-1][0] == seen[-1][1] > 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my app #1?", "s.sqlite3"]


def test_a_wal_database_in_use_brings_the_rows_of_its_log(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3", "wal")
    try:
        taken = snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3")
        assert taken.side_files == ("db.sqlite3-wal", "db.sqlite3-shm")
    finally:
        live.close()
    assert rows_of(tmp_path / "s.sqlite3") == 2000
    assert not list(tmp_path.glob("s.sqlite3-*"))


@pytest.mark.parametrize("left", [(), ("-wal",)])
def test_a_wal_database_nobody_has_open_gets_no_new_files(
    app: Path, tmp_path: Path, left: tuple[str, ...]
) -> None:
    """`left` are the side files that came along, as after a crash or a download."""
    live = make(tmp_path / "live.sqlite3", "wal")
    if not left:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("", *left):
        shutil.copy(tmp_path / f"live.sqlite3{suffix}", app / f"db.sqlite3{suffix}")
    live.close()
    before = state(app)
    snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3")
    assert rows_of(tmp_path / "s.sqlite3") == 2000
    assert state(app) == before


def test_reading_an_idle_wal_database_leaves_no_files(app: Path) -> None:
    make(app / "db.sqlite3", "wal").close()
    before = state(app)
    assert rows_of(app / "db.sqlite3") == 2000
    assert state(app) == before


def test_a_hot_journal_is_rolled_back_in_the_copy_only(app: Path, tmp_path: Path) -> None:
    make(app / "db.sqlite3").close()
    crash = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=5')\n"
        "c.execute('BEGIN')\n"
        "c.execute(\"UPDATE t SET body = 'half written'\")\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", crash, str(app / "db.sqlite3")], check=False, timeout=60)
    assert (app / "db.sqlite3-journal").stat().st_size > 0
    before = state(app)
    with pytest.raises(UsageError) as told:
        open_readonly(app / "db.sqlite3").execute("SELECT 1 FROM t")
    assert told.value.code == "database-needs-recovery"
    taken = snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3")
    assert state(app) == before
    assert taken.side_files == ("db.sqlite3-journal",)
    with open_readonly(tmp_path / "s.sqlite3") as copy:
        found = copy.execute("SELECT count(*) FROM t WHERE body LIKE 'row %'").fetchone()
    assert found == (2000,)


def test_writers_during_the_copy_do_not_show_in_it(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3", "wal", rows=30_000)
    written = []

    def write(_done: int, _total: int) -> None:
        written.append(live.execute("INSERT INTO t (body) VALUES ('meanwhile')"))

    try:
        snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3", progress=write)
        assert len(written) >= 2
    finally:
        live.close()
    assert rows_of(tmp_path / "s.sqlite3") == 30_000


def test_a_stop_leaves_nothing_behind(app: Path, tmp_path: Path) -> None:
    make(app / "db.sqlite3").close()
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Stopped):
        snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3", cancel=cancel)
    assert [p.name for p in tmp_path.iterdir()] == [app.name]


def test_an_exclusive_lock_is_waited_for_only_so_long(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3")
    live.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UsageError) as told:
        snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3", lock_seconds=0.1)
    live.close()
    assert told.value.code == "database-locked"
    assert told.value.exit_code == 2


def test_a_missing_file_and_a_folder_are_named(app: Path, tmp_path: Path) -> None:
    for path in (app / "none.sqlite3", app):
        with pytest.raises(UsageError) as told:
            snapshot.take(path, tmp_path / "s.sqlite3")
        assert told.value.code == "database-missing"
        assert str(path) in told.value.message


def test_damage_is_told_and_not_copied(app: Path, tmp_path: Path) -> None:
    (app / "text.sqlite3").write_bytes(b"this is not a database at all, but a text of some length" * 50)
    make(app / "torn.sqlite3").close()
    whole = (app / "torn.sqlite3").read_bytes()
    (app / "torn.sqlite3").write_bytes(whole[:40_000] + b"\xff" * 20_000 + whole[60_000:])
    make(app / "cut.sqlite3").close()
    (app / "cut.sqlite3").write_bytes(whole[: len(whole) // 2])
    for file in ("text", "torn", "cut"):
        with pytest.raises(UsageError) as told:
            snapshot.take(app / f"{file}.sqlite3", tmp_path / "s.sqlite3")
        assert told.value.code == "database-damaged", file
    assert [p.name for p in tmp_path.iterdir()] == [app.name]


def test_a_damaged_index_is_damage(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3", rows=10)
    live.execute("CREATE INDEX by_body ON t (body)")
    live.execute("PRAGMA writable_schema=ON")
    live.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX by_body ON t (id)' WHERE name = 'by_body'")
    live.close()
    with pytest.raises(UsageError) as told:
        snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3")
    assert told.value.code == "database-damaged"


def test_functions_of_the_app_in_checks_and_indexes_do_not_stop_the_copy(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3", rows=10)
    live.create_function("slug", 1, lambda text: text, deterministic=True)
    live.execute("CREATE TABLE u (a TEXT CHECK (slug(a) <> ''))")
    live.execute("CREATE INDEX by_slug ON u (slug(a))")
    live.execute("INSERT INTO u VALUES ('x')")
    live.close()
    taken = snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3")
    assert taken.unchecked == ("u",)
    assert dict(taken.counts) == {"t": 10, "u": 1}


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told, explained(tmp_path / "db", tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert told.value.code == "state-full"
    connection = sqlite3.connect(tmp_path / "small.sqlite3")
    connection.execute("PRAGMA max_page_count=3")
    with pytest.raises(UsageError) as said, explained(tmp_path / "db", tmp_path):
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert said.value.code == "state-full"


def test_orphans_are_counted(app: Path, tmp_path: Path) -> None:
    live = make(app / "db.sqlite3", rows=1)
    live.execute("CREATE TABLE c (t_id INTEGER REFERENCES t (id))")
    live.execute("INSERT INTO c VALUES (1), (77), (NULL)")
    live.close()
    assert snapshot.take(app / "db.sqlite3", tmp_path / "s.sqlite3").orphans == 1
