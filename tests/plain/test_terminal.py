"""`ashore --plain` on a real terminal: what is typed, what is shown, and what the terminal is left as."""

from __future__ import annotations

import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import pty
import termios

SECONDS = 60.0
# Of no server.
SECRET = "postgresql://ann:n0t-to-be-seen@127.0.0.1:1/shop"


class Terminal:
    """A terminal with the wizard in it. What was shown is in `shown`."""

    def __init__(self, project: Path, state: Path) -> None:
        self.main, self.side = pty.openpty()
        self.before = termios.tcgetattr(self.side)
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "screens", "--plain", "--state-dir", str(state), str(project)],
            stdin=self.side, stdout=self.side, stderr=self.side, cwd=project,
            env={**kept, "TERM": "xterm", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
            preexec_fn=_own_terminal,
        )  # fmt: skip
        self.shown = ""

    def until(self, pattern: str) -> str:
        """Wait until a text is shown; returns what came since the last one, up to its end."""
        deadline = time.monotonic() + SECONDS
        while (found := re.search(pattern, self.shown, re.DOTALL)) is None:
            if not select.select([self.main], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{pattern!r} never came; the terminal says:\n{self.shown}")
            try:
                self.shown += os.read(self.main, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
            except OSError:
                raise AssertionError(f"it ended before {pattern!r} came:\n{self.shown}") from None
        seen, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return seen

    def type(self, text: str, end: str = "\n") -> None:
        os.write(self.main, (text + end).encode())

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.side)[3] & termios.ECHO)

    def ended(self) -> int:
        """Its exit code; the rest of what it said is read meanwhile, or it could not write it."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.main], [], [], 0.05)[0]:
                self.shown += os.read(self.main, 65536).decode("utf-8", "replace")
        while select.select([self.main], [], [], 0)[0]:
            self.shown += os.read(self.main, 65536).decode("utf-8", "replace")
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.main)
        os.close(self.side)


def _own_terminal() -> None:
    """The child leads a session whose terminal is its standard input, so that Ctrl+C reaches it."""
    import fcntl

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The wizard over a folder that holds nothing but a SQLite file."""
    project = tmp_path / "shop"
    project.mkdir()
    with closing(sqlite3.connect(project / "shop.db")) as database:
        database.execute("CREATE TABLE bolt (id integer PRIMARY KEY, name text)")
        database.execute("INSERT INTO bolt VALUES (1, 'a')")
        database.commit()
    opened = Terminal(project, tmp_path / "state")
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.long
def test_questions_are_answered_by_keys_and_no_secret_is_shown(terminal: Terminal) -> None:
    said = terminal.until(r"Where should the database live\?.*Number.*: ")
    assert "shop.db: LOST on" in said and "1 rows" in said
    terminal.type("99")
    terminal.until(r"Please type a number from 1 to \d+\.\s+Number.*: ")
    terminal.type("?")
    assert "Nothing is bought by choosing" in " ".join(terminal.until(r"Number[^:]*: ").split())
    terminal.type("postgres")
    terminal.until(r"Connection string, not shown: ")
    terminal.type("back")
    # What was said before is the default now.
    assert terminal.until(r"Where should the database live\?.*Number \[\d\]: ")
    terminal.type("")
    terminal.until(r"Connection string, not shown: ")
    assert not terminal.echoes()
    terminal.type(SECRET)
    said = terminal.until(r"REFUSED: connect.*Number \[1\]: ")
    assert "n0t-to-be-seen" not in said
    assert terminal.echoes()
    terminal.type("quit")
    assert terminal.ended() == 0
    assert "Your answers are kept, without secrets" in terminal.shown
    assert "n0t-to-be-seen" not in terminal.shown


@pytest.mark.long
def test_ctrl_c_while_a_secret_is_asked_gives_the_terminal_back(terminal: Terminal) -> None:
    terminal.until(r"Where should the database live\?.*Number.*: ")
    terminal.type("postgres")
    terminal.until(r"Connection string, not shown: ")
    assert not terminal.echoes()
    terminal.type("n0t-to-be-seen", end="\x03")
    assert terminal.ended() == 0
    assert termios.tcgetattr(terminal.side) == terminal.before
    assert "Left. Your answers are kept" in terminal.shown and "Traceback" not in terminal.shown
    assert "n0t-to-be-seen" not in terminal.shown
