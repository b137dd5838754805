"""Files that are too large for their storage are named before one byte is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storages.kit import Kit, failure, new_kit
from tests.storages.strict_cloudinary import CLOUD, KEY, SECRET, Cloud, Handler
from tests.storages.strict_gcs import serving
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.errors import UsageError
from wizard.sources.inventory import take
from wizard.steps import preflight, provision
from wizard.storages import kind
from wizard.storages.base import Limits
from wizard.storages.sizes import Sizes
from wizard.storages.table_remote import LARGEST

KEYS = {"bucket": "my-media", "access_key": "env:KEY", "secret_key": "env:SECRET"}


def large(kit: Kit, path: str, size: int) -> None:
    with kit.write(path, b"").open("r+b") as file:
        file.truncate(size)


def test_what_the_documentation_says_stops_the_preflight(kit: Kit) -> None:
    large(kit, "film.bin", LARGEST + 1)
    kit.write("logo.png", b"logo")
    url = "env:DATABASE_URL"
    rule = StorageRule("database", "media", options={"url": url})
    ctx = kit.ctx(rule)
    take(ctx)
    error = failure(lambda: preflight.run(ctx))
    assert isinstance(error, UsageError) and error.code == "file-too-large"
    assert "1 files" in error.message and "media/film.bin (16,777,217 bytes" in error.message
    assert "logo.png" not in error.message
    smaller = StorageRule("database", "media", max_size=LARGEST, options={"url": url})
    again = kit.ctx(smaller, StorageRule("leave", "media"))
    assert preflight.run(again) == "no database moves"


def test_what_the_account_says_stops_before_the_first_upload(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.largest = 300
    with serving(type("Mine", (Handler,), {"cloud": cloud})) as endpoint:
        options = {
            "cloud_name": CLOUD,
            "api_key": "env:KEY",
            "api_secret": "env:SECRET",
            "endpoint": endpoint,
        }
        base = f"{endpoint}/{CLOUD}/image/upload/v1"
        rule = StorageRule("cloudinary", "media", access="public", public_url=base, options=options)
        kit = new_kit(tmp_path, embedded.S3(endpoint, Secret(KEY), Secret(SECRET)), "none")
        kit.write("big.png", b"\x89PNG\r\n\x1a\n" + b"x" * 400)
        kit.write("small.png", b"\x89PNG\r\n\x1a\n")
        ctx = kit.ctx(rule)
        take(ctx)
        preflight.run(ctx)
        error = failure(lambda: provision.run(ctx))
        assert error.code == "file-too-large" and "media/big.png (408 bytes; Cloudinary takes 300)" in str(
            error
        )
        assert not any("big" in key for _, key in cloud.assets)
        cloud.largest = 408
        provision.run(ctx)
        kit.journal.close()


@pytest.mark.parametrize(
    ("provider", "options", "largest"),
    [
        ("s3", {}, 10_000 * (5 << 30)),
        ("r2", {"account_id": "a"}, 5114 << 30),
        ("b2", {"region": "eu-central-003"}, 10**13),
        ("supabase", {"ref": "abc", "region": "eu-west-1"}, 500 * 10**9),
        ("s3-compatible", {"endpoint": "https://s3.example"}, None),
    ],
)
def test_each_storage_knows_its_limit(provider: str, options: dict[str, str], largest: int | None) -> None:
    rule = StorageRule(provider, options={**KEYS, **options})
    assert kind(provider).address(rule).limits.largest == largest


def test_a_free_plans_limit_is_a_warning_and_many_files_are_counted(kit: Kit) -> None:
    sizes = Sizes()
    for number in range(1000):
        sizes.look(f"media/{number}", 51 << 20, "Supabase Storage", Limits(500 * 10**9, 50 << 20))
    sizes.judge(kit.events.append)
    assert kit.warnings() == ["file-beyond-free-plan"] and "1,000 files" in str(kit.events[0])
    for number in range(1000):
        sizes.look(f"media/{number}", 11, "X", Limits(10))
    error = failure(lambda: sizes.judge(kit.events.append))
    assert (
        "1,000 files" in error.message and "media/9 (" in error.message and "media/10 (" not in error.message
    )
