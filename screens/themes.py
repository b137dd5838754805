"""The colours: dark, light, and the terminal's own sixteen. No mark depends on any of them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

DARK = Theme(
    name="ashore",
    primary="#5fb3c9",
    secondary="#8fb8a8",
    accent="#e0b36a",
    foreground="#d8dee4",
    background="#12171c",
    surface="#182028",
    panel="#202a33",
    success="#7fc48f",
    warning="#e0b36a",
    error="#e58177",
    dark=True,
)
LIGHT = Theme(
    name="ashore-light",
    primary="#0b6780",
    secondary="#3c6657",
    accent="#6f4800",
    foreground="#1b232a",
    background="#fbfaf7",
    surface="#f0eee8",
    panel="#e3e0d8",
    success="#1f6f35",
    warning="#6f4800",
    error="#a8281c",
    dark=False,
)
# What the sixteen colours of code and diffs become on each ground: all readable there.
DARK_SIXTEEN = TerminalTheme(
    (0x12, 0x17, 0x1C),
    (0xD8, 0xDE, 0xE4),
    [
        *((0x5B, 0x66, 0x70), (0xE5, 0x81, 0x77), (0x7F, 0xC4, 0x8F), (0xE0, 0xB3, 0x6A)),
        *((0x82, 0xB1, 0xF0), (0xC7, 0x9B, 0xE0), (0x5F, 0xB3, 0xC9), (0xD8, 0xDE, 0xE4)),
    ],
)
LIGHT_SIXTEEN = TerminalTheme(
    (0xFB, 0xFA, 0xF7),
    (0x1B, 0x23, 0x2A),
    [
        *((0x1B, 0x23, 0x2A), (0xA8, 0x28, 0x1C), (0x1F, 0x6F, 0x35), (0x6F, 0x48, 0x00)),
        *((0x1D, 0x4F, 0xA3), (0x7A, 0x2E, 0x95), (0x0B, 0x67, 0x80), (0x4A, 0x52, 0x59)),
    ],
)
THEMES: tuple[Theme, ...] = (DARK, LIGHT)
NAMES: Mapping[str, str] = {
    "dark": DARK.name,
    "light": LIGHT.name,
    "16": "ansi-dark",
    "16-light": "ansi-light",
}
_MANY_COLOURS = ("256color", "direct", "kitty", "truecolor")


def chosen(environ: Mapping[str, str]) -> str:
    """The theme for this terminal: what ASHORE_THEME names (dark, light, 16, 16-light), else the terminal's
    sixteen colours where TERM and COLORTERM promise no more; light where COLORFGBG tells of a light one."""
    named = NAMES.get(environ.get("ASHORE_THEME", "").strip().lower())
    if named is not None:
        return named
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    light = ground.isdigit() and int(ground) in (7, *range(9, 16))
    many = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or environ.get("TERM", "").endswith(
        _MANY_COLOURS
    )
    return NAMES[("light" if light else "dark") if many else ("16-light" if light else "16")]
