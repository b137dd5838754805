"""A unified diff with the code's own colours, side by side where there is room.

The signs at the lines' start and their numbers carry the meaning; colour only helps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from rich.syntax import Syntax
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

SIDE_BY_SIDE_FROM = 110
HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$")
LEXERS = (
    (".py", "python"),
    (".ts", "typescript"),
    (".tsx", "tsx"),
    (".js", "javascript"),
    (".mjs", "javascript"),
    (".yaml", "yaml"),
    (".yml", "yaml"),
    (".toml", "toml"),
    (".json", "json"),
    ("Dockerfile", "docker"),
    (".prisma", "graphql"),
    (".env.example", "bash"),
    (".env", "bash"),
)
STYLES = {"+": "green", "-": "red", " ": ""}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: its sign, its number before and after (0 where it has none), its coloured text.

    The sign `@` marks a place line, `\\` a remark.
    """

    sign: str
    before: int
    after: int
    text: Text


def coloured(path: str, code: str) -> list[Text]:
    """The code's lines in the terminal's own colours; plain where the language is not known."""
    lexer = next((name for ending, name in LEXERS if path.endswith(ending)), None)
    if lexer is None:
        return [Text(line) for line in code.split("\n")]
    # The sixteen ANSI colours follow the theme: dark, light, or the terminal's.
    found = Syntax("", lexer, theme="ansi_dark").highlight(code)
    return list(found.split("\n", allow_blank=True))


def lines(path: str, diff: str) -> list[Line]:
    """The diff's lines after its two headings. Each side of a hunk is coloured as a whole, so that a text
    over several lines keeps its colour."""
    found: list[Line] = []
    hunk: list[str] = []
    before = after = 0

    def close() -> Iterator[Line]:
        old = iter(coloured(path, "\n".join(raw[1:] for raw in hunk if raw[:1] != "+")))
        new = iter(coloured(path, "\n".join(raw[1:] for raw in hunk if raw[:1] != "-")))
        here, there = before, after
        for raw in hunk:
            sign = raw[:1] or " "
            empty = Text()
            left = next(old, empty) if sign != "+" else empty
            right = next(new, empty) if sign != "-" else empty
            yield Line(
                sign, here if sign != "+" else 0, there if sign != "-" else 0, left if sign == "-" else right
            )
            here += sign != "+"
            there += sign != "-"

    for raw in diff.splitlines():
        place = HUNK.match(raw)
        if place is not None:
            found += close()
            hunk = []
            before, after = int(place[1]), int(place[2])
            found.append(Line("@", before, after, Text(raw)))
        elif raw.startswith(("---", "+++")) and not hunk and not before:
            continue
        elif raw.startswith("\\"):
            found += close()
            hunk = []
            found.append(Line("\\", 0, 0, Text(raw)))
        else:
            hunk.append(raw)
    found += close()
    return found


def _cell(line: Line | None, number: int, width: int) -> Text:
    """One side's line on `width` cells: number, sign, code."""
    if line is None:
        return Text(" " * width)
    style = STYLES.get(line.sign, "")
    cell = Text(f"{number or '':>4} ", no_wrap=True)
    cell.append(f"{line.sign} ", f"bold {style}".strip()).append_text(line.text)
    cell.truncate(width, overflow="ellipsis", pad=True)
    return cell


def unified(found: Iterable[Line], width: int) -> Text:
    """One line under the other."""
    rows = []
    for line in found:
        if line.sign in "@\\":
            rows.append(Text(line.text.plain, "cyan"))
        else:
            cell = _cell(line, line.after or line.before, max(width, 20))
            cell.rstrip()
            rows.append(cell)
    return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)


def side_by_side(found: Iterable[Line], width: int) -> Text:
    """What was at the left, what comes at the right; a block that changed is set against what replaces it."""
    half = (width - 3) // 2
    rows: list[Text] = []
    left: list[Line] = []
    right: list[Line] = []

    def flush() -> None:
        for old, new in zip_longest(left, right):
            row = _cell(old, old.before if old else 0, half).append(" │ ", "dim")
            rows.append(row.append_text(_cell(new, new.after if new else 0, half)))
        left.clear()
        right.clear()

    for line in found:
        if line.sign == "-":
            left.append(line)
        elif line.sign == "+":
            right.append(line)
        else:
            flush()
            if line.sign == " ":
                left.append(line)
                right.append(line)
                flush()
            else:
                rows.append(Text(line.text.plain, "cyan"))
    flush()
    return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)


class DiffView(VerticalScroll):
    """Shows one file's diff, scrolled by the arrow keys when focused."""

    can_focus = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(Static(markup=False), id=id)
        self._lines: list[Line] = []

    def show(self, path: str, diff: str) -> None:
        """Replace what is shown. An empty diff says so."""
        self.border_title = path
        self._lines = lines(path, diff)
        self._draw()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.size.width - 3
        if not self._lines:
            text = Text("No text to show.", "dim")
        elif width >= SIDE_BY_SIDE_FROM - 3:
            text = side_by_side(self._lines, width)
        else:
            # Lines that are wider than the window are scrolled to.
            longest = max(line.text.cell_len for line in self._lines) + 8
            text = unified(self._lines, max(width, longest))
        self.query_one(Static).update(text)
