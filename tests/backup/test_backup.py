"""Backups of a SQLite app: to two places, read back, kept, encrypted, restored, refused when damaged."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tests.backup.kit import CLEAN, ENTRY, ashore, make_app, rows, s3_environ, tree
from wizard.backup import layout, opening, read, restore, restore_files
from wizard.backup.bucket import BucketPlace, listed
from wizard.backup.folder import FolderPlace, FolderWriting
from wizard.backup.people import harmless
from wizard.backup.sources import FolderFiles, SqliteSource
from wizard.backup.write import Made, Request, backup
from wizard.context import Cancel
from wizard.demo import embedded
from wizard.errors import AshoreError


def make(app: Path, *places: Path, keep: int | None = None, name: str = "shop") -> Made:
    found = tuple(FolderPlace(place) for place in places)
    files = (FolderFiles("media", app / "media"),)
    source = SqliteSource(app / "db.sqlite3", "db.sqlite3")
    request = Request(name, "sqlite:db.sqlite3", source, files, found, keep)
    return backup(request, lambda text: None, Cancel())


def ids(place: Path) -> list[str]:
    return [kept.id for kept in FolderPlace(place).backups()]


def test_what_was_backed_up_comes_back(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    before = tree(app)
    made = make(app, tmp_path / "one", tmp_path / "synced/two")
    assert (made.files, made.left_out, made.unread) == (5, (), ())
    assert tree(app) == before, "the source is only read"
    for place in (tmp_path / "one", tmp_path / "synced/two"):
        assert [p.name for p in place.iterdir()] == [made.id], "nothing else lies there"
        with read.open_backup(FolderPlace(place), made.id, None, Cancel()) as opened:
            restore.sqlite_into(opened, tmp_path / f"{place.name}.sqlite3")
            restore_files.into_folder(opened, tmp_path / f"{place.name}-media")
        assert rows(tmp_path / f"{place.name}.sqlite3") == rows(app / "db.sqlite3")
        assert tree(tmp_path / f"{place.name}-media") == tree(app / "media")


def test_names_that_some_disks_cannot_hold_are_kept_in_the_manifest(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    made = make(app, tmp_path / "place")
    stored = sorted(tree(tmp_path / "place" / made.id))
    folded = [name.casefold() for name in stored]
    assert len(set(folded)) == len(folded), "no two names that a Mac or Windows takes for one"
    assert not any("con.txt" in name for name in stored)


@pytest.mark.parametrize("what", ["flip", "cut", "missing", "manifest", "header"])
def test_a_damaged_backup_is_refused_before_anything_is_written(tmp_path: Path, what: str) -> None:
    app = make_app(tmp_path)
    made = make(app, tmp_path / "place")
    folder = tmp_path / "place" / made.id
    victim = {
        "flip": "files/media/deep/photo.jpg",
        "cut": "database.sqlite3",
        "missing": "files/media/deep/photo.jpg",
        "manifest": "manifest.ndjson",
        "header": "backup.json",
    }[what]
    data = bytearray((folder / victim).read_bytes())
    if what == "missing":
        (folder / victim).unlink()
    elif what == "cut":
        (folder / victim).write_bytes(data[:-100])
    else:
        place = data.index(b'"created"') + 15 if what == "header" else len(data) // 2
        data[place] ^= 1
        (folder / victim).write_bytes(data)
    with (
        pytest.raises(AshoreError) as caught,
        read.open_backup(FolderPlace(tmp_path / "place"), made.id, None, Cancel()) as opened,
    ):
        restore.sqlite_into(opened, tmp_path / "new.sqlite3")
    assert caught.value.code == "backup-damaged"
    assert victim in caught.value.message
    assert not (tmp_path / "new.sqlite3").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    made = make(app, tmp_path / "place")
    before = tree(app)
    with read.open_backup(FolderPlace(tmp_path / "place"), made.id, None, Cancel()) as opened:
        with pytest.raises(AshoreError, match="nothing is overwritten"):
            restore.sqlite_into(opened, app / "db.sqlite3")
        with pytest.raises(AshoreError, match="nothing is overwritten"):
            restore_files.into_folder(opened, app / "media")
    assert tree(app) == before


def test_only_own_whole_older_backups_are_deleted(tmp_path: Path) -> None:
    app, place = make_app(tmp_path), tmp_path / "place"
    other = make(app, place, name="another")
    first, second = make(app, place), make(app, place)
    extended = make(app, place)
    (place / extended.id / "a note of mine.txt").write_text("keep this")
    broken = make(app, place)
    (place / broken.id / "backup.json").write_text("{")
    (place / "holiday").mkdir()
    third = make(app, place, keep=1)
    assert sorted(third.deleted) == sorted((first.id, second.id))
    left = sorted(p.name for p in place.iterdir())
    assert left == sorted((other.id, extended.id, broken.id, third.id, "holiday"))


def test_a_place_that_fails_leaves_the_other_its_backup(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(AshoreError) as caught:
        make(app, tmp_path / "good", tmp_path / "file")
    assert caught.value.code == "places-failed" and str(tmp_path / "file") in caught.value.message
    assert len(ids(tmp_path / "good")) == 1


class FailsLater(FolderPlace):
    """A place that takes the database, and no file after it."""

    def begin(self, id: str, mine: Callable[[str], bool]) -> FolderWriting:
        writing = super().begin(id, mine)
        (writing.part / "files").write_text("in the way")
        return writing


def test_a_place_that_fails_halfway_keeps_nothing_half(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    good, bad = FolderPlace(tmp_path / "good"), FailsLater(tmp_path / "bad")
    files = (FolderFiles("media", app / "media"),)
    source = SqliteSource(app / "db.sqlite3", "db.sqlite3")
    with pytest.raises(AshoreError) as caught:
        backup(Request("shop", "x", source, files, (good, bad)), lambda text: None, Cancel())
    assert caught.value.code == "places-failed" and "/bad" in caught.value.message
    assert len(ids(tmp_path / "good")) == 1 and not list((tmp_path / "bad").iterdir())


def test_a_changed_value_is_named_by_its_table(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    made = make(app, tmp_path / "place")
    with read.open_backup(FolderPlace(tmp_path / "place"), made.id, None, Cancel()) as opened:
        part, facts = restore.database_part(opened) or pytest.fail("no database")
        copy = opened.fetch(part, tmp_path / "copy.sqlite3")
        with closing(sqlite3.connect(copy)) as db, db:
            db.execute("UPDATE item SET price = price + 1e-9 WHERE id = 7")
            db.execute("DELETE FROM note WHERE rowid = 3")
        with pytest.raises(AshoreError) as caught:
            restore.compare(facts, restore._sqlite_facts(copy, opened))
    assert caught.value.exit_code == 6
    assert "item: 50 rows, but not the values" in caught.value.message
    assert "note: 4 rows, and 5 were backed up" in caught.value.message


def test_sheets_run_nothing() -> None:
    assert harmless("=1+1") == "'=1+1"
    assert harmless("@SUM(A1)") == "'@SUM(A1)"
    assert harmless("  =1") == "'  =1"
    assert harmless("+49 30 1234") == "'+49 30 1234"
    assert harmless("-5") == "-5" and harmless("+1.5e3") == "+1.5e3"
    assert harmless(None) == "" and harmless("a=b") == "a=b"


@pytest.mark.long
def test_the_commands_from_end_to_end_with_a_bucket_and_a_passphrase(
    tmp_path: Path, s3_server: embedded.S3, bucket: str
) -> None:
    app = make_app(tmp_path)
    secret = {"BACKUP_PASSPHRASE": "correct horse battery", **s3_environ(s3_server)}
    place = f"s3://{bucket}/nightly"
    common = ("--files", "media", "--to", place, "--to", str(tmp_path / "here"), "--csv")
    sealed = ("--encrypt", "env:BACKUP_PASSPHRASE")
    done = ashore("backup", ".", *common, *sealed, "--json", cwd=app, environ=secret)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["rows"], made["files"]) == (55, 5)
    for data in tree(tmp_path / "here").values():
        assert b"photo" not in data and "Grüße".encode() not in data, "nothing can be read without the key"
    for where in (place,):
        tested = ashore("restore", where, "--test", "--key", "env:BACKUP_PASSPHRASE", cwd=app, environ=secret)
        assert tested.returncode == 0, tested.stderr
    wrong = {**secret, "BACKUP_PASSPHRASE": "incorrect horse battery"}
    refused = ashore("restore", place, "--test", "--key", "env:BACKUP_PASSPHRASE", cwd=app, environ=wrong)
    assert refused.returncode == 5 and "does not open" in refused.stderr
    assert "horse" not in done.stderr + refused.stderr
    back = ashore(
        *("restore", place, "--key", "env:BACKUP_PASSPHRASE", "--into", str(tmp_path / "new.sqlite3")),
        *("--files-to", f"s3://{bucket}/restored"),
        cwd=app,
        environ=secret,
    )
    assert back.returncode == 0, back.stderr
    assert rows(tmp_path / "new.sqlite3") == rows(app / "db.sqlite3")
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=s3_server.access_key.reveal(),
        aws_secret_access_key=s3_server.secret_key.reveal(),
        config=Config(s3={"addressing_style": "path"}),
    )
    listed = client.list_objects_v2(Bucket=bucket, Prefix="restored/")["Contents"]
    objects = {
        o["Key"].removeprefix("restored/"): client.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()
        for o in listed
    }
    assert objects == tree(app / "media")
    # What lies in a bucket is backed up just the same.
    again = ashore(
        *("backup", ".", "--files", f"s3://{bucket}/restored", "--only", "files"),
        *("--to", str(tmp_path / "objects")),
        cwd=app,
        environ=secret,
    )
    assert again.returncode == 0, again.stderr
    home = ashore(
        "restore", str(tmp_path / "objects"), "--files-to", str(tmp_path / "home"), cwd=app, environ=secret
    )
    assert home.returncode == 0, home.stderr
    assert tree(tmp_path / "home") == tree(app / "media")


@pytest.mark.long
def test_people_can_read_the_tables(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    done = ashore("backup", ".", "--only", "database", "--to", "../place", "--csv", cwd=app)
    assert done.returncode == 0, done.stderr
    sheets = {p.name: p for p in (tmp_path / "place").rglob("*.csv")}
    with sheets["0001-note.csv"].open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["body"], ["'=1+1"], ["-5"], ["same"], ["same"], [""]]


@pytest.mark.long
def test_killed_anywhere_no_half_backup_stands_and_no_old_one_is_lost(tmp_path: Path) -> None:
    app, place = make_app(tmp_path, rows=3000), tmp_path / "place"
    for number in range(150):
        (app / "media" / f"more-{number}").write_bytes(bytes([number]) * 3000)
    old = make(app, place)
    command = [
        *(sys.executable, "-c", ENTRY, "backup", ".", "--files", "media"),
        *("--to", str(place), "--keep", "1"),
    ]
    begun = time.monotonic()
    assert subprocess.run(command, cwd=app, env=CLEAN, capture_output=True).returncode == 0
    whole = time.monotonic() - begun
    newest = ids(place)
    assert len(newest) == 1 and newest != [old.id]
    killed = 0
    for step in range(8):
        child = subprocess.Popen(
            command, cwd=app, env=CLEAN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            child.wait(whole * (0.3 + 0.09 * step))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.wait()
        found = FolderPlace(place).backups()
        assert found, "an old backup was lost"
        for kept in found:
            with read.open_backup(FolderPlace(place), kept.id, None, Cancel()) as opened:
                assert restore.test(opened, None, lambda text: None).files == 155
    assert killed
    assert subprocess.run(command, cwd=app, env=CLEAN, capture_output=True).returncode == 0
    assert len(ids(place)) == 1
    assert [p.name for p in place.iterdir()] == ids(place), "what the killed ones left is gone"


def test_a_literal_is_not_taken_for_a_reference(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    url = "postgresql://me:hunter2hunter2@db.example.org/shop"
    wish = opening.Wish(app, to=(str(tmp_path / "place"),), database=url)
    with pytest.raises(AshoreError) as caught:
        opening.request(wish, opening.open_project(app, None, {}, {}))
    assert caught.value.exit_code == 2
    assert "hunter2" not in str(caught.value)
    assert not (tmp_path / "place").exists()


def test_places_that_would_be_lost_or_backed_up_themselves_are_refused(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    inside = opening.Wish(app, to=(str(app / "media/backups"),), files=(str(app / "media"),))
    with pytest.raises(AshoreError, match="lies inside"):
        opening.request(inside, opening.open_project(app, None, {}, {}))
    root = Path("/ashore-backups")
    with pytest.raises(AshoreError, match="next deploy wipes"):
        opening.request(
            opening.Wish(app, to=(str(root),)), opening.open_project(app, None, {}, {"RENDER": "true"})
        )


def test_what_a_killed_backup_left_in_a_bucket_is_cleared_and_work_under_way_is_not(
    tmp_path: Path, s3_server: embedded.S3, bucket: str
) -> None:
    app = make_app(tmp_path)
    environ = s3_environ(s3_server)
    opened = opening.open_project(app, None, {}, environ)
    place = opened.place(f"s3://{bucket}/nightly")
    assert isinstance(place, BucketPlace)
    left, under_way = layout.new_id("shop"), layout.new_id("shop")
    for id, pid in ((left, dead_pid()), (under_way, os.getppid())):
        writing = place.begin(id, lambda _: False)
        writing.raw("files/a", b"half")
        writing.raw(layout.WRITER, json.dumps({"host": socket.gethostname(), "pid": pid}).encode())
    assert place.backups() == []
    wish = opening.Wish(app, to=(f"s3://{bucket}/nightly",), files=(str(app / "media"),), keep=1)
    made = backup(opening.request(wish, opened), lambda text: None, Cancel())
    assert [kept.id for kept in place.backups()] == [made.id]
    names = {o.key.split("/")[1] for o in listed(place.store, "nightly/")}
    assert names == {under_way, made.id}


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
