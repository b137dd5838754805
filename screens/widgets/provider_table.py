"""Providers side by side: price now and at ten times, first limit, backups, date of the figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from wizard.api import Offer


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `name` is the answer; a line without an offer has only a title and a note."""

    name: str
    title: str
    note: str = ""
    offer: Offer | None = None


# Column: heading, width. Those at the end are dropped first where the terminal is narrow.
COLUMNS = (
    ("Provider", 19),
    ("A month", 9),
    ("at 10x", 8),
    ("First limit you meet", 26),
    ("Prices of", 11),
    ("Backups", 17),
)


def price(value: float | None) -> str:
    """`$6`, `$5.30`, or `–` where the plan cannot hold the data."""
    if value is None:
        return "–"
    return f"${value:,.0f}" if value == int(value) else f"${value:,.2f}"


def columns_for(width: int) -> int:
    """How many columns fit into `width` cells."""
    used = 3
    for number, (_, size) in enumerate(COLUMNS):
        used += size
        if used > width:
            return max(number, 3)
    return len(COLUMNS)


def line(row: Row, columns: int, mark: str) -> Text:
    """One row as text; `mark` is two cells."""
    text = Text(mark, no_wrap=True, overflow="ellipsis")
    if row.offer is None:
        text.append(row.title)
        if row.note:
            text.append(f"   {row.note}")
        return text
    offer = row.offer
    cells = (
        row.title,
        price(offer.monthly_now),
        price(offer.monthly_at_10x),
        offer.first_limit,
        offer.as_of + (" *" if offer.second_hand else "") + (" old" if offer.stale else ""),
        offer.backups,
    )
    for number, (cell, (_, width)) in enumerate(zip(cells, COLUMNS, strict=True)):
        if number == columns:
            break
        fitted = cell if len(cell) < width else cell[: width - 2] + "… "
        text.append(f"{fitted:>{width - 2}}  " if number in (1, 2) else f"{fitted:<{width}}")
    return text


class ProviderTable(OptionList):
    """A list of rows. The highlighted one carries ▸, the one chosen before ●, the recommended one ★."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, compact=True)
        self.rows: tuple[Row, ...] = ()
        self._chosen: int | None = None

    def show(self, rows: Iterable[Row], chosen: int | None) -> None:
        """Replace the rows, keeping the highlight; the first time it goes to `chosen`."""
        keep = self.highlighted if self.rows else None
        self.rows = tuple(rows)
        self._chosen = chosen
        self.clear_options()
        self.add_options([Option("") for _ in self.rows])
        if self.rows:
            first = next((i for i, r in enumerate(self.rows) if r.offer and r.offer.recommended), 0)
            wanted = keep if keep is not None else chosen if chosen is not None else first
            self.highlighted = min(wanted, len(self.rows) - 1)
        self._draw()

    def heading(self) -> Text:
        """The line of headings for the current width."""
        text = Text("   ")
        for number, (title, width) in enumerate(COLUMNS[: columns_for(self.size.width or 77)]):
            text.append(f"{title:>{width - 2}}  " if number in (1, 2) else f"{title:<{width}}")
        return text

    def _draw(self) -> None:
        columns = columns_for(self.size.width or 77)
        for index, row in enumerate(self.rows):
            pointer = "▸" if index == self.highlighted else " "
            state = (
                "●"
                if index == self._chosen
                else "★"
                if row.offer is not None and row.offer.recommended
                else " "
            )
            self.replace_option_prompt_at_index(index, line(row, columns, f"{pointer}{state} "))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._draw()
