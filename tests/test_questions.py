"""Replies to answers and back; what is asked depends on what was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard import questions
from wizard.model import Project, Store

ONE = Project(Path("/p/app"), stores=(Store("sqlite", "db.sqlite3"), Store("uploads", "media")))
TWO = Project(Path("/p/app"), stores=(Store("uploads", "media"), Store("uploads", "private/files")))
REPLIES = {
    "database.provider": "neon",
    "database.url": "keyring:app/database-url",
    "storage.provider": "s3",
    "storage.bucket": "b",
    "storage.access_key": "env:AWS_ACCESS_KEY_ID",
    "storage.secret_key": "env:AWS_SECRET_ACCESS_KEY",
}


def test_answers_of_replies_and_back() -> None:
    answers = questions.fold(ONE, REPLIES)
    assert answers == {
        "version": 1,
        "project": "/p/app",
        "database": {"source": "db.sqlite3", "provider": "neon", "url": "keyring:app/database-url"},
        "storage": [
            {
                "source": "media",
                "provider": "s3",
                "access": "signed",
                "bucket": "b",
                "region": "us-east-1",
                "access_key": "env:AWS_ACCESS_KEY_ID",
                "secret_key": "env:AWS_SECRET_ACCESS_KEY",
            }
        ],
    }
    assert questions.fold(ONE, questions.unfold(answers)) == answers


def test_two_folders_in_one_bucket_have_prefixes_of_their_own() -> None:
    rules = questions.fold(TWO, REPLIES)["storage"]
    assert [(r["source"], r["prefix"]) for r in rules] == [  # type: ignore[attr-defined]
        ("media", "media/"),
        ("private/files", "private/files/"),
    ]


def test_leaving_the_files_moves_none_and_asks_for_no_key() -> None:
    replies = {**REPLIES, "storage.provider": "leave"}
    assert questions.fold(ONE, replies)["storage"] == []
    asked = {q.key for q in questions.asked(ONE, replies)}
    assert asked == {"database.provider", "storage.provider", "database.url"}


def test_staying_on_sqlite_names_no_url() -> None:
    answers = questions.fold(ONE, {**REPLIES, "database.provider": "stay-with-backups"})
    assert answers["database"] == {"source": "db.sqlite3", "provider": "stay-with-backups"}


@pytest.mark.parametrize(
    ("provider", "wanted"),
    [("s3", {"region"}), ("r2", {"endpoint"}), ("b2", {"region"}), ("supabase", {"region", "ref"})],
)
def test_each_storage_is_asked_for_its_own_keys(provider: str, wanted: set[str]) -> None:
    asked = {q.key for q in questions.asked(ONE, {"storage.provider": provider})}
    own = {"region", "endpoint", "ref"}
    assert {k.removeprefix("storage.") for k in asked} & own == wanted


def test_other_keys_of_proposed_answers_are_kept_and_other_rules_too() -> None:
    base = {
        "verify": "digest",
        "storage": [
            {"match": "logos/**", "provider": "database"},
            {"provider": "s3", "bucket": "old", "endpoint": "http://127.0.0.1:1"},
        ],
    }
    answers = questions.fold(ONE, REPLIES, base=base)
    rules = answers["storage"]
    assert answers["verify"] == "digest"
    assert rules[0] == {"match": "logos/**", "provider": "database"}  # type: ignore[index]
    assert rules[1]["endpoint"] == "http://127.0.0.1:1" and rules[1]["bucket"] == "b"  # type: ignore[index]


def test_what_is_missing_is_named() -> None:
    lacking = questions.missing(ONE, {"database.provider": "neon", "storage.provider": "b2"})
    assert [q.key for q in lacking] == [
        "database.url",
        "storage.bucket",
        "storage.region",
        "storage.access_key",
        "storage.secret_key",
    ]


def test_references_go_to_the_keyring_or_to_memory() -> None:
    url = next(q for q in questions.QUESTIONS if q.key == "database.url")
    assert questions.reference(url, ONE, keyring=True) == "keyring:app/database-url"
    assert questions.reference(url, ONE, keyring=False) == "env:DATABASE_URL"
