"""Files moved by the steps of a run to storages other than S3, and compared by the verifying room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.storages.kit import Kit, new_kit
from tests.storages.strict_cloudinary import CLOUD, KEY, SECRET, Cloud, Handler
from tests.storages.strict_gcs import BUCKET, serving, strict_gcs
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.sources.inventory import take
from wizard.steps import upload
from wizard.storages.prepare import prepare
from wizard.verifying.objects import verify_objects

PNG = b"\x89PNG\r\n\x1a\n"
PREFIX = "m/"


@dataclass
class World:
    """A storage: the rule that leads to it, what it holds, and how to damage one object there."""

    rule: StorageRule
    key: str
    secret: str
    held: Callable[[], dict[str, bytes]]
    damage: Callable[[str, bytes], None]


@contextmanager
def on_gcs(folder: Path) -> Iterator[World]:
    with strict_gcs() as (endpoint, account, storage):
        options = {"bucket": BUCKET, "credentials": "env:KEY", "endpoint": endpoint}

        def damage(key: str, data: bytes) -> None:
            from gcp_storage_emulator.handlers.objects import _checksums, _make_object_resource

            about = _make_object_resource("", BUCKET, key, "image/png", str(len(data)))
            storage.now.guard = False
            storage.create_file(BUCKET, key, data, _checksums(data, about))

        yield World(
            StorageRule("gcs", "media", prefix=PREFIX, options=options), account, "", storage.held, damage
        )


@contextmanager
def on_cloudinary(folder: Path) -> Iterator[World]:
    cloud = Cloud()
    with serving(type("Mine", (Handler,), {"cloud": cloud})) as endpoint:
        options = {
            "cloud_name": CLOUD,
            "api_key": "env:KEY",
            "api_secret": "env:SECRET",
            "endpoint": endpoint,
        }

        def damage(key: str, data: bytes) -> None:
            cloud.assets["image", key.removesuffix(".png")].data = data

        rule = StorageRule(
            "cloudinary",
            "media",
            prefix=PREFIX,
            access="public",
            public_url=f"{endpoint}/{CLOUD}/image/upload/v1",
            options=options,
        )
        yield World(rule, KEY, SECRET, cloud.held, damage)


WORLDS: list[Callable[[Path], AbstractContextManager[World]]] = [on_gcs, on_cloudinary]


@pytest.mark.parametrize("open_world", WORLDS)
def test_files_move_and_every_byte_is_compared(
    tmp_path: Path, open_world: Callable[[Path], AbstractContextManager[World]]
) -> None:
    with open_world(tmp_path) as world:
        kit: Kit = new_kit(
            tmp_path, embedded.S3("http://127.0.0.1:9", Secret(world.key), Secret(world.secret)), "none"
        )
        files = {"a b.png": PNG + b"1", "logos/ü.png": PNG + b"2", "c.png": PNG + bytes(300)}
        for path, data in files.items():
            kit.write(path, data)
        ctx = kit.ctx(world.rule)
        prepare(ctx)
        take(ctx)
        upload.run(ctx)
        assert world.held() == {PREFIX + path: data for path, data in files.items()}
        found = verify_objects(ctx)
        assert (found.objects, found.different) == (3, 0)
        assert found.public_fetched == (3 if world.rule.access == "public" else 0)
        again = kit.ctx(world.rule)
        assert upload.run(again) == upload.run(ctx) and len(world.held()) == 3
        world.damage(PREFIX + "c.png", PNG + bytes(299) + b"!")
        found = verify_objects(kit.ctx(world.rule))
        [difference] = found.differences
        assert (difference.path, difference.sign) == ("c.png", "*") and "other bytes" in difference.what
        kit.journal.close()
