"""Bad input gets a clear error, exit 2 or 4, and nothing is written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import story


def answers(here: worlds.World, *changes: tuple[str, str]) -> None:
    path = here.root / "ashore.yml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def with_url(here: worlds.World, change: Callable[[str], str]) -> worlds.World:
    secrets = dict(here.secrets)
    secrets[story.DATABASE_REFERENCE] = Secret(change(here.url.reveal()))
    return replace(here, secrets=secrets)


def untouched(here: worlds.World, before: dict[str, object]) -> None:
    assert worlds.files(here) == before
    assert here.client().list_objects_v2(Bucket=here.bucket).get("KeyCount", 0) == 0


def wrong_password(here: worlds.World) -> worlds.World:
    return with_url(here, lambda url: url.replace("@", "x@"))


def unknown_host(here: worlds.World) -> worlds.World:
    return with_url(here, lambda url: url.replace("127.0.0.1", "no-such-host.invalid"))


def tls_refused(here: worlds.World) -> worlds.World:
    return with_url(here, lambda url: url + "?sslmode=require")


def no_such_database(here: worlds.World) -> worlds.World:
    return with_url(here, lambda url: url.rpartition("/")[0] + "/nowhere")


def target_not_empty(here: worlds.World) -> worlds.World:
    with psycopg.connect(here.url.reveal()) as connection:
        connection.execute("CREATE TABLE precious (id int)")
        connection.execute("INSERT INTO precious VALUES (1)")
    return here


def bucket_missing(here: worlds.World) -> worlds.World:
    answers(here, (f"bucket: {here.bucket}", "bucket: no-such-bucket-here"))
    return here


def bucket_name_wrong(here: worlds.World) -> worlds.World:
    answers(here, (f"bucket: {here.bucket}", "bucket: not/a bucket"))
    return here


def unknown_key(here: worlds.World) -> worlds.World:
    answers(here, ("version: 1", "version: 1\ncolour: blue"))
    return here


def literal_secret(here: worlds.World) -> worlds.World:
    answers(here, (story.SECRET_REFERENCE, "hunter2secretvalue"))
    return here


def secret_missing(here: worlds.World) -> worlds.World:
    return replace(here, secrets={k: v for k, v in here.secrets.items() if k != story.SECRET_REFERENCE})


def no_database(here: worlds.World) -> worlds.World:
    (here.project / "db.sqlite3").rename(here.root / "elsewhere.sqlite3")
    return here


def damaged(here: worlds.World) -> worlds.World:
    path = here.project / "db.sqlite3"
    data = bytearray(path.read_bytes())
    for place in range(4096 * 3, len(data), 4096):
        data[place : place + 64] = b"\xa5" * 64
    path.write_bytes(data)
    return here


def unreadable_settings(here: worlds.World) -> worlds.World:
    settings = here.project / "config" / "settings.py"
    settings.write_text(settings.read_text(encoding="utf-8") + "\ndef broken(:\n", encoding="utf-8")
    return here


def table_of_a_model_that_is_gone(here: worlds.World) -> worlds.World:
    with closing(sqlite3.connect(here.project / "db.sqlite3")) as connection:
        connection.execute("CREATE TABLE payments_refund (id integer PRIMARY KEY)")
    return here


def clocks_of_nowhere(here: worlds.World) -> worlds.World:
    settings = here.project / "config" / "settings.py"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "\nUSE_TZ = False\nTIME_ZONE = (lambda: 'Asia/Tokyo')()\n", encoding="utf-8")
    return here


def nothing_chosen(here: worlds.World) -> worlds.World:
    (here.root / "ashore.yml").write_text(f"version: 1\nproject: {here.project}\n", encoding="utf-8")
    return here


@pytest.mark.parametrize(
    ("spoil", "exit_codes", "code"),
    [
        (wrong_password, (4,), "database-password"),
        pytest.param(unknown_host, (2, 4), "database-host", marks=pytest.mark.long),
        pytest.param(tls_refused, (2, 4), "database-tls", marks=pytest.mark.long),
        pytest.param(no_such_database, (2, 4), "database-name", marks=pytest.mark.long),
        (target_not_empty, (2,), "target-not-empty"),
        (bucket_missing, (2, 4), "bucket-missing"),
        pytest.param(bucket_name_wrong, (2,), "bucket-name", marks=pytest.mark.long),
        pytest.param(unknown_key, (2,), "answers-invalid", marks=pytest.mark.long),
        (literal_secret, (2,), "answers-invalid"),
        pytest.param(secret_missing, (2,), "secret-missing", marks=pytest.mark.long),
        pytest.param(no_database, (2,), "database-missing", marks=pytest.mark.long),
        (damaged, (2,), "database-damaged"),
        (unreadable_settings, (2,), "unreadable-settings"),
        pytest.param(table_of_a_model_that_is_gone, (2,), "undecided", marks=pytest.mark.long),
        pytest.param(clocks_of_nowhere, (2,), "unknown-time-zone", marks=pytest.mark.long),
        pytest.param(nothing_chosen, (2,), "nothing-to-move", marks=pytest.mark.long),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_refused(
    here: worlds.World, spoil: Callable[[worlds.World], worlds.World], exit_codes: tuple[int, ...], code: str
) -> None:
    there = spoil(here)
    before = worlds.files(there)
    end = worlds.execute(there, *worlds.RUN)
    assert end.exit_code in exit_codes, end.text
    assert code in end.codes, end.text
    assert "hunter2" not in end.text
    assert "Traceback" not in end.text
    untouched(here, before)
    with psycopg.connect(here.url.reveal()) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables in ([], [("precious",)])


def test_a_locked_source(here: worlds.World) -> None:
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    # In a process of its own: closing the file in the locking process would drop the lock.
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(here.project / "db.sqlite3")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        end = worlds.execute(here, *worlds.RUN)
        assert end.exit_code == 2, end.text
        assert "database-locked" in end.codes
    finally:
        holder.communicate(b"")


def test_a_folder_with_nothing_but_a_sqlite_file(here: worlds.World, tmp_path: Path) -> None:
    project = tmp_path / "bare"
    project.mkdir()
    with sqlite3.connect(project / "data.sqlite3") as source:
        source.executescript(
            """
            CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40) NOT NULL UNIQUE,
                joined DATETIME, balance DECIMAL(10, 2), active BOOLEAN DEFAULT 1, notes TEXT, photo BLOB);
            CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person (id) ON DELETE CASCADE);
            INSERT INTO person (name, joined, balance, active, notes, photo) VALUES
                ('Zoë', '2024-02-29 12:30:00.123456', 12.5, 1, 'line' || char(10) || 'two', x'00ff'),
                ('Ann', NULL, NULL, 0, '', x'');
            INSERT INTO pet VALUES (7, 1), (8, NULL);
            """
        )
    source.close()
    (here.root / "ashore.yml").write_text(
        f"version: 1\nproject: {project}\ndatabase:\n  url: {story.DATABASE_REFERENCE}\nstorage: []\n",
        encoding="utf-8",
    )
    end = worlds.execute(here, *worlds.RUN)
    assert end.exit_code == 0, end.text
    with psycopg.connect(here.url.reveal()) as target:
        row = target.execute(
            "SELECT id, name, balance::text, notes, photo FROM person ORDER BY id"
        ).fetchone()
        assert row is not None
        assert row[:1] + row[1:2] + row[3:] == (1, "Zoë", "line\ntwo", b"\x00\xff")
        assert target.execute("INSERT INTO person (name) VALUES ('new') RETURNING id").fetchone() == (3,)
        assert target.execute("SELECT owner FROM pet ORDER BY id").fetchall() == [(1,), (None,)]
