"""The line above the keys: what has been written so far, and the way on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static


class StatusLine(Horizontal):
    """Left: what has been written. Right: the button that goes on."""

    def __init__(self, written: str, onward: str) -> None:
        super().__init__()
        self._written = written
        self._onward = onward

    def compose(self) -> ComposeResult:
        yield Static(self._written, id="written", markup=False)
        if self._onward:
            yield Button(self._onward, id="next", compact=True)

    def say(self, written: str) -> None:
        """Replace the left part."""
        self.query_one("#written", Static).update(written)
