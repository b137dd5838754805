"""Step 1: what a redeploy does to this app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.widget import Widget
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from screens.base import BaseScreen
from screens.help import Dialog
from wizard.model import Evidence, Finding, Project, Store
from wizard.report_words import amount

if TYPE_CHECKING:
    from wizard.api import KeyringState, RunInfo

MARK = {"error": "✗", "warning": "!", "info": "·"}
OVER = ("done", "differences")
RUNNING = "running"


def store_text(store: Store, width: int) -> Text:
    """Two lines: what, where and when it is lost; then how much it is."""
    lost = f"✗ {', '.join(store.lost_on) or 'deploy'}" if not store.survives_redeploy else "✓ never"
    name = store.path + ("/" if store.kind == "uploads" and not store.path.endswith("/") else "")
    place = "this disk" if store.kind in ("sqlite", "uploads") else "a server"
    half = max(14, width - 34)
    text = Text(f"{name[: half - 1]:<{half}}{place:<12}{lost}", no_wrap=True, overflow="ellipsis")
    counts = []
    if store.tables:
        counts.append(f"{store.tables:,} tables, {store.rows:,} rows")
    if store.files:
        counts.append(f"{store.files:,} files")
    if store.bytes:
        counts.append(amount(store.bytes, "bytes"))
    if counts:
        text.append(f"\n  {', '.join(counts)}", "dim")
    return text


def place_of(evidence: tuple[Evidence, ...]) -> str:
    """`file:line` of the first evidence."""
    return f"{evidence[0].file}:{evidence[0].line}" if evidence else ""


def finding_text(finding: Finding, width: int) -> Text:
    """The message, folded, with its place at the end."""
    place = f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file or ""
    text = Text(f"{MARK[finding.severity]} {finding.message}")
    if place:
        text.append(f"  {place}", "dim")
    return text


class AtRiskScreen(BaseScreen):
    """Stores and findings; Enter on one shows the evidence."""

    step = "at_risk"
    heading = "What a redeploy does to this app"
    rail_from: ClassVar[int] = 80
    AUTO_FOCUS = "#next"
    help_text = """
ashore has read the project's files, without running them and without the network. Above: what holds data
and when it is lost. Below: what else it found. Nothing is changed by looking.

