"""The field for secrets: takes typing and pasting, and gives nothing away."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.message import Message

from screens.widgets.secret_input import DOTS, SecretInput
from wizard.credentials import Secret

VALUE = "p4ss word:with%odd@things"


class Field(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.why: list[str] = []

    def compose(self) -> ComposeResult:
        yield SecretInput(Secret)

    def post_message(self, message: Message) -> bool:
        self.told.append(repr(message))
        return super().post_message(message)

    def on_secret_input_rejected(self, event: SecretInput.Rejected) -> None:
        self.why.append(event.why)


async def test_typing_and_taking_back() -> None:
    app = Field()
    async with app.run_test() as pilot:
        field = app.query_one(SecretInput)
        await pilot.press("a", "b", "left", "home", "c")
        assert field.secret == Secret("abc")
        assert field.value == DOTS
        await pilot.press("backspace")
        assert field.secret == Secret("ab")
        await pilot.press("ctrl+u")
        assert field.secret is None and field.value == ""


async def test_a_paste_replaces_and_loses_its_edges() -> None:
    app = Field()
    async with app.run_test() as pilot:
        field = app.query_one(SecretInput)
        await pilot.press("x")
        field.post_message(events.Paste(f"  {VALUE}\n"))
        await pilot.pause()
        assert field.secret == Secret(VALUE)


async def test_several_lines_are_refused_with_words() -> None:
    app = Field()
    async with app.run_test() as pilot:
        field = app.query_one(SecretInput)
        field.post_message(events.Paste("one\ntwo"))
        await pilot.pause()
        assert field.secret is None
        assert "several lines" in app.why[0]


async def test_length_copy_and_messages_give_nothing_away() -> None:
    app = Field()
    async with app.run_test() as pilot:
        field = app.query_one(SecretInput)
        field.post_message(events.Paste(VALUE))
        await pilot.pause()
        long = app.export_screenshot()
        await pilot.press("ctrl+shift+a", "ctrl+x", "ctrl+shift+a", "ctrl+c", "ctrl+v", "enter")
        await pilot.pause()
        assert app.clipboard == ""
        assert field.secret == Secret(VALUE)
        assert VALUE not in repr(field) + repr(vars(field)) + str(app.told) + long
        field.post_message(events.Paste("s"))
        await pilot.pause()
        assert field.value == DOTS


async def test_what_was_held_before_is_shown_as_dots() -> None:
    app = Field()
    async with app.run_test() as pilot:
        field = SecretInput(Secret, held=Secret(VALUE))
        await app.mount(field)
        await pilot.pause()
        assert field.value == DOTS and field.secret == Secret(VALUE)
