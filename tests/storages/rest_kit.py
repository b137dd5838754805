"""What every storage behind an HTTP interface must do, asked of a real or strict server in one go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from wizard.context import Cancel
from wizard.errors import Stopped
from wizard.storages.base import Outcome, Upload, Written
from wizard.storages.rest_canary import NAME
from wizard.storages.rest_store import RestStore


class Parts(dict[str, dict[str, object]]):
    """The record of uploads in parts."""

    def put(self, key: str, value: dict[str, object]) -> None:
        self[key] = value

    def forget(self, key: str) -> None:
        self.pop(key, None)


def upload(file: Path, data: bytes, key: str, content_type: str = "text/plain") -> Upload:
    file.write_bytes(data)
    return Upload(
        key, file, len(data), hashlib.sha256(data).digest(), hashlib.md5(data).digest(), content_type
    )


def send(
    store: RestStore,
    uploads: Iterable[Upload],
    parts: Parts | None = None,
    cancel: Cancel | None = None,
    progress: Callable[[int], None] = lambda _: None,
    overwrite: bool = False,
) -> dict[str, Outcome]:
    found = store.send(
        uploads, parts if parts is not None else Parts(), cancel or Cancel(), progress, overwrite
    )
    return {outcome.key: outcome for outcome in found}


Objects = Callable[[], dict[str, bytes]]


def check_live_test(store: RestStore, objects: Objects, told: bool) -> None:
    """`told`: the server ignores conditions, and the live test says so."""
    checks = store.check()
    assert [check for check in checks if not check.ok] == []
    assert checks[-1].what == "an object is never overwritten" and bool(checks[-1].said) is told
    assert objects() == {} and store.create_only is not told


def check_never_overwritten(store: RestStore, objects: Objects, tmp_path: Path) -> None:
    first, other = upload(tmp_path / "1", b"first", "k.txt"), upload(tmp_path / "2", b"other", "k.txt")
    assert send(store, [first])["k.txt"].status == "sent"
    ours = send(store, [first])["k.txt"]
    assert ours.status == "already"
    assert send(store, [other])["k.txt"].status == "conflict"
    assert send(store, [replace(other, replaces="no such")])["k.txt"].status == "conflict"
    assert objects() == {"k.txt": b"first"}
    assert send(store, [replace(other, replaces=ours.etag)])["k.txt"].status == "sent"
    assert objects() == {"k.txt": b"other"}
    written = Written(other.size, other.sha256, other.md5)
    assert send(store, [replace(first, ours=(written,))])["k.txt"].status == "sent"
    assert send(store, [other], overwrite=True)["k.txt"].status == "sent"
    assert objects() == {"k.txt": b"other"}


def check_large(store: RestStore, objects: Objects, tmp_path: Path, data: bytes, sent: list[int]) -> None:
    """`sent` collects the bytes of each piece that reached the server; `data` is more than two pieces."""
    big, parts, cancel, counted = upload(tmp_path / "big", data, "v/big.bin"), Parts(), Cancel(), []

    def stop(_: int) -> None:
        cancel.ask()

    with pytest.raises(Stopped):
        send(store, [big], parts, cancel, stop)
    assert objects() == {} and sent == [store.remote.piece] and len(parts) == 1
    assert send(store, [big], parts, progress=counted.append)["v/big.bin"].status == "sent"
    assert sum(sent) == len(data) and sum(counted) == len(data)
    assert objects() == {"v/big.bin": data} and parts == {}
    assert send(store, [big])["v/big.bin"].status == "already"
    other = upload(tmp_path / "other", data[:-1] + b"!", "v/big.bin")
    assert send(store, [other])["v/big.bin"].status == "conflict"
    assert objects() == {"v/big.bin": data}
    store.delete("v/big.bin")


def check_changed(store: RestStore, objects: Objects, tmp_path: Path, size: int) -> None:
    """A large file that is not as inventoried is not stored, and nothing of it stays on record."""
    for number, change in enumerate((b"!" * size, b"a" * (size + 1), b"a" * (size - 1))):
        listed, parts = upload(tmp_path / f"c{number}", b"a" * size, "changed"), Parts()
        listed.path.write_bytes(change)
        assert send(store, [listed], parts)["changed"].status == "changed"
        assert objects() == {} and parts == {}
    listed.path.unlink()
    assert send(store, [listed])["changed"].status == "vanished"


def check_canary_of_others(store: RestStore, objects: Objects) -> None:
    store.remote.put(NAME, b"mine", "text/plain", only_new=False)
    assert not store.check()[0].ok and objects() == {NAME: b"mine"}
    store.delete(NAME)
