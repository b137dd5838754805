"""The list of steps at the left, and where the user is in it."""

from __future__ import annotations

from collections.abc import Collection

from rich.text import Text
from textual.widgets import Static

from screens.session import STEPS


def rail_text(current: str, visited: set[str], applies: Collection[str]) -> Text:
    """● here, ✓ behind, ○ to come, · not needed for these answers."""
    text = Text()
    order = [name for name, _ in STEPS]
    here = order.index(current)
    for position, (name, title) in enumerate(STEPS):
        if name == current:
            mark, style = "●", "bold"
        elif name not in applies:
            mark, style = "·", "dim"
        elif position < here and name in visited:
            mark, style = "✓", ""
        else:
            mark, style = "○", "dim"
        text.append(f"{mark} {title}\n", style)
    text.rstrip()
    return text


class Rail(Static):
    """The steps. Hidden where the terminal is narrow; the heading counts them there."""

    def show(self, current: str, visited: set[str], applies: Collection[str]) -> None:
        """Redraw for the step `current`."""
        self.border_title = "Steps"
        self.update(rail_text(current, visited, applies))
