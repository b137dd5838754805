"""Lists where one line is chosen, or several are ticked: the marks are text, so no colour is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option


@dataclass(frozen=True, slots=True)
class Item:
    """One line: `name` is the answer, `title` and `about` are shown."""

    name: str
    title: str
    about: str = ""


class Chooser(OptionList):
    """One of several, ( ) or (•), or with `several` any of them, [ ] or [x]; ▸ marks the caret."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "select", "Choose", show=True)]

    class Chosen(Message):
        """A line was chosen or its tick changed; `marked` holds every marked name."""

        def __init__(self, chooser: Chooser, name: str, marked: frozenset[str]) -> None:
            super().__init__()
            self.chooser = chooser
            self.name = name
            self.marked = marked

        @property
        def control(self) -> Chooser:
            return self.chooser

    class Moved(Message):
        """The caret stands on another line."""

        def __init__(self, chooser: Chooser, name: str) -> None:
            super().__init__()
            self.chooser = chooser
            self.name = name

        @property
        def control(self) -> Chooser:
            return self.chooser

    def __init__(
        self,
        items: Sequence[Item] = (),
        marked: Iterable[str] = (),
        *,
        several: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id, compact=True)
        self._several = several
        self._items: tuple[Item, ...] = ()
        self.marked: frozenset[str] = frozenset()
        self.show(items, marked)

    def show(self, items: Sequence[Item], marked: Iterable[str]) -> None:
        """Replace the lines and the marks."""
        self._items = tuple(items)
        self.marked = frozenset(marked)
        self.clear_options()
        self.add_options([Option("") for _ in self._items])
        if self._items:
            self.highlighted = next((i for i, item in enumerate(self._items) if item.name in self.marked), 0)
        self._draw()

    @property
    def items(self) -> tuple[Item, ...]:
        """The lines, in order."""
        return self._items

    def _draw(self) -> None:
        marks = ("[x]", "[ ]") if self._several else ("(•)", "( )")
        for index, item in enumerate(self._items):
            pointer = "▸" if index == self.highlighted and self.has_focus else " "
            text = Text(f"{pointer} {marks[0] if item.name in self.marked else marks[1]} {item.title}")
            if item.about:
                text.append(f"   {item.about}")
            self.replace_option_prompt_at_index(index, text)

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._draw()
        self.post_message(self.Moved(self, self._items[event.option_index].name))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        name = self._items[event.option_index].name
        self.marked = self.marked ^ {name} if self._several else frozenset({name})
        self._draw()
        self.post_message(self.Chosen(self, name, self.marked))
