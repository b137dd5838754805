"""Asking one thing on one line: numbered choices, a default in brackets, help, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap

WIDTH = 78
WAYS = "Type a number, or ? for help, back, or quit. Enter takes what stands in [brackets]."


class Back(Exception):
    """The user wants the question before this one."""


class Quit(Exception):
    """The user wants to leave; answers are kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """A numbered choice: `name` is the answer."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Talk:
    """The terminal. `read` shows a prompt and returns a line without its end, `read_secret` the same without
    echo; both raise EOFError at the end of input. `put` writes a line."""

    read: Callable[[str], str]
    read_secret: Callable[[str], str]
    put: Callable[[str], None]

    def say(self, text: str = "", indent: int = 0) -> None:
        """A text, folded at WIDTH; its own line breaks are kept."""
        for line in text.split("\n"):
            own = len(line) - len(line.lstrip())
            for number, part in enumerate(wrap(line, max(20, WIDTH - indent - own)) or [""]):
                hang = 2 if number else 0
                self.put(" " * (indent + own + hang if part else 0) + part)

    def heading(self, text: str) -> None:
        """A step's title, set apart by an empty line."""
        self.put("")
        self.put(text)

    def line(self, prompt: str, help: str = "", *, secret: bool = False) -> str:
        """One line as typed, without blanks at its ends. `?` shows `help` and asks again.

        Raises Back for `back`, Quit for `quit` and at the end of input.
        """
        while True:
            try:
                typed = (self.read_secret if secret else self.read)(prompt).strip()
            except EOFError:
                raise Quit from None
            word = typed.lower()
            if word == "?":
                self.say(help or "There is no more to say about this.", 2)
            elif word == "back":
                raise Back
            elif word in ("quit", "exit"):
                raise Quit
            else:
                return typed

    def choose(
        self, title: str, lines: Sequence[Line], default: str | None = None, help: str = "", extra: str = ""
    ) -> str:
        """The name of the line chosen by its number (or name). `extra` names words that are answers too,
        separated by blanks; a typed line that begins with one of them is returned whole."""
        self.say(title)
        for number, line in enumerate(lines, 1):
            self.say(f"{number}. {line.words}", 2)
        known = {line.name: number for number, line in enumerate(lines, 1)}
        shown = f" [{known[default]}]" if default in known else ""
        while True:
            typed = self.line(f"Number{shown}: ", help)
            if not typed and default in known:
                return str(default)
            if typed.isdigit() and 1 <= int(typed) <= len(lines):
                return lines[int(typed) - 1].name
            if typed in known or (typed and typed.split()[0] in extra.split()):
                return typed
            self.say(f"Please type a number from 1 to {len(lines)}." if lines else WAYS, 2)
