"""Each provider's address, the variables it needs, and what its answers may not be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storages.kit import failure
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.storages import STORAGES, kind, open_store

KEYS = {"bucket": "my-app", "access_key": "env:K", "secret_key": "env:S"}
ADDRESSES: list[tuple[str, dict[str, Any], str]] = [
    ("s3", {"region": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/my-app"),
    ("r2", {"account_id": "abc"}, "https://abc.r2.cloudflarestorage.com/my-app"),
    ("r2", {"account_id": "abc", "jurisdiction": "eu"}, "https://abc.eu.r2.cloudflarestorage.com/my-app"),
    ("b2", {"region": "eu-central-003"}, "https://s3.eu-central-003.backblazeb2.com/my-app"),
    (
        "supabase",
        {"ref": "abcdef", "region": "eu-west-1"},
        "https://abcdef.storage.supabase.co/storage/v1/s3/my-app",
    ),
    ("s3-compatible", {"endpoint": "http://minio:9000/"}, "http://minio:9000/my-app"),
]


@pytest.mark.parametrize(("name", "options", "identity"), ADDRESSES)
def test_address_and_need(name: str, options: dict[str, Any], identity: str) -> None:
    rule = StorageRule(
        name, options={**KEYS, **options}, prefix="media/", access="public", public_url="https://c"
    )
    assert kind(name).address(rule).identity == identity
    assert open_store(rule, lambda ref: Secret("x")).identity == identity
    need = kind(name).need(rule)
    assert (need.kind, need.backend, need.access, need.prefix) == ("storage", "s3", "public", "media/")
    assert need.variable("bucket") == "S3_BUCKET_NAME"
    assert need.variable("access_key") == "AWS_ACCESS_KEY_ID"
    assert need.variable("secret_key") == "AWS_SECRET_ACCESS_KEY"
    assert need.variable("public_url") == "S3_PUBLIC_URL"
    assert need.variable("endpoint") == (None if name == "s3" else "S3_ENDPOINT_URL")
    assert all(v.example == "" for v in need.variables if v.secret)


def test_a_browser_reads_aws_by_the_buckets_own_host() -> None:
    rule = StorageRule("s3", options={**KEYS, "region": "eu-west-1"}, access="public")
    url = open_store(rule, lambda ref: Secret("x")).url("a b/ü?.png")
    assert url == "https://my-app.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC%3F.png"


def test_signed_access_gives_a_signed_address_and_no_public_variable() -> None:
    rule = StorageRule("s3", options={**KEYS, "region": "eu-west-1"}, public_url="https://c")
    assert "X-Amz-Signature=" in open_store(rule, lambda ref: Secret("x")).url("a.png")
    assert kind("s3").need(rule).variable("public_url") is None


@pytest.mark.parametrize("name", ["My-App", "ab", "a..b", "-app", "192.168.1.1", "xn--app", "a_b", "a" * 64])
def test_a_name_that_no_bucket_can_have_is_refused_offline(name: str) -> None:
    rule = StorageRule("s3", options={**KEYS, "bucket": name})
    for work in (lambda: kind("s3").need(rule), lambda: open_store(rule, lambda ref: Secret("x"))):
        error = failure(work)
        assert isinstance(error, UsageError) and error.code == "bucket-name" and name in error.message


def test_wrong_options_name_the_key() -> None:
    for name, options, word in [
        ("s3", {"bukket": "x"}, "bukket"),
        ("r2", {}, "account_id"),
        ("b2", {}, "region"),
        ("supabase", {"ref": "x"}, "region"),
        ("s3-compatible", {}, "endpoint"),
        ("s3", {"access_key": None}, "access_key"),
    ]:
        rule = StorageRule(name, options={**KEYS, **options})  # type: ignore[dict-item]
        error = failure(lambda rule=rule, name=name: kind(name).need(rule))  # type: ignore[misc]
        assert error.code == "storage-option" and word in error.message
    assert failure(lambda: kind("dropbox")).code == "storage-unknown"
    bad = StorageRule("s3-compatible", options={**KEYS, "endpoint": "https://u:p@host"})
    error = failure(lambda: kind("s3-compatible").need(bad))
    assert error.code == "endpoint" and "u:p" not in str(error)


def test_supabase_refuses_names_that_are_not_ascii() -> None:
    rule = StorageRule("supabase", options={**KEYS, "ref": "abc", "region": "eu-west-1"})
    address = kind("supabase").address(rule)
    assert address.key_problem("ü.png") is not None and address.key_problem("u.png") is None
    assert kind("s3").address(StorageRule("s3", options=KEYS)).key_problem("ü" * 512) is None
    assert kind("s3").address(StorageRule("s3", options=KEYS)).key_problem("ü" * 513) is not None


def test_kinds_are_listed_once_and_mark_their_references() -> None:
    from dataclasses import fields

    assert len({storage.name for storage in STORAGES}) == len(STORAGES)
    secret = {
        "gcs": {"credentials"},
        "firebase": {"credentials"},
        "azure": {"account_key"},
        "render-disk": set(),
        "database": {"url"},
        "cloudinary": {"api_key", "api_secret"},
    }
    for storage in STORAGES:
        marked = {f.name for f in fields(storage.Options) if f.metadata.get("reference")}
        assert marked == secret.get(storage.name, {"access_key", "secret_key"})