Until a verified copy of the data lies elsewhere, do not deploy, change variables or let the app restart."""

    def body(self) -> Iterable[Widget]:
        yield Static("Reading the project…", id="reading", markup=False)
        yield OptionList(id="rows", compact=True)
        yield Static("Tab to the rows; Enter on one shows the evidence.", id="hint", classes="quiet")

    def onward(self) -> str:
        return "Next"

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").display = False
        self.query_one("#hint").display = False
        if self.session.project is None:
            self.set_onward("Reading…", enabled=False)
            # What reading needs is imported while the first picture stands already.
            self.call_after_refresh(self.ask, self._read, self._arrived, failed=self._unreadable)
        else:
            self._show(self.session.project)

    def _read(self) -> tuple[Project, KeyringState, Mapping[str, object] | None, tuple[RunInfo, ...]]:
        engine, session = self.session.engine, self.session
        project = engine.scan(session.project_path)
        draft = engine.load_draft(project.root, session.state_dir)
        return project, engine.keyring_state(), draft, engine.runs(project.root, session.state_dir)

    def _arrived(
        self, read: tuple[Project, KeyringState, Mapping[str, object] | None, tuple[RunInfo, ...]]
    ) -> None:
        session = self.session
        session.project, session.keyring, draft, session.earlier_runs = read
        start = self.wizard.proposed if self.wizard.proposed is not None else draft
        if start:
            session.take(start)
        self._show(session.project)
        kept = draft is not None and self.wizard.proposed is None
        if session.earlier_runs:
            at_work = [r for r in session.earlier_runs if r.state == RUNNING]
            self._offer((at_work or list(session.earlier_runs))[-1], kept)
        elif kept:
            self._offer_answers()

    def _unreadable(self, code: str) -> None:
        self.query_one("#reading").display = False
        self.set_onward("Cannot go on", enabled=False)

    def _show(self, project: Project) -> None:
        from wizard import questions  # late: see screens.session

        self.redraw()
        self.query_one("#reading").display = False
        self._fill(project)
        if questions.asked(project, {}):
            steps = self.session.steps()
            self.set_onward(super().onward() if len(steps) > 1 else "Next")
            self.query_one("#next", Button).focus()
        else:
            self.set_onward("Nothing to move", enabled=False)
            self.show_problem(
                "No SQLite file and no uploads folder were found here.",
                "Start ashore in the app's folder, or name it: ashore PATH.",
            )

    def _fill(self, project: Project) -> None:
        rows = self.query_one("#rows", OptionList)
        width = (
            max(40, rows.size.width or self.size.width - (20 if self.size.width >= self.rail_from else 2)) - 2
        )
        rows.clear_options()
        half = max(14, width - 34)
        options: list[Option] = []
        if project.stores:
            options.append(Option(Text(f"{'Holds':<{half}}{'Where':<12}Lost when", "bold"), disabled=True))
            options += [Option(store_text(s, width), id=f"store-{i}") for i, s in enumerate(project.stores)]
        if project.findings:
            options.append(Option(Text("\nFound", "bold"), disabled=True))
            options += [
                Option(finding_text(f, width), id=f"finding-{i}") for i, f in enumerate(project.findings)
            ]
        rows.add_options(options)
        rows.display = self.query_one("#hint").display = bool(options)

    def on_resize(self) -> None:
        super().on_resize()
        if self.session.project is not None:
            self.call_after_refresh(self._fill, self.session.project)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Coming to the rows, the first is marked, so that Enter has something to open."""
        rows = self.query_one("#rows", OptionList)
        if event.widget is rows and rows.highlighted is None:
            rows.action_first()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        kind, _, number = (event.option_id or "").partition("-")
        project = self.session.known
        if kind == "store":
            store = project.stores[int(number)]
            seen = [f"{e.file}:{e.line}" for e in store.evidence]
            self._detail(store.path, store.why, seen)
        elif kind == "finding":
            finding = project.findings[int(number)]
            seen = (
                [f"{finding.file}:{finding.line}" if finding.line else finding.file] if finding.file else []
            )
            self.ask(
                lambda: self.session.engine.explain(finding.code),
                lambda more: self._detail(
                    finding.code, f"{finding.message}\n{finding.hint}\n\n{more}".strip(), seen
                ),
            )

    def _detail(self, title: str, text: str, seen: list[str]) -> None:
        body = text + ("\n\nSeen at\n  " + "\n  ".join(seen) if seen else "")
        self.app.push_screen(Dialog(title, body, (("close", "Close"),)))

    # An earlier run ---------------------------------------------------------------------------------

    def _offer_answers(self) -> None:
        from wizard import questions  # late: see screens.session

        said = ", ".join(
            option.title
            for key in ("database.provider", "storage.provider")
            for option in questions.find(key, self.session.known, self.session.replies).options
            if option.name == self.session.replies.get(key)
        )

        def answer(pressed: str | None) -> None:
            if pressed == "new":
                self.session.begin_anew()

        self.app.push_screen(
            Dialog(
                "Your answers of last time are kept",
                f"{said + '. ' if said else ''}Secrets are not among them. Nothing has been written.",
                (("on", "Go on from them"), ("new", "Begin anew")),
            ),
            answer,
        )

    def _offer(self, run: RunInfo, kept: bool) -> None:
        step = run.step or "not begun"
        if run.state == RUNNING:
            text = f"Run {run.run} is at work now, at step {step}."
            buttons = [("join", "Watch it"), ("look", "Look around")]
        elif run.state in OVER:
            text = f"Run {run.run} has ended: {run.state}."
            buttons = [("report", "See its report"), ("new", "Begin anew")]
        else:
            text = (
                f"Run {run.run} is not finished: {run.state}, at step {step}. What it has moved so far is "
                "kept; going on does not begin again."
            )
            buttons = [("resume", "Go on with it"), ("new", "Begin anew")]
        if kept and run.state != RUNNING:
            buttons.insert(1, ("look", "Back to the answers"))

        def answer(pressed: str | None) -> None:
            if pressed == "join":
                self.session.folder = run.folder
                self.wizard.go("run")
            elif pressed == "report":
                self.session.folder = run.folder
                self.wizard.go("report")
            elif pressed == "new":
                self.session.begin_anew()
            elif pressed == "resume":
                self.session.written = "What the earlier run moved is kept."
                self.wizard.take_up(run.folder)

        self.app.push_screen(Dialog("There is an earlier run", text, buttons), answer)
