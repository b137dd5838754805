"""Windows over a screen: help, a question with buttons, and the log of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Log, Static

from screens.run_view import RunView

MARKS = "✓ good   ✗ lost or refused   ! worth reading   · to know   ▸ caret"


class Dialog(ModalScreen[str]):
    """A text and buttons; ends with the name of the one pressed, or "" for Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Close"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "Button"

    def __init__(self, title: str, text: str | Text, buttons: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._buttons = tuple(buttons)

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = self._title
            with VerticalScroll(classes="text"):
                yield Static(self._text, markup=False)
            with Horizontal(classes="buttons"):
                for name, label in self._buttons:
                    yield Button(label, id=f"press-{name}", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss((event.button.id or "").removeprefix("press-"))

    def interrupt(self) -> None:
        """Ctrl+C closes the window and changes nothing."""
        self.dismiss("")


class HelpScreen(Dialog):
    """What this step is for, why each of its questions is asked and what the choices mean, and its keys."""

    def __init__(
        self,
        title: str,
        text: str,
        questions: Sequence[tuple[str, Sequence[str]]],
        keys: Sequence[tuple[str, str]],
    ) -> None:
        # Paragraphs are written folded in the code; here they fill the window.
        body = Text("".join(" ".join(part.split()) + "\n\n" for part in text.strip().split("\n\n")))
        for asked, lines in questions:
            body.append(f"{asked}\n", "bold")
            body.append("".join(f"{line}\n" for line in lines) + "\n")
        body.append("Keys\n", "bold")
        for key, about in keys:
            body.append(f"  {key:<12} {about}\n")
        body.append("\nMarks\n", "bold")
        body.append(f"  {MARKS}")
        super().__init__(f"Help: {title}", body, (("close", "Close"),))


class SaveScreen(ModalScreen[str]):
    """Asks for a file name, and once more where the file exists; ends with it, or "" for Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Close")]
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, text: str, proposed: str) -> None:
        super().__init__()
        self._title, self._text, self._proposed = title, text, proposed
        self._warned = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = self._title
            yield Static(self._text, markup=False)
            field = Input(self._proposed, compact=True, select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield Static("Enter saves, Escape does not.", id="hint", classes="quiet", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        name = event.value.strip()
        if name != self._warned and Path(name).expanduser().exists():
            self._warned = name
            self.query_one("#hint", Static).update(
                "! This file is there already. Enter again replaces it, Escape does not."
            )
            return
        self.dismiss(name)

    def interrupt(self) -> None:
        """Ctrl+C closes the window and saves nothing."""
        self.dismiss("")


class LogScreen(ModalScreen[None]):
    """The newest lines of a run's log, growing while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,l", "dismiss", "Close")]
    AUTO_FOCUS = "Log"

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self._view = view
        self._shown = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="window tall") as window:
            window.border_title = "Log (Escape closes)"
            yield Log(max_lines=2000)

    def on_mount(self) -> None:
        self._grow()
        self.set_interval(0.5, self._grow)

    def _grow(self) -> None:
        new = self._view.lines_said - self._shown
        if new > 0:
            lines = list(self._view.log)[-new:]
            self.query_one(Log).write_lines(lines)
            self._shown = self._view.lines_said

    def interrupt(self) -> None:
        """Ctrl+C closes the log; the run goes on."""
        self.dismiss()
