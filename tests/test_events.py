"""Events go to JSON and back, and a reader can follow a file that another process writes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from wizard import events, watching
from wizard.credentials import Redactor, Secret
from wizard.headless import TextSink
from wizard.runner import redacted

ALL = (
    events.Header(1, "r"),
    events.StepStarted("copy", "Copy the rows", "Neon"),
    events.Progress("copy", "auth_user", 5, 10, "rows", "x", 2.5, 2.0),
    events.Warned("w", "é"),
    events.FindingSeen("c", "warning", "m", "t.c"),
    events.EditMade("settings.py", 3, 1),
    events.StepFinished("copy", 1.25, "10 rows"),
    events.Failed("copy", "x", "m", "h", True),
    events.Finished("done", 0, "report.html"),
)


@pytest.mark.parametrize("event", ALL, ids=lambda e: e.type)
def test_there_and_back(event: events.Event) -> None:
    line = events.to_json(event)
    assert "\n" not in line
    assert json.loads(line)["type"] == event.type
    assert events.from_json(line) == event


def test_unknown_types_and_keys_are_ignored() -> None:
    assert events.from_json('{"type": "novelty", "a": 1}') is None
    line = '{"type": "edit", "file": "f", "added": 1, "removed": 0, "novelty": 2}'
    assert events.from_json(line) == events.EditMade("f", 1, 0)


def test_following_sees_whole_lines_only_and_ends_with_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    alive = threading.Event()
    alive.set()
    seen: list[events.Event] = []
    reader = threading.Thread(
        target=lambda: seen.extend(watching.follow(path, threading.Event(), alive.is_set))
    )
    reader.start()
    with path.open("ab", buffering=0) as file:
        for event in ALL:
            data = events.to_json(event).encode() + b"\n"
            file.write(data[:7])
            file.write(data[7:])
        file.write(b'{"type": "edit", "file": "torn')
    alive.clear()
    reader.join(30)
    assert tuple(seen) == ALL


def test_text_names_the_step_what_it_writes_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with path.open("w", encoding="utf-8") as out:
        sink = TextSink(out)
        for event in ALL:
            sink(event)
    text = path.read_text(encoding="utf-8")
    assert "copy: Copy the rows (writes Neon)" in text
    assert "[x]: m" in text
    assert "ashore resume" in text
    assert "Report: report.html" in text


def test_a_password_that_is_a_word_of_ours_changes_no_meaning_and_odd_bytes_reach_every_sink() -> None:
    redactor = Redactor()
    for word in ("copy", "done", "rows", "differences"):
        redactor.learn(Secret(word))
    progress = redacted(events.Progress("copy", "copy of done", 1, 2, "rows"), redactor)
    assert progress == events.Progress("copy", "*** of ***", 1, 2, "rows")
    assert redacted(events.Finished("done", 0), redactor) == events.Finished("done", 0)
    line = events.to_json(events.Warned("x", "key caf\udce9, and a literal \\udce9"))
    line.encode("utf-8")
    assert json.loads(line)["message"] == "key caf\\udce9, and a literal \\udce9"
