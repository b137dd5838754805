"""What a table of prices leaves out stands in the help of the two screens that have one."""

from __future__ import annotations

from typing import cast

import pytest

from screens.database import OffersScreen
from tests.screens import drive
from tests.screens.double import Double
from tests.screens.test_path import STATE


@pytest.mark.long
@pytest.mark.parametrize("name", ["database", "files"])
async def test_the_notes_stand_in_the_help(name: str) -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(120, 60)) as pilot:
        await drive.onward(pilot)
        app.session.users = 500
        app.go(name)
        await drive.step(pilot, name)
        title, lines = cast("OffersScreen", app.screen).help_questions()[-1]
        assert title == "What a table of prices leaves out"
        assert any("30 days, not 90" in line for line in lines)
        assert any("500 people a month, not measured" in line for line in lines)
        await pilot.press("f1")
        await drive.says(pilot, "Help:")
