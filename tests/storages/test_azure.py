"""Azure Blob Storage on Azurite, Microsoft's emulator, which checks signatures, MD5 and conditions."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.storages import rest_kit
from tests.storages.kit import failure
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import ConnectionLost, Refused
from wizard.storages import kind, open_store
from wizard.storages.azure_remote import AzureRemote
from wizard.storages.rest_store import RestStore

ACCOUNT = "devstoreaccount1"
# Azurite's published key: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PIECE = 1 << 20
_numbers = count()


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = os.environ.get("ASHORE_AZURITE") or shutil.which("azurite-blob")
    if program is None:
        if shutil.which("npm") is None:
            pytest.skip("Node.js is not installed")
        folder = tmp_path_factory.mktemp("npm")
        made = subprocess.run(
            ["npm", "install", "--silent", "azurite"], cwd=folder, capture_output=True, timeout=240
        )
        if made.returncode != 0:
            pytest.skip("azurite cannot be installed from npm here")
        program = str(folder / "node_modules/.bin/azurite-blob")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--blobPort", str(port)]
    with subprocess.Popen([*command, "--blobHost", "127.0.0.1"], stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert server.poll() is None and time.monotonic() < deadline, "azurite does not start"
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/{ACCOUNT}"
        finally:
            server.terminate()
            server.wait(20)


@dataclass
class Place:
    endpoint: str
    container: str

    def rule(self, access: Any = "signed", **options: Any) -> StorageRule:
        given = {"account": ACCOUNT, "container": self.container, "account_key": "env:K"}
        return StorageRule("azure", access=access, options={**given, "endpoint": self.endpoint, **options})

    def open(self, rule: StorageRule | None = None, key: str = KEY) -> RestStore:
        store = open_store(rule or self.rule(), lambda ref: Secret(key))
        assert isinstance(store, RestStore)
        store.remote.piece = PIECE
        return store

    def held(self) -> dict[str, bytes]:
        from azure.storage.blob import ContainerClient

        client = ContainerClient(self.endpoint, self.container, {"account_name": ACCOUNT, "account_key": KEY})
        return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}


@pytest.fixture
def place(azurite: str) -> Place:
    pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not installed")
    made = Place(azurite, f"container-{next(_numbers)}")
    assert made.open().ensure(True) is True and made.open().ensure(True) is False
    return made


pytestmark = [pytest.mark.long, pytest.mark.xdist_group("azurite")]


def test_what_stands_there_is_never_overwritten(place: Place, tmp_path: Path) -> None:
    rest_kit.check_live_test(place.open(), place.held, told=False)
    rest_kit.check_never_overwritten(place.open(), place.held, tmp_path)
    place.open().delete("k.txt")
    rest_kit.check_canary_of_others(place.open(), place.held)


def test_names_types_digests_and_signed_addresses(place: Place, tmp_path: Path) -> None:
    store = place.open()
    keys = ["plain", "with space/ü 文.txt", "a+b%20c#?&=.txt", "x~y*'()!", "e"]
    data = {key: key.encode() * 9 for key in keys} | {"e": b""}
    ups = [rest_kit.upload(tmp_path / str(n), data[k], k, "image/svg+xml") for n, k in enumerate(keys)]
    assert {o.status for o in rest_kit.send(store, ups).values()} == {"sent"}
    assert place.held() == data
    for key in keys:
        stored = store.head(key)
        assert stored is not None and stored.content_type == "image/svg+xml"
        assert stored.md5 == hashlib.md5(data[key]).digest() and stored.size == len(data[key])
        assert b"".join(store.read(key)) == data[key]
        assert httpx.get(store.url(key)).content == data[key]
    assert httpx.get(store.url(keys[0]).partition("?")[0]).status_code != 200
    assert store.head("none") is None
    store.delete("none")


def test_a_large_file_goes_on_where_it_stopped(place: Place, tmp_path: Path) -> None:
    sent: list[int] = []
    store = place.open()
    assert isinstance(store.remote, AzureRemote)
    real = store.remote._http.send

    def counting(doing: str, method: str, url: str, *rest: Any, **more: Any) -> httpx.Response:
        if (more.get("params") or {}).get("comp") == "block":
            sent.append(len(more["content"]))
        return real(doing, method, url, *rest, **more)

    store.remote._http.send = counting  # type: ignore[method-assign]
    data = bytes(range(256)) * (5 * PIECE // 512) + b"tail"
    rest_kit.check_large(store, place.held, tmp_path, data, sent)
    rest_kit.check_changed(place.open(), place.held, tmp_path, 2 * PIECE)


def test_blocks_prove_nothing_by_the_md5_that_was_told(place: Place, tmp_path: Path) -> None:
    store = place.open()
    big = rest_kit.upload(tmp_path / "big", b"x" * 2 * PIECE + b"y", "big")
    lying = replace(big, md5=b"\0" * 16)
    assert rest_kit.send(store, [lying])["big"].status == "sent"
    stored = store.head("big")
    assert stored is not None and stored.md5 is None
    assert rest_kit.send(store, [big])["big"].status == "already"  # by reading it back


def test_refusals_are_told_in_azures_words(place: Place) -> None:
    missing = place.open(place.rule(container="no-such-container"))
    error = failure(lambda: missing.ensure(False))
    assert isinstance(error, Refused) and error.code == "bucket-missing"
    assert "ContainerNotFound" in error.message
    wrong = "A" * 86 + "=="
    error = failure(lambda: place.open(key=wrong).ensure(False))
    # Azurite says AuthorizationFailure where Azure itself says AuthenticationFailed.
    assert isinstance(error, Refused) and error.code in ("access-denied", "secret-key-wrong")
    assert "account key" in error.hint and wrong not in str(error)
    assert failure(lambda: place.open(key="not base64!")).code == "credentials-unreadable"
    nowhere = place.open(place.rule(endpoint="http://127.0.0.1:9/x"))
    assert isinstance(failure(lambda: nowhere.ensure(False)), ConnectionLost)


def test_origins_are_allowed_beside_the_rules_that_stand(place: Place) -> None:
    from azure.storage.blob import BlobServiceClient, CorsRule

    service = BlobServiceClient(place.endpoint, {"account_name": ACCOUNT, "account_key": KEY})
    service.set_service_properties(cors=[CorsRule(["https://old"], ["PUT"])])
    for _ in range(2):
        place.open().allow_origins(("https://a", "https://b"))
    rules = service.get_service_properties()["cors"]
    assert [(r.allowed_origins, r.allowed_methods) for r in rules] == [
        ("https://old", "PUT"),
        ("https://a,https://b", "GET,HEAD"),
    ]


def test_addresses_and_needs() -> None:
    options = {"account": "shop", "container": "media", "account_key": "env:K"}
    rule = StorageRule("azure", access="public", options=options)
    need = kind("azure").need(rule)
    assert (need.backend, need.variable("bucket")) == ("azure", "AZURE_CONTAINER")
    assert need.public_address == "https://shop.blob.core.windows.net/media"
    assert [v.name for v in need.variables if v.secret] == ["AZURE_ACCOUNT_KEY"]
    address = kind("azure").address(rule)
    for key in ("a\\b", "a/", "./a", "a//b", "a/../b", "a\n", "x" * 1025):
        assert address.key_problem(key), key
    assert address.key_problem("ü b/c.png") is None
    china = {**options, "endpoint": "https://shop.blob.core.chinacloudapi.cn"}
    names = {v.name: v.example for v in kind("azure").need(replace(rule, options=china)).variables}
    assert names["AZURE_ENDPOINT_SUFFIX"] == "core.chinacloudapi.cn"
    for url in ("https://cdn.example", "https://cdn.example/other"):
        wrong = replace(rule, public_url=url)
        assert failure(lambda wrong=wrong: kind("azure").need(wrong)).code == "storage-option"  # type: ignore[misc]
    for bad, code in (({"container": "My_C"}, "bucket-name"), ({"account": "x"}, "storage-option")):
        broken = replace(rule, options={**options, **bad})
        assert failure(lambda broken=broken: kind("azure").need(broken)).code == code  # type: ignore[misc]
