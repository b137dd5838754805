"""Every step as a picture, at two sizes; a picture that changes is looked at by a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.screens import drive
from tests.screens.double import DECISION, Double

STATE = Path("/state")
SMALL, LARGE = (80, 24), (120, 40)
WORDS = {
    "at_risk": "Next",
    "database": "Recommended",
    "files": "Recommended",
    "credentials": "Secret key",
    "decisions": "( ) strip",
    "review": "DATABASES",
    "run": "8,890 of 13,073",
    "report": "Everything arrived",
}


# Wide terminals draw the same words with the rail beside them; those that fill the width are looked at.
PICTURES = [(name, SMALL) for name in WORDS] + [(name, LARGE) for name in ("database", "review", "run")]


@pytest.mark.parametrize(("name", "size"), PICTURES, ids=[f"{n}-{w}x{h}" for n, (w, h) in PICTURES])
def test_step(name: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await drive.onward(pilot)
        session = pilot.app.session  # type: ignore[attr-defined]
        if name != "at_risk":
            drive.answered(pilot.app)  # type: ignore[arg-type]
            session.visited |= set(list(WORDS)[: list(WORDS).index(name)])
        if name == "decisions":
            session.found = (DECISION,)
        if name in ("run", "report"):
            session.folder = STATE / "20261120-140200-abc123"
        pilot.app.go(name)  # type: ignore[attr-defined]
        await drive.step(pilot, name)
        await drive.says(pilot, WORDS[name])
        await drive.until(
            pilot, lambda: not [w for w in pilot.app.workers if w.group != "watch" and w.is_running]
        )

    assert snap_compare(drive.wizard(Double(STATE)), terminal_size=size, run_before=show)
