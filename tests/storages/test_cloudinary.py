"""Cloudinary, on a strict server of the test's own whose signatures Cloudinary's package checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.storages import rest_kit
from tests.storages.kit import failure
from tests.storages.strict_cloudinary import CLOUD, KEY, SECRET, SMALLEST_PIECE, Cloud, Handler
from tests.storages.strict_gcs import serving
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import ConnectionLost, Refused, UsageError
from wizard.storages import kind, open_store
from wizard.storages.rest_store import RestStore

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Place:
    endpoint: str
    cloud: Cloud

    def rule(self, kind: str = "image", prefix: str = "", **options: Any) -> StorageRule:
        given = {"cloud_name": CLOUD, "api_key": "env:K", "api_secret": "env:S", "resource_type": kind}
        given |= {"endpoint": self.endpoint, **options}
        base = f"{self.endpoint}/{CLOUD}/{kind}/upload/v1"
        return StorageRule("cloudinary", prefix=prefix, access="public", public_url=base, options=given)

    def open(self, rule: StorageRule | None = None, key: str = KEY, secret: str = SECRET) -> RestStore:
        known = {"env:K": Secret(key), "env:S": Secret(secret)}
        store = open_store(rule or self.rule(), lambda ref: known[ref])
        assert isinstance(store, RestStore)
        store.remote.piece = SMALLEST_PIECE
        return store


@pytest.fixture
def place() -> Iterator[Place]:
    cloud = Cloud()
    with serving(type("Mine", (Handler,), {"cloud": cloud})) as endpoint:
        yield Place(endpoint, cloud)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_what_stands_there_is_never_overwritten(place: Place, tmp_path: Path, algorithm: str) -> None:
    place.cloud.algorithm = algorithm
    store = place.open(place.rule("raw", algorithm=algorithm))
    rest_kit.check_live_test(store, place.cloud.held, told=False)
    rest_kit.check_never_overwritten(store, place.cloud.held, tmp_path)


def test_images_are_found_under_the_names_that_the_app_stored(place: Place, tmp_path: Path) -> None:
    store = place.open(place.rule(prefix="media/"))
    assert all(check.ok for check in store.check())
    keys = ["media/logos/a b.png", "media/ü/文.v2.png", "media/x=y,z@1.png"]
    data = {key: PNG + key.encode() for key in keys}
    ups = [rest_kit.upload(tmp_path / str(n), data[k], k, "image/png") for n, k in enumerate(keys)]
    assert {o.status for o in rest_kit.send(store, ups).values()} == {"sent"}
    assert place.cloud.held() == data
    stored = store.head(keys[0])
    assert stored is not None and stored.md5 == ups[0].md5 and stored.content_type is None
    assert b"".join(store.read(keys[1])) == data[keys[1]]
    # Another format under the same name would take the place of the first: it is a conflict.
    twin = rest_kit.upload(tmp_path / "twin", b"GIF8 other", "media/logos/a b.gif", "image/gif")
    assert rest_kit.send(store, [twin])[twin.key].status == "conflict"
    # Once the hour's calls are used up, bytes are proven by reading them back.
    place.cloud.used_up = True
    seen = store.head(keys[0])
    assert seen is not None and (seen.size, seen.md5) == (len(data[keys[0]]), None)
    assert b"".join(store.read(keys[0])) == data[keys[0]] and store.head("media/none.png") is None
    assert rest_kit.send(store, ups)[keys[0]].status == "already"


def test_a_large_file_goes_on_where_it_stopped(place: Place, tmp_path: Path) -> None:
    store = place.open(place.rule("raw"))
    data = bytes(range(250)) * (5 * SMALLEST_PIECE // 500) + b"tail"
    rest_kit.check_large(store, place.cloud.held, tmp_path, data, place.cloud.pieces)
    rest_kit.check_changed(store, place.cloud.held, tmp_path, SMALLEST_PIECE + 10)


def test_pieces_that_cloudinary_forgot_are_sent_anew(place: Place, tmp_path: Path) -> None:
    big = rest_kit.upload(tmp_path / "big", b"x" * (2 * SMALLEST_PIECE + 1), "big")
    record = {"id": "old", "at": SMALLEST_PIECE, "sha256": big.sha256.hex(), "piece": SMALLEST_PIECE}
    parts = rest_kit.Parts(big=record)
    assert rest_kit.send(place.open(place.rule("raw")), [big], parts)["big"].status == "sent"
    assert place.cloud.held() == {"big": big.path.read_bytes()} and parts == {}


def test_refusals_are_told_in_cloudinarys_words(place: Place, tmp_path: Path) -> None:
    errors = [
        (place.open(secret="wrong").ensure, "access-key-unknown", "Invalid credentials"),
        (place.open(place.rule(cloud_name="other")).ensure, "bucket-missing", "cloud_name mismatch"),
    ]
    for work, code, words in errors:
        error = failure(lambda work=work: work(False))  # type: ignore[misc]
        assert isinstance(error, Refused) and error.code == code and words in error.message
        assert SECRET not in str(error) and "wrong" not in str(error)
    store = place.open()
    assert store.create_only
    place.cloud.algorithm = "sha256"
    text = rest_kit.upload(tmp_path / "t", PNG, "t.png", "image/png")
    error = failure(lambda: rest_kit.send(store, [text]))
    assert error.code == "secret-key-wrong" and "String to sign" not in error.message
    place.cloud.algorithm, place.cloud.largest = "sha1", 5
    assert failure(lambda: rest_kit.send(store, [text])).code == "object-too-large"
    no_image = rest_kit.upload(tmp_path / "n", b"text", "n.png", "image/png")
    place.cloud.largest = 100
    assert "resource_type: raw" in failure(lambda: rest_kit.send(store, [no_image])).hint
    nowhere = failure(lambda: place.open(place.rule(endpoint="http://127.0.0.1:9")).ensure(False))
    assert isinstance(nowhere, ConnectionLost)
    assert place.cloud.held() == {}


def test_answers_that_cannot_be_right_are_refused_offline(place: Place) -> None:
    rule = place.rule()
    for bad, code in [
        (replace(rule, access="signed"), "storage-public-only"),
        (replace(rule, prefix="media"), "storage-option"),
        (place.rule(cloud_name="a/b"), "bucket-name"),
    ]:
        error = failure(lambda bad=bad: kind("cloudinary").need(bad))  # type: ignore[misc]
        assert isinstance(error, UsageError) and error.code == code
    address = kind("cloudinary").address(place.rule(prefix="media/"))
    for key in ("media/a?b.png", "media/a&b.png", "media//a.png", "media/a%20.png", "media/media/a.png"):
        assert address.key_problem(key), key
    assert address.key_problem("media/" + "a" * 300) and not address.key_problem("media/ü b.png")
    need = kind("cloudinary").need(place.rule("video", prefix="media/"))
    assert (need.backend, need.variable("bucket")) == ("cloudinary-video", "CLOUDINARY_CLOUD_NAME")
    assert need.public_address == f"{place.endpoint}/{CLOUD}/video/upload/v1"
