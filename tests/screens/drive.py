"""Hands for the tests: keys, pastes, and waiting for what a user would wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Static

from screens.app import WizardApp
from tests.screens import double
from tests.screens.double import Double
from wizard import questions
from wizard.credentials import Secret

TRIES = 300


def wizard(engine: Double, proposed: dict[str, object] | None = None, theme: str = "ashore") -> WizardApp:
    """The app over a double, its clock standing still and nothing animated."""
    app = WizardApp(double.ROOT, engine, Path("/state"), proposed, lambda: 100.0, theme)
    app.animation_level = "none"
    return app


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Wait for something a user would wait for; fails after a few seconds with the screen's text."""
    for _ in range(TRIES):
        await pilot.pause()
        if true():
            return
        await pilot.pause(0.03)
    raise AssertionError("this never came; the screen says:\n" + text(pilot))


def text(pilot: Pilot[Any]) -> str:
    """All that is on screen, as lines."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def step(pilot: Pilot[Any], name: str) -> None:
    """Wait for a step of the wizard to be shown."""
    await until(pilot, lambda: getattr(pilot.app.screen, "step", "") == name)


async def onward(pilot: Pilot[Any]) -> None:
    """Wait until the button that goes on may be pressed."""

    def ready() -> bool:
        found = list(pilot.app.screen.query("#next").results(Button))
        return bool(found) and not found[0].disabled

    await until(pilot, ready)


async def says(pilot: Pilot[Any], words: str) -> None:
    """Wait until the screen shows these words, wherever a line is folded."""
    frame = str.maketrans("│█▏", "   ")
    await until(pilot, lambda: words in " ".join(text(pilot).translate(frame).split()))


async def paste(pilot: Pilot[Any], value: str) -> None:
    """Paste into the focused field, as a terminal does."""
    assert pilot.app.screen.focused is not None
    pilot.app.screen.focused.post_message(events.Paste(value))
    await pilot.pause()


def shown(pilot: Pilot[Any], selector: str) -> str:
    """The text of one Static."""
    return str(pilot.app.screen.query_one(selector, Static).visual)


async def credentials(pilot: Pilot[Any]) -> None:
    """The credentials screen, its fields empty, for Neon and R2."""
    await onward(pilot)
    pilot.app.session.replies |= {"database.provider": "neon", "storage.provider": "r2"}  # type: ignore[attr-defined]
    pilot.app.go("credentials")  # type: ignore[attr-defined]
    await step(pilot, "credentials")


async def to_credentials(pilot: Pilot[Any]) -> None:
    """From the first screen, with keys: Neon, R2, private."""
    await step(pilot, "at_risk")
    await onward(pilot)
    await pilot.press("enter")
    await step(pilot, "database")
    await says(pilot, "Recommended")
    await pilot.press("enter")
    await step(pilot, "files")
    await says(pilot, "Recommended")
    await pilot.press("enter")
    await step(pilot, "credentials")


async def fill_credentials(pilot: Pilot[Any]) -> None:
    """Every field of the credentials screen, right ones, and both tests passed."""
    await paste(pilot, double.GOOD_URL)
    await pilot.press("enter")
    await says(pilot, "✓ connected")
    await paste(pilot, "my-app-media")
    await pilot.press("enter")
    await paste(pilot, "https://a.example.com")
    await pilot.press("enter")
    await paste(pilot, double.GOOD_KEY)
    await pilot.press("enter")
    await paste(pilot, double.GOOD_SECRET)
    await pilot.press("enter")
    await says(pilot, "✓ put, read and delete")


async def to_review(pilot: Pilot[Any]) -> None:
    """On from filled credentials: the decision is `strip`."""
    await pilot.press("enter")
    await step(pilot, "decisions")
    await says(pilot, "( ) strip")
    await pilot.press("space")
    await onward(pilot)
    await pilot.press("enter")
    await step(pilot, "review")
    await onward(pilot)
    session = pilot.app.session  # type: ignore[attr-defined]
    await until(pilot, lambda: bool(session.diffs))


async def to_run(pilot: Pilot[Any]) -> None:
    """On from the review until the recorded events are drawn."""
    await pilot.press("enter")
    await step(pilot, "run")
    await says(pilot, "8,890 of 13,073")


def answered(app: WizardApp) -> None:
    """As if every question had been answered on screen, for tests of what comes after."""
    session = app.session
    session.project = double.PROJECT
    session.keyring = session.engine.keyring_state()
    session.replies |= {
        "database.provider": "neon",
        "storage.provider": "r2",
        "storage.bucket": "my-app-media",
        "storage.endpoint": "https://a.example.com",
    }
    given = {"url": double.GOOD_URL, "access_key": double.GOOD_KEY, "secret_key": double.GOOD_SECRET}
    for question in questions.asked(session.known, session.replies, "credentials"):
        if question.kind == "secret":
            session.put_secret(question, Secret(given[question.key.partition(".")[2]]))
    session.found, session.found_for = (), session.fingerprint(decisions=False)


async def at(pilot: Pilot[Any], name: str) -> None:
    """Show a step with every question answered."""
    await onward(pilot)
    answered(pilot.app)  # type: ignore[arg-type]
    pilot.app.go(name)  # type: ignore[attr-defined]
    await step(pilot, name)
