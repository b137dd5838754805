"""Google Cloud Storage and Firebase Storage on the emulator, tokens and conditions checked as Google does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.storages import rest_kit
from tests.storages.kit import failure
from tests.storages.strict_gcs import BUCKET, TOKEN, StrictStorage, make_key, strict_gcs
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import ConnectionLost, Refused, UsageError
from wizard.storages import kind, open_store, rest_http
from wizard.storages.rest_store import RestStore

PIECE = 512 << 10  # the server's unit is 256 KiB; a smaller piece than the real one keeps the test quick


@dataclass
class Place:
    endpoint: str
    account: str
    storage: StrictStorage

    def rule(self, **options: Any) -> StorageRule:
        given = {"bucket": BUCKET, "credentials": "env:GCS", "endpoint": self.endpoint, **options}
        return StorageRule("gcs", source="media", options=given)

    def open(self, rule: StorageRule | None = None, account: str | None = None) -> RestStore:
        secret = Secret(self.account if account is None else account)
        store = open_store(rule or self.rule(), lambda ref: secret)
        assert isinstance(store, RestStore)
        store.remote.piece = PIECE
        return store


@pytest.fixture
def gcs() -> Iterator[Place]:
    with strict_gcs() as made:
        yield Place(*made)


@pytest.mark.parametrize("honours", [True, False])
def test_what_stands_there_is_never_overwritten(gcs: Place, tmp_path: Path, honours: bool) -> None:
    gcs.storage.honours = honours
    store = gcs.open()
    rest_kit.check_live_test(store, gcs.storage.held, told=not honours)
    rest_kit.check_never_overwritten(store, gcs.storage.held, tmp_path)


def test_names_types_and_digests_come_back(gcs: Place, tmp_path: Path) -> None:
    store = gcs.open()
    keys = ["plain", "with space/ü 文.txt", "a+b%20c#?&=.txt", "double//slash", "tab\there", "x~y*'()!", "e"]
    data = {key: bytes(range(256)) + b"\r\n\r\n--\n" + key.encode() for key in keys} | {"e": b""}
    ups = [rest_kit.upload(tmp_path / str(n), data[k], k, "image/svg+xml") for n, k in enumerate(keys)]
    assert {o.status for o in rest_kit.send(store, ups).values()} == {"sent"}
    assert gcs.storage.held() == data
    stored = store.head(keys[1])
    assert stored is not None and (stored.size, stored.content_type) == (len(data[keys[1]]), "image/svg+xml")
    assert stored.md5 == hashlib.md5(data[keys[1]]).digest()
    assert b"".join(store.read(keys[1])) == data[keys[1]]
    assert store.head("none") is None
    store.delete("none")
    rest_kit.check_canary_of_others(
        gcs.open(gcs.rule()), lambda: {k: v for k, v in gcs.storage.held().items() if k not in data}
    )


def test_a_large_file_goes_on_where_it_stopped(gcs: Place, tmp_path: Path) -> None:
    data = bytes(range(256)) * (5 * PIECE // 512) + b"tail"
    rest_kit.check_large(gcs.open(), gcs.storage.held, tmp_path, data, gcs.storage.pieces)
    rest_kit.check_changed(gcs.open(), gcs.storage.held, tmp_path, 2 * PIECE)


@pytest.mark.parametrize("size", [100, 3 * PIECE + 1])
def test_a_busy_server_and_lost_answers_are_survived(
    gcs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(rest_http, "FIRST_WAIT_S", 0.01)
    store, one = gcs.open(), rest_kit.upload(tmp_path / "1", b"x" * size, "one")
    assert store.create_only
    gcs.storage.faults = ["lost", "busy"] * 2
    assert rest_kit.send(store, [one])["one"].status in ("sent", "already")
    assert gcs.storage.held() == {"one": b"x" * size} and gcs.storage.faults == []
    gcs.storage.faults = ["busy"] * 30
    error = failure(lambda: rest_kit.send(store, [replace(one, key="two")]))
    assert isinstance(error, ConnectionLost) and "503" in error.message and "two" in error.message


def test_the_address_of_an_unfinished_upload_is_kept_off_the_record(gcs: Place, tmp_path: Path) -> None:
    written: list[str] = []

    class Watched(rest_kit.Parts):
        def put(self, key: str, value: dict[str, object]) -> None:
            written.append(repr(value))
            super().put(key, value)

    big = rest_kit.upload(tmp_path / "big", b"x" * 3 * PIECE, "big")
    assert rest_kit.send(gcs.open(), [big], Watched())["big"].status == "sent"
    assert written
    # Whoever has the address can write the object, without any key.
    assert not any("upload_id" in text or "://" in text for text in written)


def test_an_upload_that_the_server_forgot_begins_anew(gcs: Place, tmp_path: Path) -> None:
    big = rest_kit.upload(tmp_path / "big", b"x" * 3 * PIECE, "big")
    session = f"{gcs.endpoint}/upload/storage/v1/b/{BUCKET}/o?upload_id=unknown"
    parts = rest_kit.Parts(big={"session": session, "sha256": big.sha256.hex(), "piece": PIECE})
    assert rest_kit.send(gcs.open(), [big], parts)["big"].status == "sent" and parts == {}
    assert gcs.storage.held() == {"big": b"x" * 3 * PIECE}


def test_damaged_bytes_are_refused_by_the_server(gcs: Place, tmp_path: Path) -> None:
    big = rest_kit.upload(tmp_path / "big", b"x" * 2 * PIECE + b"y", "big")
    error = failure(lambda: rest_kit.send(gcs.open(), [replace(big, md5=b"\0" * 16)]))
    assert isinstance(error, Refused) and "MD5" in error.message and gcs.storage.held() == {}


def test_refusals_are_told_in_googles_words_without_the_key(gcs: Place) -> None:
    missing = gcs.open(gcs.rule(bucket="no-such-bucket"))
    assert failure(lambda: missing.ensure(False)).code == "bucket-missing"
    assert missing.ensure(True) is True and missing.ensure(True) is False
    content = json.loads(gcs.account)
    foreign = gcs.open(account=json.dumps({**content, "private_key": make_key()[1]}))
    error = failure(lambda: foreign.ensure(False))
    assert isinstance(error, Refused) and error.code == "access-key-unknown" and error.exit_code == 4
    assert "Invalid JWT Signature" in error.message and not foreign.check()[0].ok
    nowhere = failure(lambda: gcs.open(gcs.rule(endpoint="http://127.0.0.1:9")).ensure(False))
    assert isinstance(nowhere, ConnectionLost) and "127.0.0.1:9" in nowhere.message
    broken = failure(lambda: gcs.open(account="{not json " + content["private_key"]))
    assert isinstance(broken, UsageError) and broken.code == "credentials-unreadable"
    for shown in (error, nowhere, broken):
        assert "PRIVATE KEY" not in str(shown) and TOKEN not in str(shown)


def test_origins_are_allowed_beside_the_rules_that_stand(gcs: Place) -> None:
    theirs = {"origin": ["https://old"], "method": ["PUT"]}
    gcs.storage.get_bucket(BUCKET)["cors"] = [theirs]
    for _ in range(2):
        gcs.open().allow_origins(("https://a",))
    rules = gcs.storage.get_bucket(BUCKET)["cors"]
    assert [(r["origin"], r["method"]) for r in rules] == [
        (["https://old"], ["PUT"]),
        (["https://a"], ["GET", "HEAD"]),
    ]


@pytest.mark.long
def test_a_signed_address_is_what_googles_own_library_makes(gcs: Place) -> None:
    storage = pytest.importorskip("google.cloud.storage", reason="google-cloud-storage is not installed")
    from google.oauth2 import service_account

    content = json.loads(gcs.account)
    credentials = service_account.Credentials.from_service_account_info(content)
    blob = storage.Client("my-project", credentials).bucket(BUCKET).blob("a b/ü?.png")
    ours = gcs.open(gcs.rule(endpoint=None)).url("a b/ü?.png")
    theirs = blob.generate_signed_url(expiration=600, version="v4")
    if ours.split("&")[2] == theirs.split("&")[2]:  # signed in the same second
        assert ours == theirs.replace("&x-goog-signature", "&X-Goog-Signature")
    assert ours.partition("?")[0] == theirs.partition("?")[0]


def test_addresses_and_needs() -> None:
    rule = StorageRule("firebase", options={"project": "shop", "credentials": "file:k.json"}, prefix="m/")
    need = kind("firebase").need(rule)
    assert (need.backend, need.prefix, need.variable("bucket")) == ("gcs", "m/", "GS_BUCKET_NAME")
    assert need.variables[0].example == "shop.firebasestorage.app"
    assert [v.name for v in need.variables if v.secret] == ["GS_CREDENTIALS_JSON"]
    assert kind("firebase").address(rule).identity.endswith("/shop.firebasestorage.app")
    public = kind("gcs").need(
        StorageRule("gcs", options={"bucket": "my-app", "credentials": "env:X"}, access="public")
    )
    assert public.variables[-1].example == "https://storage.googleapis.com/my-app"
    address = kind("gcs").address(StorageRule("gcs", options={"bucket": "my-app", "credentials": "env:X"}))
    assert address.key_problem("a\nb") and address.key_problem("ü" * 513) and not address.key_problem("ü/b")
    bad = StorageRule("gcs", options={"bucket": "My_App!", "credentials": "env:X"})
    assert failure(lambda: kind("gcs").need(bad)).code == "bucket-name"
