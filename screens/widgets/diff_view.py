"""A unified diff. The signs at the line's start carry the meaning; colour only helps."""

from __future__ import annotations

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

STYLES = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def coloured(diff: str) -> Text:
    """The diff as text: added, removed and place lines told apart."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for line in diff.splitlines():
        style = next((style for start, style in STYLES if line.startswith(start)), "")
        text.append(line + "\n", style)
    text.rstrip()
    return text


class DiffView(VerticalScroll):
    """Shows one file's diff, scrolled by the arrow keys when focused."""

    can_focus = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(Static(markup=False), id=id)

    def show(self, path: str, diff: str) -> None:
        """Replace what is shown. An empty diff says so."""
        self.border_title = path
        self.query_one(Static).update(coloured(diff) if diff else Text("No text to show.", "dim"))
        self.scroll_home(animate=False)
