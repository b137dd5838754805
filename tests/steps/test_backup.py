"""The files' backup: exact copies in the run's folder, or a refusal that says what is missing."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple

import pytest

from tests.storages.conftest import kit as kit
from tests.storages.kit import Kit, failure
from wizard.answers import DatabaseAnswers
from wizard.errors import UsageError
from wizard.sources.inventory import open_inventory, take
from wizard.steps import backup, upload

CONTENTS = {"a.txt": b"a" * 5000, "sub/ü.png": b"png", "empty": b"", "n" * 255: b"long name"}


def _taken(kit: Kit) -> None:
    for path, data in CONTENTS.items():
        kit.write(path, data)
    take(kit.ctx())


def _copies(kit: Kit) -> dict[str, bytes]:
    folder = kit.folder.backup / "files" / "1"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_file_is_copied_and_nothing_else_is_left(kit: Kit) -> None:
    _taken(kit)
    assert backup.run(kit.ctx()) == "4 files, 5,012 bytes copied into the run's folder"
    assert _copies(kit) == CONTENTS
    assert sorted(p.name for p in (kit.folder.backup / "files").iterdir()) == ["1"]
    assert backup.run(kit.ctx()) == "4 files, 5,012 bytes copied into the run's folder"


def test_a_damaged_or_half_copy_is_made_again(kit: Kit) -> None:
    _taken(kit)
    backup.run(kit.ctx())
    (kit.folder.backup / "files" / "1" / "a.txt").write_bytes(b"b" * 5000)
    (kit.folder.backup / "files" / "1" / "empty").unlink()
    (kit.folder.backup / "files" / "1-0.part").write_bytes(b"half")
    backup.run(kit.ctx())
    assert _copies(kit) == CONTENTS


def test_a_file_changed_since_is_copied_as_it_is_and_inventoried_anew(kit: Kit) -> None:
    _taken(kit)
    kit.write("a.txt", b"new")
    (kit.media / "empty").unlink()
    assert backup.run(kit.ctx()).startswith("3 files, 15 bytes")
    expected = {path: data for path, data in CONTENTS.items() if path != "empty"} | {"a.txt": b"new"}
    assert _copies(kit) == expected
    with open_inventory(kit.ctx()) as inventory:
        assert inventory.get("media", "a.txt").size == 3  # type: ignore[union-attr]
        assert [p.path for p in inventory.problems()] == ["empty"]
    assert "file-gone" in kit.warnings()


def test_later_steps_read_the_copy_once_there_is_one(kit: Kit) -> None:
    _taken(kit)
    source = kit.media / "a.txt"
    assert backup.stored_path(kit.ctx(), "media", "a.txt") == source
    backup.run(kit.ctx())
    assert backup.stored_path(kit.ctx(), "media", "a.txt") == kit.folder.backup / "files" / "1" / "a.txt"
    shutil.rmtree(kit.media)
    upload.run(kit.ctx())
    assert kit.objects() == CONTENTS


def test_a_disk_too_small_is_told_before_the_first_byte(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    _taken(kit)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1234))
    error = failure(lambda: backup.run(kit.ctx()))
    assert isinstance(error, UsageError) and error.code == "state-full" and error.exit_code == 2
    assert "1,234" in error.message and "--state-dir" in error.hint and "backup: database" in error.hint
    assert _copies(kit) == {}


def test_a_disk_that_fills_up_midway_is_told_and_a_resume_completes(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    _taken(kit)
    left = [2]
    real = os.fsync

    def filling(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", filling)
        assert failure(lambda: backup.run(kit.ctx())).code == "state-full"
    assert len(_copies(kit)) == 2
    backup.run(kit.ctx())
    assert _copies(kit) == CONTENTS


def test_a_backup_of_the_database_alone_copies_no_file_and_says_so(kit: Kit) -> None:
    _taken(kit)
    summary = backup.run(kit.ctx(backup="database", database=DatabaseAnswers()))
    assert summary == "the database's snapshot lies in the run's folder"
    assert not (kit.folder.backup / "files").exists()
