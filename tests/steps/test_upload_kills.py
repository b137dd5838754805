"""A kill between what the server did and our note of it: what this run wrote is known to be its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storages.conftest import kit as kit
from tests.storages.kit import Kit, failure
from wizard.sources.inventory import open_inventory, take
from wizard.sources.placements import Confirmed, Placements
from wizard.steps import upload
from wizard.steps.upload import JournalParts

LARGE = bytes(range(256)) * (68 << 10)  # three parts


class Killed(BaseException):
    pass


def killed_before_confirming(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Placements, confirmed: list[Confirmed]) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Placements, "confirm", killed)
        with pytest.raises(Killed):
            upload.run(kit.ctx())


def test_files_that_change_after_a_kill_replace_what_was_sent_but_never_confirmed(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt", "large.bin"):
        kit.write(name, LARGE if name == "large.bin" else b"first " + name.encode())
    take(kit.ctx())
    killed_before_confirming(kit, monkeypatch)
    assert len(kit.objects()) == 3
    now = {"a.txt": b"second", "b.txt": b"first b.txt", "large.bin": LARGE[::-1]}
    for name, data in now.items():
        kit.write(name, data)
    take(kit.ctx())
    upload.run(kit.ctx())
    assert kit.objects() == now
    assert kit.open_uploads() == []
    # b.txt stood there unconfirmed and was found again: it is this run's own for later changes as well.
    now["b.txt"] = b"third"
    kit.write("b.txt", now["b.txt"])
    take(kit.ctx())
    upload.run(kit.ctx())
    assert kit.objects() == now
    with open_inventory(kit.ctx()) as inventory:
        assert inventory.rows("SELECT * FROM intent") == []


def test_what_was_only_intended_gives_no_right_to_the_bytes_of_others(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.write("a.txt", b"ours")
    take(kit.ctx())
    killed_before_confirming(kit, monkeypatch)
    kit.client.put_object(Bucket=kit.bucket, Key="a.txt", Body=b"them")
    kit.write("a.txt", b"ours, later")
    take(kit.ctx())
    assert failure(lambda: upload.run(kit.ctx())).code == "object-conflict"
    assert kit.objects() == {"a.txt": b"them"}


@pytest.mark.parametrize("gone", [False, True], ids=["file stays", "file is deleted"])
def test_an_upload_in_parts_that_a_kill_kept_off_the_record_is_aborted_and_no_other(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    file = kit.write("large.bin", LARGE)
    kit.write("small.txt", b"small")
    theirs = kit.client.create_multipart_upload(Bucket=kit.bucket, Key="large.bin")["UploadId"]
    take(kit.ctx())
    put = JournalParts.put

    def killed(self: JournalParts, key: str, value: dict[str, Any]) -> None:
        if value["upload_id"]:
            raise Killed
        put(self, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(JournalParts, "put", killed)
        with pytest.raises(Killed):
            upload.run(kit.ctx())
    assert len(kit.open_uploads()) == 2
    if gone:
        file.unlink()
        take(kit.ctx())
    upload.run(kit.ctx())
    assert kit.objects() == {"small.txt": b"small"} | ({} if gone else {"large.bin": LARGE})
    left = kit.client.list_multipart_uploads(Bucket=kit.bucket)["Uploads"]
    assert [u["UploadId"] for u in left] == [theirs]
    assert list(kit.journal.all("parts")) == []
