"""The command line: instant help, exit codes, and no prompt without a terminal."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from wizard import __version__
from wizard.cli import _with_command, build_parser, main
from wizard.manual import PAGES

ENTRY = "from screens.__main__ import main; main()"
HEAVY = ("textual", "boto3", "botocore", "psycopg", "obstore", "pydantic", "httpx", "yaml", "keyring")


def ashore(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\ntry:\n    from screens.__main__ import main; main()\n"
        f"finally:\n    sys.stderr.write(repr(sorted(set(sys.modules) & set({HEAVY!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "usage: ashore [PATH]" in done.stdout
    assert done.stderr == "[]"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    parser = build_parser()
    commands = next(a for a in parser._actions if a.dest == "command").choices
    assert commands is not None
    for name in commands:
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([name, "--help"])
        assert ended.value.code == 0, name
        assert len(capsys.readouterr().out.split("\n\n")) >= 3, name


def test_advise_compares_on_the_scanned_sizes(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as db, db:
        db.execute("CREATE TABLE t (a)")
    text = ashore("advise", str(tmp_path), "--budget", "5")
    assert text.returncode == 0
    assert "Recommended: Neon" in text.stdout
    assert "Nothing has been written" in text.stdout
    found = json.loads(ashore("advise", str(tmp_path), "--users", "50000", "--json").stdout)
    assert (found["version"], found["users"], found["budget"]) == (1, 50000, 20.0)
    assert [o["kind"] for o in found["offers"] if o["recommended"]] == ["database", "storage"]
    for wrong in ("-1", "many", "nan"):
        assert ashore("advise", str(tmp_path), "--budget", wrong).returncode == 2


def test_version() -> None:
    assert ashore("--version").stdout == f"ashore {__version__}\n"


def test_the_wizard_without_a_terminal_names_the_headless_way(tmp_path: Path) -> None:
    done = ashore(str(tmp_path))
    assert done.returncode == 2
    assert "ashore run -a" in done.stderr


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = ashore("scan", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("flags", [(), ("--events",), ("--secrets-stdin",)])
def test_run_without_a_terminal_asks_nothing_and_does_nothing(tmp_path: Path, flags: tuple[str, ...]) -> None:
    answers = tmp_path / "ashore.yml"
    answers.write_text("version: 1\nproject: .\n")
    done = ashore("run", "-a", str(answers), "--state-dir", str(tmp_path / "state"), *flags, stdin="{}")
    assert done.returncode == 2
    assert "--yes" in done.stderr


@pytest.mark.parametrize("secrets", ["", "[]", '{"env:A": 1}', "hunter2secret"])
def test_bad_secrets_on_standard_input_are_refused_and_not_repeated(tmp_path: Path, secrets: str) -> None:
    answers = tmp_path / "ashore.yml"
    answers.write_text("version: 1\nproject: .\n")
    done = ashore("run", "-a", str(answers), "--secrets-stdin", stdin=secrets)
    assert done.returncode == 2
    assert "standard input" in done.stderr.lower()
    assert "hunter2" not in done.stderr


def test_every_command_has_a_page_with_examples_that_can_be_parsed() -> None:
    parser = build_parser()
    commands = next(a for a in parser._actions if a.dest == "command").choices
    assert commands is not None
    for name in commands:
        assert len(PAGES[name].about) > 60 and PAGES[name].examples, name
        for command, _ in PAGES[name].examples:
            words = shlex.split(command.rpartition("| ashore ")[2].removeprefix("ashore "), comments=True)
            end = next((at for at, word in enumerate(words) if word in "|>"), len(words))
            words = [] if words == ["ashore"] else words[:end]
            parser.parse_args(_with_command(words, set(commands)))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command_and_takes_files(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert ended.value.code == 0
    script = capsys.readouterr().out
    commands = next(a for a in build_parser()._actions if a.dest == "command").choices
    assert commands and all(name in script for name in commands) and "secrets-stdin" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True).returncode == 0


def test_an_error_names_its_code_and_explain_knows_it(tmp_path: Path) -> None:
    done = ashore("scan", str(tmp_path / "nowhere"))
    assert "[project-missing]" in done.stderr
    said = ashore("scan", "--explain", "project-missing")
    assert said.returncode == 0 and "exit code 2" in said.stdout and "Name the app's folder." in said.stdout
