"""Step 8: what arrived, and what is left for a person to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Static

from screens.base import BaseScreen
from screens.help import Dialog
from screens.report_text import report_text
from screens.session import NOTHING_WRITTEN


class ReportScreen(BaseScreen):
    """The report of the run just watched, or of an earlier one; from here it is synced."""

    step = "report"
    heading = "Report"
    AUTO_FOCUS = "#body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "none", show=False),
        Binding("s", "sync", "Sync now"),
        Binding("enter", "app.quit", "Close"),
    ]
    help_text = """
What was compared and what differed, what was changed, and what is left for you to do, in order. The same
stands in report.html in the run's folder.

s carries over what changed at the source since the snapshot, rows and files, and compares it. It may be done
as often as you like, until the app has switched over.

Do not delete the old data before the app has run on the new for a while. `ashore undo` restores the
project's files and the rewritten references."""

    def __init__(self) -> None:
        super().__init__()
        self._report: Mapping[str, object] = {}

    def body(self) -> Iterable[Widget]:
        yield Static(id="synced", markup=False)
        yield Static("Reading the report…", id="content", markup=False)
        yield Static(id="where", classes="quiet", markup=False)

    def onward(self) -> str:
        return "Sync now"

    def on_mount(self) -> None:
        if self.session.written == NOTHING_WRITTEN:
            # The report of an earlier run: this wizard has not watched what it wrote.
            self.session.written = "What was written stands in the report."
        super().on_mount()
        said = self.session.synced
        self.query_one("#synced", Static).update(f"✓ Synced: {said}\n" if said else "")
        self.query_one("#synced").display = bool(said)
        self.query_one("#next").display = False
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
        self._report = report
        mark = "✓" if report.get("status") == "done" else "✗"
        self.query_one("#heading", Static).update(f"{mark} {report.get('headline', self.heading)}")
        self.query_one("#where", Static).update(f"Report: {self.session.folder}/report.html")
        self.query_one("#next", Button).display = self._syncable()
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        content = self.query_one("#content", Static)
        if self._report:
            content.update(report_text(self._report, content.size.width or self.size.width - 4))

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._draw)

    # Syncing ------------------------------------------------------------------------------------------

    def _syncable(self) -> bool:
        return self._report.get("status") == "done" and self.session.folder is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Syncing only after a run that was verified."""
        return self._syncable() if action == "sync" else super().check_action(action, parameters)

    def forward(self) -> None:
        self.action_sync()

    def action_sync(self) -> None:
        def answer(pressed: str | None) -> None:
            if pressed == "sync" and self.session.folder is not None:
                self.clear_problem()
                self.wizard.take_up(self.session.folder, sync=True)

        self.app.push_screen(
            Dialog(
                "Carry over what changed?",
                "Rows and files that changed at the source since the snapshot are carried over and compared. "
                "Pause what writes to the app first: what is written afterwards stays behind.",
                (("sync", "Sync now"), ("not", "Not now")),
            ),
            answer,
        )

    def action_none(self) -> None:
        """A run that has ended is not gone back to."""
