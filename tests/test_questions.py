"""Replies to answers and back; what is asked depends on what was said."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

import pytest
import yaml

from wizard import questions
from wizard.answers_file import from_mapping
from wizard.answers_starter import starter
from wizard.model import Project, Store, StoreKind
from wizard.questions.storage import _questions_of as storage_questions
from wizard.steps import moves
from wizard.storages import STORAGES

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
    [
        ("s3", {"bucket", "region", "access_key", "secret_key"}),
        ("r2", {"bucket", "endpoint", "access_key", "secret_key"}),
        ("b2", {"bucket", "region", "access_key", "secret_key"}),
        ("supabase", {"bucket", "region", "ref", "access_key", "secret_key"}),
        ("gcs", {"bucket", "credentials"}),
        ("firebase", {"project", "credentials"}),
        ("azure", {"account", "container", "account_key"}),
        ("cloudinary", {"cloud_name", "api_key", "api_secret"}),
        ("render-disk", {"mount"}),
    ],
)
def test_each_storage_is_asked_for_its_own_keys(provider: str, wanted: set[str]) -> None:
    asked = {q.key for q in questions.asked(ONE, {"storage.provider": provider}, "credentials")}
    assert {k.removeprefix("storage.") for k in asked} == wanted


def test_every_storage_can_be_chosen_and_is_asked_for_all_it_needs() -> None:
    assert {o.name for o in questions.STORAGE_OPTIONS} == {*(k.name for k in STORAGES), "leave"}
    for storage in STORAGES:
        asked = questions.asked(ONE, {"storage.provider": storage.name})
        known = {q.key.removeprefix("storage.") for q in asked}
        required = {f.name for f in fields(storage.Options) if f.default is MISSING}
        assert required <= known, storage.name
        secret = {f.name for f in fields(storage.Options) if f.metadata.get("reference")}
        # A key that may be left out is asked for where its storage has words for it.
        secret -= {f.name for f in fields(storage.Options) if f.default is None and "ask" not in f.metadata}
        assert {q.key.removeprefix("storage.") for q in asked if q.kind == "secret"} - {
            "database.url"
        } == secret


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


def test_a_storage_without_words_is_asked_for_what_it_cannot_do_without() -> None:
    @dataclass(frozen=True)
    class Options:
        share_name: str
        token: str = field(metadata={"reference": True})
        region: str = "x"

    class New:
        name = "new"
        title = "New"

    New.Options = Options  # type: ignore[attr-defined]
    asked = list(storage_questions(New()))  # type: ignore[arg-type]
    assert [(q.key, q.kind, q.title, q.variable) for q in asked] == [
        ("storage.share_name", "text", "Share name", "SHARE_NAME"),
        ("storage.token", "secret", "Token", "TOKEN"),
    ]


def test_a_storage_that_is_public_by_nature_has_to_be_agreed_to() -> None:
    replies = {"storage.provider": "cloudinary", "storage.access": "signed"}
    access = questions.find("storage.access", ONE, replies)
    assert [o.name for o in access.offered(ONE, replies)] == ["public"]
    assert access in questions.missing(ONE, replies)
    agreed = {**replies, "storage.access": "public"}
    assert questions.fold(ONE, agreed)["storage"][0]["access"] == "public"  # type: ignore[index]
    # The app serves what lies on a disk: there is nothing to ask.
    assert "storage.access" not in {q.key for q in questions.asked(ONE, {"storage.provider": "render-disk"})}


def test_one_of_several_databases_is_named() -> None:
    several = Project(Path("/p/app"), stores=(Store("sqlite", "db.sqlite3"), Store("sqlite", "b.sqlite3")))
    assert "database.from" in {q.key for q in questions.asked(several, {})}
    answers = questions.fold(several, {"database.provider": "neon", "database.from": "b.sqlite3"})
    assert answers["database"]["source"] == "b.sqlite3"  # type: ignore[index]
    assert questions.unfold(answers)["database.from"] == "b.sqlite3"
    # A source that the scan does not know is kept as it was proposed.
    base = {"database": {"source": "elsewhere.db"}}
    replies = {**questions.unfold(base), "database.provider": "neon"}
    assert questions.fold(several, replies, base=base)["database"]["source"] == "elsewhere.db"  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "path", "url"),
    [("postgres", "DATABASE_URL", "source-url"), ("mongodb", "MONGODB_URL", "mongodb-url")],
)
def test_a_server_stays_unless_said_otherwise_and_is_asked_for_by_its_kind(
    kind: StoreKind, path: str, url: str
) -> None:
    project = Project(Path("/p/app"), stores=(Store(kind, path), Store("uploads", "uploads")))
    where = questions.find("database.provider", project, {})
    assert where.reply(project, {}) == "keep"
    kept = {"database.provider": "keep", "database.source": f"keyring:app/{url}"}
    assert [q.key for q in questions.asked(project, kept, "credentials")] == ["database.source"]
    answers = questions.fold(project, kept)
    assert answers["database"] == {"source": f"keyring:app/{url}", "provider": "keep"}
    way = moves.move(project, from_mapping(answers, project.root))
    assert way is not None and way.name == f"{kind}-kept"


@pytest.mark.parametrize(("kind", "path"), [("postgres", "DATABASE_URL"), ("mongodb", "MONGODB_URL")])
def test_the_starter_answers_say_what_else_could_be_done_with_a_server(kind: StoreKind, path: str) -> None:
    project = Project(Path("/p/app"), stores=(Store(kind, path),))
    text = starter(project, ".")
    assert from_mapping(yaml.safe_load(text), project.root).database is None
    block = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#")]
    begins = [number for number, line in enumerate(block) if line.startswith(" database:")]
    for begin, provider in zip(begins, ("keep", "mongodb" if kind == "mongodb" else "postgres"), strict=True):
        end = next((n for n in begins if n > begin), len(block))
        lines = [line.removeprefix(" ") if n == begin else line for n, line in enumerate(block)][begin:end]
        kept = [line for line in lines if line.startswith(("database:", "   "))]
        answers = from_mapping({"version": 1, **yaml.safe_load("\n".join(kept))}, project.root)
        assert answers.database is not None and answers.database.provider == provider
