"""A field for a secret. What Textual sees of it, in messages, reprs and on screen, is a row of dots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from wizard.questions.pasted import one_line

if TYPE_CHECKING:
    from wizard.api import Secret

DOTS = "•" * 12


class SecretInput(Input):
    """Takes a secret by typing or pasting; `secret` gives it back, `value` never does.

    The row of dots has the same length whatever is in it. The caret stays at the end; Backspace takes the
    last character, Ctrl+U everything; a paste replaces what stood there. There is no copying or cutting.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+u", "delete_left_all", "Clear", show=False)]

    class Edited(Message):
        """The content changed. `filled` says whether there is any, `pasted` whether it came at once."""

        def __init__(self, field: SecretInput, filled: bool, pasted: bool = False) -> None:
            super().__init__()
            self.field = field
            self.filled = filled
            self.pasted = pasted

        @property
        def control(self) -> SecretInput:
            return self.field

    class Rejected(Message):
        """A paste was not taken; `why` says so in words."""

        def __init__(self, field: SecretInput, why: str) -> None:
            super().__init__()
            self.field = field
            self.why = why

        @property
        def control(self) -> SecretInput:
            return self.field

    def __init__(
        self,
        make: Callable[[str], Secret],
        *,
        held: Secret | None = None,
        placeholder: str = "",
        id: str | None = None,
    ) -> None:
        """`make` wraps a string as a Secret; `held` is what was typed on an earlier visit."""
        super().__init__(
            DOTS if held else "", placeholder=placeholder, id=id, compact=True, select_on_focus=False
        )
        self.cursor_blink = False
        self._make = make
        self._held: Secret | None = held or None

    @property
    def secret(self) -> Secret | None:
        """What was entered, or None."""
        return self._held

    def hold(self, secret: Secret | None) -> None:
        """Put a secret in without telling: it came from another field's paste."""
        self._held = secret or None
        self.value = DOTS if secret else ""
        self.cursor_position = len(self.value)

    def _keep(self, text: str, *, pasted: bool = False) -> None:
        self.hold(self._make(text) if text else None)
        self.post_message(self.Edited(self, bool(text), pasted))

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = one_line(event.text.strip())
        if text == "":
            return
        if text is None:
            self.post_message(
                self.Rejected(
                    self, "What you pasted has several lines; a secret is one line. Nothing was taken."
                )
            )
            return
        self._keep(text, pasted=True)

    def replace(self, text: str, start: int, end: int) -> None:
        """Typed text is appended, wherever the caret was asked to be."""
        self._keep((self._held.reveal() if self._held else "") + text)

    def insert(self, text: str, index: int) -> None:
        self.replace(text, index, index)

    def delete(self, start: int, end: int) -> None:
        self._keep(self._held.reveal()[:-1] if self._held else "")

    def clear(self) -> None:
        self._keep("")

    def action_delete_left(self) -> None:
        self.delete(0, 0)

    def action_delete_left_all(self) -> None:
        self.clear()

    def action_delete_left_word(self) -> None:
        self.clear()

    def action_delete_right(self) -> None:
        """Nothing stands to the right of the caret."""

    def action_delete_right_word(self) -> None:
        self.clear()

    def action_delete_right_all(self) -> None:
        """Nothing stands to the right of the caret."""

    def action_cut(self) -> None:
        """A secret is never put on a clipboard."""

    def action_copy(self) -> None:
        """A secret is never put on a clipboard."""

    def action_paste(self) -> None:
        """The terminal's own paste is the way in; the app's clipboard holds no secrets."""
