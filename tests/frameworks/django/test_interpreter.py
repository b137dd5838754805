"""Which Python runs the project's own tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wizard.errors import UsageError
from wizard.frameworks.django.driver import driver
from wizard.frameworks.django.interpreter import Interpreter, find


def environment(folder: Path, django: str | None, fails: bool = False) -> Path:
    """A folder that looks like a virtual environment, whose python answers as one with `django` would."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("")
    text = f'"{django}"' if django else "null"
    answer = f'{{"python": [3, 12, 1], "django": {text}, "psycopg": null, "psycopg2": "2.9.9 (dt dec)"}}'
    python.write_text(f"#!/bin/sh\n{'exit 1' if fails else f'echo {answer!r}'}\n")
    python.chmod(0o755)
    return python


def test_the_environment_beside_the_app(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    app = tmp_path / "backend"
    python = environment(app / ".venv", "5.1.2")
    environment(tmp_path / "venv", "4.0")
    found = find(tmp_path, app, None)
    assert (found.path, found.django_version, found.borrowed) == (python, (5, 1), False)


def test_one_in_the_repository_above_the_app(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    app = tmp_path / "services" / "backend"
    app.mkdir(parents=True)
    environment(app / "broken", "5.0", fails=True)
    environment(app / "tools", None)
    python = environment(tmp_path / "env-of-mine", "4.2.1")
    assert find(app, app, None).path == python


def test_without_one_ours_is_borrowed(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    found = find(tmp_path, tmp_path, None)
    assert (found.path, found.borrowed) == (Path(sys.executable), True)


def test_the_answer_wins(tmp_path: Path) -> None:
    environment(tmp_path / ".venv", "5.1.2")
    python = environment(tmp_path / "other", "4.2.1")
    assert find(tmp_path, tmp_path, "other/bin/python").path == python


@pytest.mark.parametrize(
    ("django", "fails", "code"), [(None, False, "django-missing"), ("5.0", True, "interpreter-missing")]
)
def test_an_answer_that_does_not_do(tmp_path: Path, django: str | None, fails: bool, code: str) -> None:
    environment(tmp_path / "other", django, fails)
    with pytest.raises(UsageError) as caught:
        find(tmp_path, tmp_path, "other/bin/python")
    assert caught.value.code == code
    assert "other/bin/python" in caught.value.message


def test_an_answer_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(tmp_path, tmp_path, str(tmp_path / "nowhere"))
    assert caught.value.code == "interpreter-missing"


@pytest.mark.parametrize(
    ("django", "psycopg", "psycopg2"),
    [("5.2", "3.2.1", None), ("4.2", None, "2.9"), ("3.2", "3.2.1", "2.9")],
)
def test_a_driver_of_its_own_is_used(
    tmp_path: Path, django: str, psycopg: str | None, psycopg2: str | None
) -> None:
    python = Interpreter(tmp_path / "python", (3, 12), django, psycopg, psycopg2, False)
    assert driver(python, tmp_path) is None


def test_a_driver_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No index reachable: the error names the package, and no half folder is taken for a driver later."""
    from wizard.errors import StepFailed

    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    python = Interpreter(Path(sys.executable), (3, 12), "5.2", None, None, False)
    with pytest.raises(StepFailed) as caught:
        driver(python, tmp_path)
    assert caught.value.code == "driver-missing"
    assert "psycopg[binary]" in caught.value.hint
    assert not (tmp_path / "driver").exists()
