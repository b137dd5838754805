"""A disk mounted on this machine: files stand there whole or not at all, and only on a mounted disk."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storages import rest_kit
from tests.storages.kit import failure
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import Refused, UsageError
from wizard.storages import kind, open_store
from wizard.storages.disk_remote import PART
from wizard.storages.rest_store import RestStore

PIECE = 1 << 20


class Disk:
    """A folder that counts as mounted."""

    def __init__(self, mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mount = mount
        mount.mkdir()
        monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == mount)

    def rule(self, prefix: str = "") -> StorageRule:
        return StorageRule("render-disk", prefix=prefix, options={"mount": str(self.mount)})

    def open(self, prefix: str = "") -> RestStore:
        store = open_store(self.rule(prefix), lambda ref: Secret(""))
        assert isinstance(store, RestStore)
        store.remote.piece = PIECE
        return store

    def held(self) -> dict[str, bytes]:
        """Everything but unfinished copies."""
        files = [p for p in self.mount.rglob("*") if p.is_file() and not p.name.startswith(PART)]
        return {p.relative_to(self.mount).as_posix(): p.read_bytes() for p in files}


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path / "disk", monkeypatch)


def test_what_stands_there_is_never_overwritten(disk: Disk, tmp_path: Path) -> None:
    rest_kit.check_live_test(disk.open(), disk.held, told=False)
    rest_kit.check_never_overwritten(disk.open(), disk.held, tmp_path)
    disk.open().delete("k.txt")
    rest_kit.check_canary_of_others(disk.open(), disk.held)
    assert list(disk.mount.iterdir()) == []


def test_a_large_file_stands_whole_or_not_at_all(disk: Disk, tmp_path: Path) -> None:
    data = bytes(range(256)) * (5 * PIECE // 512) + b"tail"
    big, parts = rest_kit.upload(tmp_path / "big", data, "v/ü big.bin"), rest_kit.Parts()
    cancel = rest_kit.Cancel()
    with pytest.raises(rest_kit.Stopped):
        rest_kit.send(disk.open(), [big], parts, cancel, lambda _: cancel.ask())
    assert disk.held() == {} and len(parts) == 1
    [part] = (disk.mount / "v").iterdir()
    part.write_bytes(b"what a power cut left")
    assert rest_kit.send(disk.open(), [big], parts)["v/ü big.bin"].status == "sent"
    assert disk.held() == {"v/ü big.bin": data} and parts == {}
    assert rest_kit.send(disk.open(), [big])["v/ü big.bin"].status == "already"
    disk.open().delete("v/ü big.bin")
    rest_kit.check_changed(disk.open(), disk.held, tmp_path, 2 * PIECE)
    assert [p for p in disk.mount.rglob("*") if p.is_file()] == []


def test_a_folder_that_is_no_disk_is_refused(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: False)
    error = failure(lambda: disk.open().ensure(False))
    assert isinstance(error, Refused) and error.code == "not-a-mount" and str(disk.mount) in error.message
    assert not disk.open().check()[0].ok
    one = rest_kit.upload(tmp_path / "1", b"1", "1")
    assert failure(lambda: rest_kit.send(disk.open(), [one])).code == "not-a-mount"
    assert list(disk.mount.iterdir()) == []


def test_no_link_leads_out_of_the_disk(disk: Disk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (disk.mount / "out").symlink_to(outside)
    (disk.mount / "file").symlink_to(outside / "new")
    for key in ("out/a.txt", "file"):
        one = rest_kit.upload(tmp_path / "1", b"1", key)
        error = failure(lambda one=one: rest_kit.send(disk.open(), [one]))  # type: ignore[misc]
        assert error.code == "outside-the-disk"
    assert list(outside.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_told_in_the_systems_words(disk: Disk, tmp_path: Path) -> None:
    (disk.mount / "a").write_bytes(b"theirs")
    one = rest_kit.upload(tmp_path / "1", b"1", "a/b.txt")
    error = failure(lambda: rest_kit.send(disk.open(), [one]))
    assert (isinstance(error, Refused) and "directory" in error.message.lower()) or "exists" in error.message
    assert disk.held() == {"a": b"theirs"}


def test_answers_needs_and_names(disk: Disk) -> None:
    rule = disk.rule("media/")
    need = kind("render-disk").need(rule)
    assert (need.backend, need.roles) == ("disk", (("path", "UPLOAD_PATH"),))
    assert need.variables[0].example == f"{disk.mount}/media" and need.public_address == ""
    for bad in (
        replace(rule, options={"mount": "data"}),
        replace(rule, options={"mount": "/"}),
        replace(rule, access="public"),
        replace(rule, create=True),
        replace(rule, prefix="media"),
    ):
        error = failure(lambda bad=bad: kind("render-disk").need(bad))  # type: ignore[misc]
        assert isinstance(error, UsageError) and error.code == "storage-option"
    address = kind("render-disk").address(rule)
    for key in ("../a", "/a", "a//b", "a\0", "a" * 256, f"{PART}x"):
        assert address.key_problem(key), key
    assert address.key_problem("media/ü b.png") is None
