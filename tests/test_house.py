"""The house's own rules: types, style, walls between rooms, size of files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
HARD_LIMIT = 400


def run(*command: str) -> None:
    done = subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_types() -> None:
    run("mypy")


def test_style() -> None:
    run("ruff", "check", "--no-cache", "wizard", "screens", "tests")


def test_format() -> None:
    run("ruff", "format", "--no-cache", "--check", "wizard", "screens", "tests")


def test_walls() -> None:
    run("lint-imports", "--no-cache")


@pytest.mark.parametrize("room", ["wizard", "screens"])
def test_no_file_grows_past_one_subject(room: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / room).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > HARD_LIMIT
    }
    assert long == {}


def test_nothing_is_left_undone() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("wizard", "screens")
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []
