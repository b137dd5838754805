"""A run on screen: watched, left, joined, stopped, resumed, and gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.screens import double, drive
from tests.screens.double import Double, RunInfo
from wizard.events import Failed, Finished, Progress, StepFinished

STATE = Path("/state")
RUN = "20261120-140200-abc123"


async def start(pilot: Pilot[Any]) -> None:
    await drive.at(pilot, "review")
    await drive.onward(pilot)
    await drive.to_run(pilot)


def earlier(state: str) -> RunInfo:
    return RunInfo(RUN, state, "20261120-140200", STATE / RUN, "copy")


async def test_leaving_lets_the_run_go_on_and_it_can_be_joined() -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await pilot.press("ctrl+q")
    assert engine.stopped == 0 and app.exit_code == 0

    engine.earlier = (earlier("running"),)
    again = drive.wizard(engine)
    async with again.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, f"Run {RUN} is at work now")
        await pilot.press("enter")
        await drive.step(pilot, "run")
        await drive.says(pilot, "8,890 of 13,073")
        engine.go.set()
        await drive.says(pilot, "Done, and verified")
    assert len(engine.started) == 1


async def test_stopping_is_asked_for_and_can_be_gone_on_from() -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await pilot.press("ctrl+c")
        await drive.says(pilot, "Stop the run safely?")
        await pilot.press("escape")
        assert engine.stopped == 0
        await pilot.press("ctrl+c")
        await drive.says(pilot, "Stop the run safely?")
        await pilot.press("right", "enter")
        await drive.says(pilot, "Nothing is half written")
        assert engine.stopped == 1
        engine.go.clear()
        await pilot.press("r")
        await drive.until(pilot, lambda: engine.resumed == [RUN])
        # The same secrets go to the new process.
        assert engine.handed[-1]["keyring:backend/database-url"].reveal() == double.GOOD_URL
        await drive.says(pilot, "Safe to leave")


async def test_a_process_that_is_gone_is_said_to_be_gone() -> None:
    engine = Double(STATE, gone=True)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await drive.says(pilot, "process is gone before it finished")
        await drive.says(pilot, "Written to so far: the run's folder, Neon.")
        await pilot.press("r")
        await drive.says(pilot, "Safe to leave")
        assert engine.resumed == [RUN]


async def test_a_failure_says_what_happened_what_was_written_and_what_to_do() -> None:
    failed = Failed("copy", "disk-full", "Neon says: the disk is full.", "Make room there.", True)
    engine = Double(STATE, after=(failed, Finished("failed", 1)))
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        engine.go.set()
        await drive.says(pilot, "✗ Neon says: the disk is full.")
        await drive.says(pilot, "Written to so far: the run's folder, Neon.")
        await drive.says(pilot, "Make room there. Then press r")
        await drive.says(pilot, "✗ copy")
        await pilot.press("ctrl+q")
    assert app.exit_code == 1


async def test_an_unfinished_run_is_offered_and_goes_on_with_the_keyring() -> None:
    engine = Double(STATE, earlier=(earlier("interrupted"),))
    engine.draft = {
        "database": {"provider": "neon", "url": "keyring:backend/database-url"},
        "storage": [{"provider": "leave"}],
    }
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "is not finished: interrupted, at step copy")
        await pilot.press("enter")
        await drive.step(pilot, "run")
    assert engine.resumed == [RUN]


async def test_going_on_asks_again_for_secrets_that_were_only_in_memory(monkeypatch: Any) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    engine = Double(STATE, keyring_usable=False, earlier=(earlier("stopped"),))
    engine.draft = {"database": {"provider": "neon", "url": "env:DATABASE_URL"}, "storage": []}
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "is not finished: stopped")
        await pilot.press("enter")
        await drive.step(pilot, "credentials")
        await drive.says(pilot, "it was kept in memory only")
        await drive.paste(pilot, double.GOOD_URL)
        await pilot.press("enter")
        await drive.says(pilot, "✓ connected")
        await pilot.press("enter")
        await drive.step(pilot, "run")
    assert engine.resumed == [RUN]
    assert engine.handed[0]["env:DATABASE_URL"].reveal() == double.GOOD_URL


async def test_an_ended_run_offers_its_report() -> None:
    app = drive.wizard(Double(STATE, earlier=(earlier("done"),)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "has ended: done")
        await pilot.press("enter")
        await drive.step(pilot, "report")
        await drive.says(pilot, "ashore sync 20261120-140200-abc123")


async def test_syncing_from_the_report_is_a_run_that_is_watched() -> None:
    after = (StepFinished("cutover", 1.0, "3 rows written"), Finished("done", 0))
    engine = Double(STATE, after=after)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        drive.answered(app)
        app.session.folder = STATE / RUN
        app.go("report")
        await drive.says(pilot, "Everything arrived")
        await pilot.press("s")
        await drive.says(pilot, "Pause what writes")
        await pilot.press("enter")
        await drive.step(pilot, "run")
        engine.go.set()
        await drive.says(pilot, "Done, and verified")
        await pilot.press("enter")
        await drive.says(pilot, "✓ Synced: 3 rows written")
    assert engine.synced == [RUN]
    assert engine.handed[0]["keyring:backend/database-url"].reveal() == double.GOOD_URL


async def test_a_warning_opens_and_the_log_shows_the_steps() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await start(pilot)
        await pilot.press("l")
        await drive.says(pilot, "✓ schema: 25 tables")
        await pilot.press("escape")
        app.screen.query_one("#notes").focus()
        await pilot.press("down", "enter")
        await drive.says(pilot, "All about nul_bytes.")


async def test_a_flood_of_events_is_drawn_once_a_tick() -> None:
    flood = tuple(Progress("copy", "core_timer", n, 50_000, "rows") for n in range(5_000))
    engine = Double(STATE, before=double.RUNNING[:-1] + flood)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.at(pilot, "review")
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "run")
        drawn = 0
        real = app.screen._draw  # type: ignore[attr-defined]

        def counted() -> None:
            nonlocal drawn
            drawn += 1
            real()

        app.screen._draw = counted  # type: ignore[attr-defined]
        await drive.says(pilot, "4,999 of 50,000")
    assert drawn < 250


@pytest.mark.long
async def test_keys_come_in_between_fifty_thousand_events(monkeypatch: pytest.MonkeyPatch) -> None:
    flood = tuple(Progress("copy", f"table_{n % 40}", n, 50_000, "rows") for n in range(50_000))
    last = Progress("copy", "", 50_000, 50_001, "rows", item="the last one")
    engine = Double(STATE, before=(*double.RUNNING[:-1], *flood, last))
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        drive.answered(app)
        app.session.folder = STATE / RUN
        # As on a machine so slow that a tick's time is up before the first event.
        monkeypatch.setattr("screens.run.TAKE_SECONDS", -1.0)
        app.go("run")
        await drive.step(pilot, "run")
        screen = app.screen
        await drive.until(pilot, lambda: bool(screen._arrived))  # type: ignore[attr-defined]
        app.simulate_key("f1")
        await drive.until(pilot, lambda: app.screen is not screen)
        # The help stands there although the flood has not been taken in yet.
        assert len(screen._arrived) > 50_000  # type: ignore[attr-defined]
        monkeypatch.setattr("screens.run.TAKE_SECONDS", 0.02)
        await pilot.press("escape")
        await drive.says(pilot, "now: the last one")
