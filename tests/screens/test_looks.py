"""Every screen at three sizes: dark, light, in sixteen colours and without any, as a person saw it.

A picture is the text, and for each look the styles in use with how many characters have them. To renew
them after a change that is meant: `ASHORE_LOOKS=write pytest tests/screens/test_looks.py -m ''`; then read
the difference.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.style import Style
from textual.filter import Monochrome
from textual.pilot import Pilot

from tests.screens import drive
from tests.screens.double import DECISION, Double

STATE = Path("/state")
LOOKS = Path(__file__).parent / "looks"
SIZES = ((60, 20), (80, 24), (140, 45))
THEMES = {"dark": "ashore", "light": "ashore-light", "16 colours": "ansi-dark"}
FRAMES = " ─│╭╮╰╯═║╔╗╚╝▏▎▔▁▂▃▄▅▆▇█░"
READABLE = 4.5  # WCAG 2.2, contrast of text, level AA
WORDS = {
    "at_risk": "Next",
    "database": "Recommended",
    "files": "Recommended",
    "credentials": "Secret key",
    "decisions": "( ) strip",
    "review": "Files to change",
    "run": "8,890 of 13,073",
    "report": "Everything arrived",
}


def styles(pilot: Pilot[Any]) -> Counter[str]:
    """The styles of all characters but blanks and frames."""
    found: Counter[str] = Counter()
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            found[_name(segment.style or Style())] += sum(c not in FRAMES for c in segment.text)
    return +found


def _name(style: Style) -> str:
    marks = [name for name in ("bold", "dim", "italic", "underline", "reverse") if getattr(style, name)]
    colours = [c.name if c is not None else "default" for c in (style.color, style.bgcolor)]
    return " ".join([colours[0], "on", colours[1], *marks])


async def picture(pilot: Pilot[Any]) -> tuple[str, dict[str, Counter[str]]]:
    """The text on screen and the styles of each look; every look shows the same text."""
    app = pilot.app
    text = drive.text(pilot)
    looks = {}
    for title, theme in THEMES.items():
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        assert drive.text(pilot) == text, title
        looks[title] = styles(pilot)
    app.theme = "ashore"
    app._filters.append(Monochrome())
    app.refresh_css(animate=False)
    await pilot.pause()
    await pilot.pause()
    looks["no colour"] = styles(pilot)
    app._filters.pop()
    app.refresh_css(animate=False)
    await pilot.pause()
    return text, looks


async def show(pilot: Pilot[Any], name: str) -> None:
    """A step as it looks in the middle of a wizard that was answered up to it."""
    session = pilot.app.session  # type: ignore[attr-defined]
    if name != "at_risk":
        drive.answered(pilot.app)  # type: ignore[arg-type]
        session.visited |= set(list(WORDS)[: list(WORDS).index(name)])
    session.found = (DECISION,) if name == "decisions" else session.found
    session.folder = STATE / "20261120-140200-abc123" if name in ("run", "report") else None
    pilot.app.go(name)  # type: ignore[attr-defined]
    await drive.step(pilot, name)
    await drive.says(pilot, WORDS[name])
    await drive.until(
        pilot, lambda: not [w for w in pilot.app.workers if w.group != "watch" and w.is_running]
    )


def _file(name: str, size: tuple[int, int]) -> Path:
    return LOOKS / f"{name}-{size[0]}x{size[1]}.txt"


def _written(text: str, looks: dict[str, Counter[str]]) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    for title, found in looks.items():
        lines += ["", f"== {title}", *(f"{count:>5} {style}" for style, count in sorted(found.items()))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "size",
    [pytest.param(s, id=f"{s[0]}x{s[1]}", marks=pytest.mark.long) for s in SIZES],
)
async def test_every_screen_looks_as_it_did(size: tuple[int, int]) -> None:
    app = drive.wizard(Double(STATE))
    changed: list[str] = []
    unreadable: set[str] = set()
    async with app.run_test(size=size) as pilot:
        await drive.onward(pilot)
        for name in WORDS:
            await show(pilot, name)
            text, looks = await picture(pilot)
            assert max(map(len, text.splitlines())) <= size[0]
            unreadable |= _unreadable(looks)
            now, file = _written(text, looks), _file(name, size)
            if os.environ.get("ASHORE_LOOKS") == "write":
                LOOKS.mkdir(exist_ok=True)
                file.write_text(now, encoding="utf-8")
            elif file.read_text(encoding="utf-8") != now:
                changed.append(f"{file.name} is now:\n{now}")
    assert not unreadable
    assert not changed, "\n".join(changed)


def _unreadable(looks: dict[str, Counter[str]]) -> set[str]:
    """Styles whose text does not stand out from its ground. Without colour there is none at all."""
    for style in looks["no colour"]:
        for colour in (style.split(" on ")[0], style.split(" on ")[1].split()[0]):
            assert len({*_rgb(colour)}) == 1, style
    assert not any("#" in style for style in looks["16 colours"])
    bad = set()
    for title in ("dark", "light"):
        for style in looks[title]:
            front, back = style.split(" on ")[0], style.split(" on ")[1].split()[0]
            if "dim" not in style.split() and _contrast(front, back) < READABLE:
                bad.add(f"{title}: {style}")
    return bad


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _contrast(front: str, back: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def light(colour: str) -> float:
        parts = [v / 255 for v in _rgb(colour)]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(front), light(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)
