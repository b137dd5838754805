"""Leaving, drafts, signals, and breaking without showing anything."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.screens import double, drive
from tests.screens.double import Double

STATE = Path("/state")


async def test_leaving_keeps_a_draft_without_secrets() -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        await drive.paste(pilot, double.GOOD_URL)
        await pilot.press("enter")
        await drive.paste(pilot, "half-typed")
        await pilot.press("ctrl+c")
        await drive.says(pilot, "Leave ashore?")
        await pilot.press("right", "enter")
    draft = engine.saved["draft.yml"]
    assert draft["storage"][0]["bucket"] == "half-typed"  # type: ignore[index]
    assert not any(secret in repr(draft) for secret in double.SECRETS)

    engine.draft = draft
    again = drive.wizard(engine)
    async with again.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "Go on from them")
        await pilot.press("enter")
        again.go("credentials")
        await drive.step(pilot, "credentials")
        await drive.says(pilot, "half-typed")


async def test_ctrl_c_before_a_run_can_be_thought_better_of() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        await pilot.press("ctrl+c")
        await drive.says(pilot, "Leave ashore?")
        await pilot.press("enter")
        await drive.step(pilot, "at_risk")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_leaves_in_order(number: signal.Signals) -> None:
    def of_the_caller(number: int, frame: object) -> None:
        """As the demo has one, to stop its servers."""

    before = signal.signal(number, of_the_caller)
    try:
        await _left_by(number)
        # Whoever opened the wizard hears the next signal again.
        assert signal.getsignal(number) is of_the_caller
    finally:
        signal.signal(number, before)


async def _left_by(number: signal.Signals) -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        os.kill(os.getpid(), number)
        await drive.until(pilot, lambda: app._exit)
    assert app.return_code == app.exit_code == 128 + number
    assert engine.saved["draft.yml"]["database"]["provider"] == "neon"  # type: ignore[index]


async def test_breaking_shows_the_kind_and_place_but_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)

    def breaks() -> None:
        secret = double.GOOD_URL
        raise RuntimeError(secret)

    with pytest.raises(RuntimeError):
        async with app.run_test(size=(80, 24)) as pilot:
            await drive.onward(pilot)
            app.call_later(breaks)
            await pilot.pause()
    said = capsys.readouterr().err
    assert "RuntimeError at test_app.py" in said
    assert not any(secret in said for secret in double.SECRETS)
    assert app.exit_code == 3
    assert "The details, without secrets, are in /state/ashore-crash.txt" in said
    assert isinstance(engine.crashes[0], RuntimeError)
