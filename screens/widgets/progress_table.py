"""Bars in text, one line a table or storage, and a line for how the rate went."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from screens.run_view import Part
from wizard.report_words import amount

SPARKS = "▁▂▃▄▅▆▇█"


def bar(done: int, total: int | None, width: int) -> str:
    """`████░░░░`; all empty where the total is not known."""
    if not total:
        return ("█" if total == 0 else "░") * width
    full = max(0, min(width, done * width // total))
    return "█" * full + "░" * (width - full)


def spark(rates: Sequence[float]) -> str:
    """The rates as small columns, the highest full."""
    top = max(rates, default=0.0)
    if top <= 0:
        return ""
    return "".join(SPARKS[min(7, int(rate / top * 7))] for rate in rates)


def line(part: Part, width: int, name: str | None = None) -> Text:
    """One part on `width` cells: name, bar, how far."""
    label = name or part.name
    room = max(8, min(28, width // 4))
    label = label if len(label) < room else label[: room - 2] + "…"
    bars = max(8, width - room - 34)
    if part.total is not None and part.done >= part.total:
        how = f"done   {amount(part.done, part.unit)}"
    elif part.total:
        percent = f"{part.done * 100 // part.total} %"
        how = f"{percent:<6} {amount(part.done, part.unit)} of {amount(part.total, part.unit)}"
    else:
        how = amount(part.done, part.unit)
    text = Text(f"{label:<{room}} ", no_wrap=True, overflow="ellipsis")
    text.append(bar(part.done, part.total, bars), "cyan")
    return text.append(f"  {how}")


class ProgressTable(Static):
    """The parts of the step at work; those under way first, then the newest finished."""

    def show(self, parts: Sequence[Part], limit: int) -> None:
        """Redraw with at most `limit` lines; says how many more there are."""
        width = self.size.width or 60
        active = [p for p in parts if p.total is None or p.done < p.total]
        finished = [p for p in reversed(parts) if p.total is not None and p.done >= p.total]
        shown = (active + finished)[:limit]
        text = Text("\n").join(line(part, width) for part in shown)
        hidden = len(parts) - len(shown)
        if hidden > 0:
            text.append(f"\n· and {hidden} more", "dim")
        self.update(text)
