"""Draws the pictures that the README shows: `python -m tests.screens.shots [FOLDER]`.

They are taken from the real app over the recorded double, so that the same code draws the same picture.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.screens import drive
from tests.screens.double import Double

SHOTS = Path(__file__).parent / "shots"
SIZE = (100, 30)
STATE = Path("/state")
SEEN = {"at_risk", "database", "files", "credentials"}


async def _at_risk(pilot: Pilot[Any]) -> None:
    await drive.onward(pilot)


async def _review(pilot: Pilot[Any]) -> None:
    await drive.onward(pilot)
    pilot.app.session.visited |= SEEN  # type: ignore[attr-defined]
    await drive.at(pilot, "review")
    await drive.says(pilot, "DATABASES")


async def _run(pilot: Pilot[Any]) -> None:
    await drive.onward(pilot)
    drive.answered(pilot.app)  # type: ignore[arg-type]
    pilot.app.session.visited |= SEEN | {"review"}  # type: ignore[attr-defined]
    pilot.app.session.folder = STATE / "20261120-140200-abc123"  # type: ignore[attr-defined]
    pilot.app.go("run")  # type: ignore[attr-defined]
    await drive.says(pilot, "8,890 of 13,073")


PICTURES: tuple[tuple[str, Callable[[Pilot[Any]], Awaitable[None]]], ...] = (
    ("at-risk", _at_risk),
    ("review", _review),
    ("run", _run),
)


async def draw(folder: Path) -> None:
    """Write one SVG a picture into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, show in PICTURES:
        app = drive.wizard(Double(STATE))
        async with app.run_test(size=SIZE) as pilot:
            await show(pilot)
            await pilot.pause()
            picture = app.export_screenshot(title="ashore")
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else SHOTS))
