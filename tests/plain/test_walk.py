"""The wizard line by line: the same answers as on screen, no secret shown, no answer lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens import double
from tests.screens.double import Double, RunInfo
from wizard.events import Failed, Finished
from wizard.plain.talk import Line, Quit, Talk
from wizard.plain.walk import walk

RUN = "20261120-140200-abc123"


class Person:
    """Types the given lines; afterwards the input is at its end."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.said: list[str] = []
        self.talk = Talk(self.read, self.read_secret, self.said.append)

    def read(self, prompt: str) -> str:
        if not self.lines:
            raise EOFError
        self.said.append(f"{prompt}{self.lines[0]}")
        return self.lines.pop(0)

    def read_secret(self, prompt: str) -> str:
        if not self.lines:
            raise EOFError
        self.said.append(prompt)
        return self.lines.pop(0)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


KEYS = ("my-app-media", "https://a.example.com", double.GOOD_KEY, double.GOOD_SECRET)
TO_REVIEW = ("", "r2", "", double.GOOD_URL, *KEYS, "1")


def test_the_whole_way_gives_the_answers_that_the_screens_give(tmp_path: Path) -> None:
    engine = Double(tmp_path)
    engine.go.set()
    person = Person(*TO_REVIEW, "2", "start")
    assert walk(person.talk, double.ROOT, engine) == 0
    answers = engine.saved["draft.yml"]
    assert answers["database"] == {
        "source": "db.sqlite3",
        "provider": "neon",
        "url": "keyring:backend/database-url",
        "decisions": {"taggit_tag.name": {"nul_bytes": "strip"}},
    }
    assert answers["storage"] == [
        {
            "source": "media",
            "provider": "r2",
            "access": "signed",
            "bucket": "my-app-media",
            "endpoint": "https://a.example.com",
            "access_key": "keyring:backend/access-key",
            "secret_key": "keyring:backend/secret-key",
        }
    ]
    assert engine.handed[0]["keyring:backend/database-url"].reveal() == double.GOOD_URL
    assert engine.stored["backend/secret-key"].reveal() == double.GOOD_SECRET
    for words in (
        "db.sqlite3: LOST on deploy, idle",
        "PROBLEM: render.yaml names requirements_render.txt",
        "recommended: ",
        "ok: connected: PostgreSQL 17, empty",
        "1. strip: remove the NUL bytes",
        "+  - key: DATABASE_URL",
        "Warning: taggit_tag.name: 2 values hold NUL bytes",
        "Done, and verified.",
        "13,073 rows, 214,551 values: 0 differences",
    ):
        assert words in person.text, words
    assert not any(secret in person.text + repr(engine.saved) for secret in double.SECRETS)


def test_back_goes_to_the_question_before_and_keeps_what_was_said(tmp_path: Path) -> None:
    engine = Double(tmp_path, decisions=())
    person = Person("render", "back", "", "back", "", "s3", "?", "quit")
    assert walk(person.talk, double.ROOT, engine) == 0
    assert engine.saved["draft.yml"]["database"]["provider"] == "render"  # type: ignore[index]
    assert person.text.count("Where should the database live?") == 3
    assert "Private files are read through signed links" in person.text
    assert "Your answers are kept" in person.text
    assert engine.started == []


def test_refused_credentials_are_told_in_the_servers_words_and_asked_for_again(tmp_path: Path) -> None:
    engine = Double(tmp_path, decisions=())
    person = Person("neon", "leave", double.BAD_URL, "1", "", double.GOOD_URL)
    walk(person.talk, double.ROOT, engine)
    assert "REFUSED: connect: db.example.com says: password authentication failed" in person.text
    assert "Copy the connection string again" in person.text
    assert "This is what will happen" in person.text
    assert "wr0ng" not in person.text


def test_a_file_is_skipped_and_the_answers_are_saved(tmp_path: Path) -> None:
    engine = Double(tmp_path, decisions=())
    person = Person(*TO_REVIEW[:-1], "skip 2", "skip 9", f"save {tmp_path / 'mine.yml'}")
    walk(person.talk, double.ROOT, engine)
    assert engine.saved["mine.yml"]["skip_edits"] == ["render.yaml"]
    assert "Type skip and a number from 1 to 2." in person.text


def test_what_was_begun_is_offered(tmp_path: Path) -> None:
    earlier = RunInfo(RUN, "interrupted", "20261120", tmp_path / RUN, "copy")
    draft = {"database": {"provider": "neon", "url": "keyring:k"}, "storage": []}
    engine = Double(tmp_path, earlier=(earlier,), draft=draft)
    engine.go.set()
    person = Person("")
    assert walk(person.talk, double.ROOT, engine) == 0
    assert engine.resumed == [RUN] and "Done, and verified." in person.text

    again = Double(tmp_path, earlier=(earlier,), draft=draft)
    person = Person("3", "quit")
    walk(person.talk, double.ROOT, again)
    assert again.saved == {} and again.resumed == []


def test_a_failure_says_what_to_do_and_can_be_gone_on_from(tmp_path: Path) -> None:
    failed = Failed("copy", "disk-full", "Neon says: the disk is full.", "Make room there.", True)
    engine = Double(tmp_path, decisions=(), after=(failed, Finished("failed", 1)))
    engine.go.set()
    person = Person(*TO_REVIEW[:-1], "start", "2")
    assert walk(person.talk, double.ROOT, engine) == 1
    assert "FAILED at copy (disk-full): Neon says: the disk is full. Make room there." in person.text


def test_secrets_that_were_only_in_memory_are_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    earlier = RunInfo(RUN, "stopped", "20261120", tmp_path / RUN, "copy")
    draft = {"database": {"provider": "neon", "url": "env:DATABASE_URL"}, "storage": []}
    engine = Double(tmp_path, keyring_usable=False, earlier=(earlier,), draft=draft)
    engine.go.set()
    walk(Person("1", double.GOOD_URL).talk, double.ROOT, engine)
    assert engine.handed[0]["env:DATABASE_URL"].reveal() == double.GOOD_URL


def test_a_number_a_name_a_default_and_the_end_of_input() -> None:
    lines = [Line("a", "first"), Line("b", "second")]
    assert Person("2").talk.choose("?", lines, "a") == "b"
    assert Person("b").talk.choose("?", lines, "a") == "b"
    assert Person("").talk.choose("?", lines, "a") == "a"
    person = Person("9", "", "?")
    with pytest.raises(Quit):
        person.talk.choose("?", lines, None, "More about it.")
    assert "from 1 to 2" in person.text and "More about it." in person.text
