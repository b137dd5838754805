"""The S3 store against a server that refuses what moto takes, over TLS with an authority of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tests import strict_s3
from tests.storages.kit import Kit, failure, new_kit
from tests.storages.test_store import Parts, send, upload
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.errors import ConnectionLost, Refused
from wizard.sources.inventory import take
from wizard.steps import preflight
from wizard.steps import upload as upload_step
from wizard.storages import open_store
from wizard.storages.prepare import prepare
from wizard.verifying.objects import verify_objects

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("strict-s3")]
BUCKET = "strict-bucket"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[strict_s3.Strict]:
    if reason := strict_s3.missing():
        pytest.skip(reason)
    assert request.config.cache is not None
    program = strict_s3.install(request.config.cache.mkdir("strict-s3"))
    with strict_s3.running(program, tmp_path_factory.mktemp("strict")) as made:
        yield made


@pytest.fixture(params=["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def strict(
    request: pytest.FixtureRequest,
    server: strict_s3.Strict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Kit]:
    """A kit on an empty bucket; the server's authority is trusted by the variable of the test's parameter."""
    with on(server, tmp_path, monkeypatch, request.param) as kit:
        yield kit


@contextmanager
def on(
    server: strict_s3.Strict, folder: Path, monkeypatch: pytest.MonkeyPatch, trusted_by: str
) -> Iterator[Kit]:
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(trusted_by, str(server.authority))
    s3 = embedded.S3(server.endpoint, Secret(strict_s3.ACCESS), Secret(strict_s3.SECRET))
    kit = new_kit(folder, s3, BUCKET)
    kit.client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=strict_s3.ACCESS,
        aws_secret_access_key=strict_s3.SECRET,
        region_name="us-east-1",
        verify=str(server.authority),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    kit.client.create_bucket(Bucket=BUCKET)
    try:
        yield kit
    finally:
        kit.journal.close()
        for key in kit.objects():
            kit.client.delete_object(Bucket=BUCKET, Key=key)
        kit.client.delete_bucket(Bucket=BUCKET)


def test_files_arrive_and_are_proven(strict: Kit) -> None:
    strict.write("a/small.txt", b"small")
    strict.write("a/\u00fc b.txt", b"more")
    strict.write("empty", b"")
    strict.write("big.bin", bytes(range(256)) * 80_000)
    ctx = strict.ctx()
    take(ctx)
    preflight.run(ctx)
    prepare(ctx)
    assert "4 files" in upload_step.run(ctx)
    found = verify_objects(ctx)
    assert found.different == 0 and found.objects == 4
    assert set(strict.objects()) == {"a/small.txt", "a/\u00fc b.txt", "empty", "big.bin"}
    assert strict.objects()["big.bin"] == bytes(range(256)) * 80_000
    again = send(
        open_store(strict.rule(), ctx.vault.resolve), upload(strict.media / "a/small.txt", "a/small.txt")
    )
    assert again["a/small.txt"].status == "already"


@pytest.fixture
def kit(server: strict_s3.Strict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    with on(server, tmp_path, monkeypatch, "AWS_CA_BUNDLE") as made:
        yield made


def test_what_stands_there_is_never_overwritten(kit: Kit) -> None:
    kit.client.put_object(Bucket=BUCKET, Key="k", Body=b"theirs", ContentType="text/plain")
    store = open_store(kit.rule(), kit.ctx().vault.resolve)
    assert send(store, upload(kit.write("f", b"ours"), "k"))["k"].status == "conflict"
    assert kit.objects() == {"k": b"theirs"}
    large = upload(kit.write("g", b"x" * (9 << 20)), "k")
    parts = Parts()
    assert send(store, large, parts=parts)["k"].status == "conflict"
    assert kit.objects() == {"k": b"theirs"} and kit.open_uploads() == [] and parts == {}


@pytest.mark.parametrize("wrong", ["secret", "access", "authority"])
def test_what_is_wrong_is_told(kit: Kit, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = kit.ctx()
    if wrong == "authority":
        monkeypatch.delenv("AWS_CA_BUNDLE")
        error = failure(lambda: prepare(ctx))
        assert isinstance(error, ConnectionLost | Refused) and error.code == "certificate-unknown"
        assert "SSL_CERT_FILE" in error.hint
    else:
        s3 = replace(kit.s3, **{f"{wrong}_key": Secret("not-this-one")})
        mistaken = replace(kit, s3=s3)
        error = failure(lambda: prepare(mistaken.ctx()))
        assert isinstance(error, Refused)
        assert error.code == ("secret-key-wrong" if wrong == "secret" else "access-key-unknown"), (
            error.message
        )
    assert kit.objects() == {}


def test_bytes_damaged_on_the_way_are_refused(kit: Kit) -> None:
    damaged = hashlib.md5(b"other", usedforsecurity=False).digest()
    file = upload(kit.write("f", b"x" * (9 << 20)), "f")
    store = open_store(kit.rule(), kit.ctx().vault.resolve)
    assert send(store, replace(file, sha256=hashlib.sha256(b"other").digest(), md5=damaged))["f"].status == (
        "changed"
    )
    assert kit.objects() == {} and kit.open_uploads() == []
