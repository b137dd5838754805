"""The answers file: every fault at once, by key and line, and no secret repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard import answers_file
from wizard.answers_schema import json_schema
from wizard.errors import UsageError

GOOD = """\
version: 1
project: app
database:
  source: db.sqlite3
  provider: neon
  url: env:DATABASE_URL
  decisions:
    "blog_post.title": {nul_bytes: strip}
storage:
  - source: media
    match: "logos/**"
    max_size: 1MB
    provider: leave
  - match: "**"
    provider: s3
    bucket: my-app-media
    region: eu-west-1
    access_key: env:AWS_ACCESS_KEY_ID
    secret_key: keyring:my-app/s3-secret
    access: signed
deploy:
  platform: render
  token: keyring:render/token
"""


def load(tmp_path: Path, text: str):
    path = tmp_path / "ashore.yml"
    path.write_text(text, encoding="utf-8")
    return answers_file.load(path)


def faults(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.exit_code == 2
    return caught.value.message


def test_a_full_file_is_read_relative_to_itself(tmp_path: Path) -> None:
    answers = load(tmp_path, GOOD)
    assert answers.project == tmp_path / "app"
    assert answers.database is not None
    assert answers.database.decisions == {"blog_post.title": {"nul_bytes": "strip"}}
    assert answers.storage[0].max_size == 1_000_000
    assert answers.storage[1].options["bucket"] == "my-app-media"
    assert answers_file.references(answers) == (
        "env:DATABASE_URL",
        "env:AWS_ACCESS_KEY_ID",
        "keyring:my-app/s3-secret",
        "keyring:render/token",
    )


def test_every_fault_is_reported_at_once_with_key_and_line(tmp_path: Path) -> None:
    text = (
        GOOD.replace("provider: neon", "provider: nein")
        .replace("    region: eu-west-1\n", "    regoin: eu-west-1\n")
        .replace("platform: render", "platfrom: render")
        .replace("max_size: 1MB", "max_size: many")
        + "colour: blue\n"
    )
    message = faults(tmp_path, text)
    for line, key in (
        (5, "database.provider"),
        (12, "storage[0].max_size"),
        (17, "storage[1].regoin"),
        (22, "deploy.platfrom"),
        (24, "colour"),
    ):
        assert f"line {line}: {key}:" in message, message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("url: env:DATABASE_URL", "url: postgresql://app:hunter2secret@host/db"),
        ("secret_key: keyring:my-app/s3-secret", "secret_key: hunter2secret"),
        ("token: keyring:render/token", "token: hunter2secret"),
        ("source: db.sqlite3", "source: postgresql://app:hunter2secret@host/db"),
    ],
)
def test_a_literal_secret_is_a_fault_and_is_not_repeated(tmp_path: Path, old: str, new: str) -> None:
    message = faults(tmp_path, GOOD.replace(old, new))
    assert "literal" in message
    assert "hunter2" not in message


def test_a_missing_version_and_a_double_key(tmp_path: Path) -> None:
    message = faults(tmp_path, "project: .\npatch: apply\npatch: skip\n")
    assert "version: is missing" in message
    assert "line 3: patch: stands twice" in message


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    assert "line 3" in faults(tmp_path, "version: 1\nproject: [\n")


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    answers = load(tmp_path, GOOD)
    again = answers_file.parse(answers_file.dump(answers_file.to_mapping(answers)), tmp_path)
    assert again == answers
    assert answers_file.digest(again) == answers_file.digest(answers)


def test_the_json_schema_knows_each_storage_and_forbids_literals() -> None:
    schema = json_schema()
    s3 = next(v for v in schema["properties"]["storage"]["items"]["oneOf"] if v["title"].startswith("Amazon"))
    assert "bucket" in s3["properties"]
    assert "pattern" in str(s3["properties"]["secret_key"])


@pytest.mark.parametrize(("text", "size"), [("1MB", 10**6), ("500 kB", 500_000), ("2GiB", 2 << 30), ("7", 7)])
def test_sizes(text: str, size: int) -> None:
    assert answers_file.parse_size(text) == size
