"""Step 8: what arrived, and what is left for a person to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from screens.base import BaseScreen
from screens.session import NOTHING_WRITTEN

# Told elsewhere on the screen, or only in report.html.
LEFT_OUT = ("version", "run", "project", "status", "headline", "at_risk", "steps", "beyond", "to_do")
LISTED = 12


def words(key: str) -> str:
    """A key of the report as a heading."""
    return key.replace("_", " ").capitalize()


def brief(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return " · ".join(
            f"{str(k).replace('_', ' ')} {brief(v)}" for k, v in value.items() if v not in (None, "")
        )
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(brief(item) for item in value) or "none"
    return str(value)


def _task(text: Text, number: int, item: object) -> None:
    """One thing to do: what, the commands or variables, and why."""
    if not isinstance(item, Mapping):
        text.append(f"  {number} {brief(item)}\n")
        return
    text.append(f"  {number} {item.get('what', '')}\n")
    for command in item.get("commands") or ():
        text.append(f"      {command}\n", "bold")
    for variable in item.get("variables") or ():
        text.append(f"      {variable['name']}", "bold").append(f"  {variable['about']}\n")
    if item.get("why"):
        text.append(f"    {item['why']}\n", "dim")


def report_text(report: Mapping[str, object]) -> Text:
    """What the report holds, for reading: what is left to do first, then each part in its order."""
    text = Text()
    items = report.get("to_do")
    if isinstance(items, Sequence) and items:
        text.append("For you to do, in this order\n", "bold")
        for number, item in enumerate(items, 1):
            _task(text, number, item)
        text.append("\n")
    for key, value in report.items():
        if key in LEFT_OUT or value in (None, [], {}):
            continue
        if isinstance(value, Sequence) and not isinstance(value, str):
            text.append(f"{words(key)}: {len(value)}\n", "bold")
            for item in value[:LISTED]:
                text.append(f"  {brief(item)}\n")
            if len(value) > LISTED:
                text.append(f"  and {len(value) - LISTED:,} more, in report.html\n")
        elif isinstance(value, Mapping):
            text.append(f"{words(key)}\n", "bold")
            for name, part in value.items():
                text.append(f"  {str(name).replace('_', ' ')}: {brief(part)}\n")
        else:
            text.append(f"{words(key)}: ", "bold").append(f"{brief(value)}\n")
    text.rstrip()
    return text


class ReportScreen(BaseScreen):
    """The report of the run just watched, or of an earlier one."""

    step = "report"
    heading = "Report"
    AUTO_FOCUS = "#body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "none", show=False),
        Binding("enter", "app.quit", "Close"),
    ]
    help_text = """
What was compared and what differed, what was changed, and what is left for you to do, in order. The same
stands in report.html in the run's folder.

Do not delete the old data before the app has run on the new for a while. `ashore undo` restores the
project's files and the rewritten references."""

    def body(self) -> Iterable[Widget]:
        yield Static("Reading the report…", id="content", markup=False)
        yield Static(id="where", classes="quiet", markup=False)

    def on_mount(self) -> None:
        if self.session.written == NOTHING_WRITTEN:
            # The report of an earlier run: this wizard has not watched what it wrote.
            self.session.written = "What was written stands in the report."
        super().on_mount()
        self.query_one("#body").can_focus = True
        self.query_one("#body").focus()
        folder = self.session.folder
        if folder is not None:
            self.ask(
                lambda: self.session.engine.report(folder), self._arrived, failed=lambda code: self._none()
            )

    def _none(self) -> None:
        self.query_one("#content", Static).update("")

    def _arrived(self, report: Mapping[str, object]) -> None:
        mark = "✓" if report.get("status") == "done" else "✗"
        self.query_one("#heading", Static).update(f"{mark} {report.get('headline', self.heading)}")
        self.query_one("#content", Static).update(report_text(report))
        self.query_one("#where", Static).update(f"Report: {self.session.folder}/report.html")

    def action_none(self) -> None:
        """A run that has ended is not gone back to."""
