"""What Cloudinary tells `ashore check` of a cloud: its room and limits, asked with both halves of the key."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.providers.fake import Fake, serving
from tests.providers.fake_platforms import CloudinaryFake
from wizard.answers import Answers, StorageRule
from wizard.checks import storage
from wizard.checks.base import Checklist, Item
from wizard.credentials import Redactor, Vault
from wizard.providers import cloudinary

LIMITS = {"image_max_size_bytes": 10_485_760, "video_max_size_bytes": 104_857_600}


def told(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, secret: str = "the-secret", cloud: str = "my-cloud"
) -> tuple[Item, ...]:
    options = {"cloud_name": cloud, "api_key": "env:K", "api_secret": "env:S"}
    answers = Answers(Path("/p"), storage=(StorageRule("cloudinary", options=options),))
    with serving(fake) as url:
        changed = dataclasses.replace(cloudinary.PROVIDER, base=url)
        monkeypatch.setattr(cloudinary, "PROVIDER", changed)
        vault = Vault(Redactor(), environ={"K": "the-key", "S": secret})
        return storage.add(Checklist("p", ()), answers, vault).items


@pytest.mark.parametrize(
    ("used", "limit", "answer"), [(5, 100, "yes"), (81, 100, "no"), (5, None, "cannot-tell")]
)
def test_room(used: int, limit: int | None, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"usage": used * 10**9, **({"limit": limit * 10**9} if limit else {})}
    (item,) = told(CloudinaryFake(storage=held), monkeypatch)
    assert (item.code, item.answer) == ("storage-room", answer)
    assert f"{used}.00 GB" in item.why


def test_the_largest_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    items = told(CloudinaryFake(storage={"usage": 1, "limit": 10}, media_limits=LIMITS), monkeypatch)
    assert [item.code for item in items] == ["storage-room", "storage-upload-limits"]
    assert "image 10 MB, video 105 MB" in items[1].why


@pytest.mark.parametrize(("secret", "cloud"), [("wrong-half", "my-cloud"), ("the-secret", "another")])
def test_what_cannot_be_asked_is_said(secret: str, cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (item,) = told(CloudinaryFake(), monkeypatch, secret, cloud)
    assert (item.code, item.answer) == ("storage-asked", "cannot-tell")
    assert item.why
    assert secret not in item.why + item.hint
