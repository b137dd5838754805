"""The inventory: complete, exact, and cheap to repeat."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from tests.storages.kit import Kit, failure
from wizard.context import Cancel
from wizard.errors import Stopped, UsageError
from wizard.events import Progress
from wizard.model import Project, Store
from wizard.sources import hashing
from wizard.sources.inventory import InventorySummary, open_inventory, take, uploads_folders


def test_every_file_with_its_digests_size_and_type(kit: Kit) -> None:
    contents = {"b/ü.txt": b"x" * 3_000_000, "a.png": b"\x89PNG\r\n\x1a\n1", "empty": b""}
    for path, data in contents.items():
        kit.write(path, data)
    summary = take(kit.ctx())
    assert summary == InventorySummary(3, sum(map(len, contents.values())))
    with open_inventory(kit.ctx()) as inventory:
        entries = list(inventory.entries())
        assert [(store, entry.path) for store, entry in entries] == [
            ("media", "a.png"),
            ("media", "b/ü.txt"),
            ("media", "empty"),
        ]
        for _, entry in entries:
            data = contents[entry.path]
            assert (entry.size, entry.sha256) == (len(data), hashlib.sha256(data).digest())
            assert entry.md5 == hashlib.md5(data).digest()
            assert inventory.get("media", entry.path) == entry
        assert inventory.get("media", "a.png").content_type == "image/png"  # type: ignore[union-attr]
        assert inventory.get("media", "none") is None
        assert list(inventory.entries("media")) == entries
        assert list(inventory.entries("other")) == []
        assert inventory.problems() == ()
    last = [event for event in kit.events if isinstance(event, Progress)][-1]
    assert (last.step, last.part, last.done, last.total, last.unit) == ("snapshot", "media", 3, 3, "files")


def test_a_thousand_files_come_back_in_order_and_once(kit: Kit) -> None:
    for number in range(1100):
        kit.write(f"{number % 7}/{number}", b"%d" % number)
    assert take(kit.ctx()).files == 1100
    with open_inventory(kit.ctx()) as inventory:
        paths = [entry.path for _, entry in inventory.entries()]
    assert paths == sorted(paths) and len(set(paths)) == 1100


def test_taking_again_reads_only_what_changed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("same", "edited", "gone"):
        kit.write(name, b"first")
    take(kit.ctx())
    kit.write("edited", b"second!")
    kit.write("new", b"new")
    (kit.media / "gone").unlink()
    read: list[str] = []
    opened = hashing.open_for_reading

    def noting(path: os.PathLike[str]) -> int:
        read.append(os.path.basename(path))
        return opened(path)  # type: ignore[arg-type]

    monkeypatch.setattr(hashing, "open_for_reading", noting)
    take(kit.ctx())
    assert sorted(read) == ["edited", "new"]
    with open_inventory(kit.ctx()) as inventory:
        found = {entry.path: entry.sha256 for _, entry in inventory.entries()}
        assert [(p.path, p.code) for p in inventory.problems()] == [("gone", "vanished")]
    assert found == {
        "same": hashlib.sha256(b"first").digest(),
        "edited": hashlib.sha256(b"second!").digest(),
        "new": hashlib.sha256(b"new").digest(),
    }


def test_a_stop_is_obeyed_and_the_next_taking_completes(kit: Kit) -> None:
    for number in range(50):
        kit.write(str(number), b"%d" % number)
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Stopped):
        take(kit.ctx(cancel=cancel))
    assert take(kit.ctx()).files == 50
    with open_inventory(kit.ctx()) as inventory:
        assert len(list(inventory.entries())) == 50


class _Meddler:
    """A digest during whose work someone appends to the file, `times` times in all."""

    def __init__(self, file: Path, times: int) -> None:
        self.file, self.left = file, times

    def sha256(self) -> _Meddler:
        self.inner = hashlib.sha256()
        return self

    def update(self, data: bytes) -> None:
        self.inner.update(data)
        if self.left:
            self.left -= 1
            with self.file.open("ab") as file:
                file.write(b"more")

    def digest(self) -> bytes:
        return self.inner.digest()

    def md5(self, usedforsecurity: bool) -> Any:
        return hashlib.md5(usedforsecurity=usedforsecurity)


def test_a_file_that_changes_while_it_is_read_is_read_again(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kit.write("growing.log", b"start")
    monkeypatch.setattr(hashing, "hashlib", _Meddler(file, 2))
    take(kit.ctx())
    assert file.read_bytes() == b"startmoremore"
    with open_inventory(kit.ctx()) as inventory:
        entry = inventory.get("media", "growing.log")
    assert entry is not None and entry.sha256 == hashlib.sha256(file.read_bytes()).digest()


def test_a_file_that_never_rests_is_a_problem_not_a_guess(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kit.write("busy.log", b"start")
    monkeypatch.setattr(hashing, "hashlib", _Meddler(file, 10_000))
    take(kit.ctx())
    with open_inventory(kit.ctx()) as inventory:
        assert inventory.get("media", "busy.log") is None
        assert [(p.path, p.code) for p in inventory.problems()] == [("busy.log", "file-keeps-changing")]


def test_rules_without_a_source_mean_the_scans_folders(kit: Kit) -> None:
    ctx = kit.ctx(kit.rule(source=None), kit.rule(source="./media/", match="x"))
    project = Project(kit.root, stores=(Store("sqlite", "db"), Store("uploads", "media")))
    assert uploads_folders(ctx.answers, project) == ("media",)


def test_a_missing_folder_and_a_remote_source_are_told(kit: Kit) -> None:
    missing = failure(lambda: take(kit.ctx(kit.rule(source="uploads"))))
    assert isinstance(missing, UsageError) and missing.code == "uploads-missing"
    assert failure(lambda: take(kit.ctx(kit.rule(source="ssh://host/x")))).code == "source-kind"
