"""Verification of objects finds what is wrong, whatever it is, and says how the rest was proven."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wizard.verifying.objects as objects
from tests.storages.conftest import kit as kit
from tests.storages.kit import Kit
from wizard.sources.inventory import open_inventory, take
from wizard.sources.local import Problem
from wizard.steps import upload
from wizard.verifying.objects import verify_objects

BIG = bytes(range(256)) * (36 << 10)  # two parts


def _moved(kit: Kit, **rule: object) -> dict[str, bytes]:
    contents = {"a.txt": b"alpha", "b.png": b"\x89PNG\r\n\x1a\n", "ü/c d.txt": b"", "big.bin": BIG}
    for path, data in contents.items():
        kit.write(path, data)
    ctx = kit.ctx(kit.rule(**rule))
    take(ctx)
    upload.run(ctx)
    return contents


def test_all_equal_by_the_servers_checksums(kit: Kit) -> None:
    contents = _moved(kit)
    found = verify_objects(kit.ctx())
    assert (found.objects, found.bytes) == (4, sum(map(len, contents.values())))
    assert (found.by_checksum, found.by_etag, found.by_reading) == (0, 4, 0)
    assert found.different == 0 and found.differences == () and found.not_moved == ()
    assert found.only_at_target == () and found.public_fetched == 0


def test_without_the_local_file_parts_are_read_back(kit: Kit) -> None:
    _moved(kit)
    (kit.media / "big.bin").unlink()
    found = verify_objects(kit.ctx())
    assert (found.objects, found.by_etag, found.by_reading, found.different) == (4, 3, 1, 0)


@pytest.mark.parametrize(
    ("key", "body", "kind", "sign", "words"),
    [
        ("a.txt", b"alphA", "text/plain", "*", "MD5"),
        ("a.txt", b"alph", "text/plain", "*", "4 bytes instead of 5"),
        ("b.png", b"\x89PNG\r\n\x1a\n", "text/plain", "*", "type text/plain instead of image/png"),
        ("big.bin", BIG[:-1] + b"!", "application/octet-stream", "*", "other bytes"),
        ("ü/c d.txt", None, "", "+", "no object"),
    ],
    ids=["byte", "size", "type", "parts", "missing"],
)
def test_damage_is_found_and_named(
    kit: Kit, key: str, body: bytes | None, kind: str, sign: str, words: str
) -> None:
    _moved(kit)
    if body is None:
        kit.client.delete_object(Bucket=kit.bucket, Key=key)
    else:
        kit.client.put_object(Bucket=kit.bucket, Key=key, Body=body, ContentType=kind)
    found = verify_objects(kit.ctx())
    assert (found.objects, found.different) == (3, 1)
    [difference] = found.differences
    assert (difference.store, difference.path, difference.key) == ("media", key, key)
    assert difference.sign == sign and words in difference.what


def test_a_damaged_object_in_parts_is_found_by_reading_it_back(kit: Kit) -> None:
    _moved(kit)
    begun = kit.client.create_multipart_upload(
        Bucket=kit.bucket, Key="big.bin", ContentType="application/octet-stream"
    )
    parts = []
    damaged = BIG[:100] + b"!" + BIG[101:]
    for number, at in enumerate(range(0, len(damaged), 8 << 20), 1):
        done = kit.client.upload_part(
            Bucket=kit.bucket,
            Key="big.bin",
            UploadId=begun["UploadId"],
            PartNumber=number,
            Body=damaged[at : at + (8 << 20)],
        )
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    kit.client.complete_multipart_upload(
        Bucket=kit.bucket, Key="big.bin", UploadId=begun["UploadId"], MultipartUpload={"Parts": parts}
    )
    found = verify_objects(kit.ctx())
    assert [(d.key, d.sign) for d in found.differences] == [("big.bin", "*")]


def test_what_was_left_kept_or_could_not_move_is_told_apart(kit: Kit) -> None:
    kit.client.put_object(Bucket=kit.bucket, Key="theirs", Body=b"theirs")
    for name in ("theirs", "stays.tmp", "gone", "a"):
        kit.write(name, b"ours")
    rules = (kit.rule(provider="leave", match="*.tmp", options={}), kit.rule(on_conflict="keep"))
    take(kit.ctx(*rules))
    (kit.media / "gone").unlink()
    upload.run(kit.ctx(*rules))
    found = verify_objects(kit.ctx(*rules))
    assert (found.objects, found.kept, found.left, found.different) == (1, 1, 1, 0)
    assert [(p.path, p.code) for p in found.not_moved] == [("gone", "vanished")]
    assert kit.objects() == {"theirs": b"theirs", "a": b"ours"}


def test_a_file_that_stands_there_but_cannot_be_read_is_a_difference(kit: Kit) -> None:
    """Gone is gone; what is still at the source and did not arrive must not end in exit code 0."""
    _moved(kit)
    with open_inventory(kit.ctx()) as inventory:
        for name in ("locked.txt", "locked.tmp"):
            inventory.hashed("media", [(name, Problem(name, "unreadable", "It cannot be read: EACCES."))])
    leave = kit.rule(provider="leave", match="*.tmp", options={})
    found = verify_objects(kit.ctx(kit.rule()))
    assert [(d.path, d.sign) for d in found.differences] == [("locked.tmp", "!"), ("locked.txt", "!")]
    take_left = kit.ctx(leave, kit.rule())
    assert [d.path for d in verify_objects(take_left).differences if d.sign == "!"] == ["locked.txt"]


def test_an_object_whose_file_has_gone_from_the_inventory_is_told(kit: Kit) -> None:
    _moved(kit)
    (kit.media / "a.txt").unlink()
    take(kit.ctx())
    found = verify_objects(kit.ctx())
    assert [(d.key, d.sign) for d in found.only_at_target] == [("a.txt", "-")]


def test_a_file_that_was_never_routed_is_a_difference(kit: Kit) -> None:
    _moved(kit)
    kit.write("late.txt", b"late")
    take(kit.ctx())
    found = verify_objects(kit.ctx())
    assert [(d.path, d.sign) for d in found.differences] == [("late.txt", "!")]


def test_public_objects_are_fetched_as_a_visitor_would(kit: Kit) -> None:
    public = f"{kit.s3.endpoint}/{kit.bucket}"
    rule = {"access": "public", "public_url": public}
    _moved(kit, **rule)
    found = verify_objects(kit.ctx(kit.rule(**rule)))
    # moto answers signed requests only, unless the object may be read by all.
    assert found.public_fetched + found.different == 4
    kit.client.put_bucket_acl(Bucket=kit.bucket, ACL="public-read")
    for key in kit.objects():
        kit.client.put_object_acl(Bucket=kit.bucket, Key=key, ACL="public-read")
    assert verify_objects(kit.ctx(kit.rule(**rule))).public_fetched == 4
    assert verify_objects(kit.ctx(kit.rule(**rule), public_sample=2)).public_fetched == 2
    wrong = kit.rule(access="public", public_url=f"{public}/elsewhere")
    found = verify_objects(kit.ctx(wrong, public_sample="all"))
    assert found.public_fetched == 0 and found.different == 4
    assert all(public in d.what for d in found.differences)


def test_it_digests_with_code_of_its_own() -> None:
    source = Path(objects.__file__).read_text(encoding="utf-8")
    assert re.search(r"wizard\.(storages\.(uploading|s3_\w+|pipeline)|sources\.hashing)", source) is None
