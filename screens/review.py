"""Step 6: what will be done, what each step writes, and the changes to the project's files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from screens.base import BaseScreen
from screens.help import SaveScreen
from screens.widgets.chooser import Chooser, Item
from screens.widgets.diff_view import DiffView
from wizard.model import Edit, Plan

if TYPE_CHECKING:
    from wizard.api import RunHandle


def steps_text(plan: Plan, width: int, wanted: int) -> Text:
    """A step: its name, title or detail, and what it writes; each folded inside its own column.

    `wanted` is how many of the planned files are to be changed.
    """
    text = Text()
    name_room = 12
    writes_room = max(20, min(44, (width - name_room) * 2 // 5))
    middle = max(12, width - name_room - writes_room - 2)
    for step in plan.steps:
        name, style = step.name, "dim" if step.writes == "nothing" else ""
        detail = f"{wanted} files, once all is proven" if step.name == "patch" else step.detail
        what = wrap(detail or step.title, middle)
        writes = wrap(f"writes {step.writes}", writes_room)
        for left, right in zip_longest(what, writes, fillvalue=""):
            text.append(f"{name:<{name_room}}{left:<{middle}}  ").append(f"{right}\n", style)
            name = ""
    text.rstrip()
    return text


class ReviewScreen(BaseScreen):
    """The plan. Nothing outside the run's folder has been written when it is shown."""

    step = "review"
    heading = "This is what will happen"
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "save", "Save plan and answers")]
    help_text = """
Each line is a step, in order, with what it writes to. The project's files are changed last, once all data
is proven, and only those ticked: Space skips one. `ashore undo` restores their exact bytes.

s saves the answers as a file for `ashore run -a FILE`, and the plan beside it as JSON; neither holds a
secret. Start begins the run as a process of its own: this screen may be closed, the run goes on."""

    def body(self) -> Iterable[Widget]:
        yield Static("Making the plan…", id="planning", markup=False)
        yield Static(id="steps", markup=False)
        yield Static(id="files-title", classes="subject", markup=False)
        yield Chooser(several=True, id="edits")
        yield Static(id="why", markup=False)
        yield DiffView(id="diff")
        yield Static(id="by-hand", markup=False)
        yield Static(id="saved", markup=False)

    def onward(self) -> str:
        return "Start"

    def on_mount(self) -> None:
        super().on_mount()
        for name in ("#edits", "#why", "#diff", "#by-hand", "#saved", "#files-title"):
            self.query_one(name).display = False
        self._make_plan()

    def _make_plan(self) -> None:
        session = self.session
        now = session.fingerprint(decisions=True)
        if session.plan is not None and session.plan_for == now:
            self._show(session.plan)
            return
        self.set_onward("Planning…", enabled=False)
        # All edits are planned, so that a file skipped on an earlier visit can be ticked again.
        answers, secrets, found = session.answers(skipped=False), dict(session.secrets), session.decided()

        def arrived(plan: Plan) -> None:
            session.plan, session.plan_for, session.diffs = plan, now, {}
            self._show(plan)

        self.ask(
            lambda: session.engine.make_plan(session.known.root, answers, secrets, found),
            arrived,
            failed=lambda code: self._failed(),
        )

    def _failed(self) -> None:
        self.query_one("#planning").display = False
        self.set_onward("Plan again")

    def _show(self, plan: Plan) -> None:
        self.query_one("#planning").display = False
        self._draw_steps()
        edits = self.query_one("#edits", Chooser)
        paths = {edit.path for edit in plan.edits}
        items = [Item(e.path, e.path, f"+{e.added} −{e.removed}") for e in plan.edits]
        self._count(plan)
        edits.show(items, paths - self.session.skipped)
        edits.display = bool(items)
        self._by_hand(plan)
        self.set_onward("Start")
        self.query_one("#next").focus()
        if plan.edits:
            self._diff(plan.edits[0])

    def _draw_steps(self) -> None:
        if self.session.plan is not None:
            steps = self.query_one("#steps", Static)
            width = steps.size.width or self.size.width - 4
            steps.update(steps_text(self.session.plan, width, self._wanted(self.session.plan)))

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._draw_steps)

    def _by_hand(self, plan: Plan) -> None:
        text = Text("For you to change by hand", "bold")
        for item in plan.instructions:
            text.append(f"\n! {item.file}:{item.line}  {item.why}\n", "not bold")
            text.append("\n".join(f"    {line}" for line in item.text.splitlines()), "not bold")
        place = self.query_one("#by-hand", Static)
        place.update(text)
        place.display = bool(plan.instructions)

    # Files ------------------------------------------------------------------------------------------

    def _edit(self, path: str) -> Edit | None:
        plan = self.session.plan
        return next((e for e in plan.edits if e.path == path), None) if plan is not None else None

    def on_chooser_moved(self, event: Chooser.Moved) -> None:
        edit = self._edit(event.name)
        if edit is not None:
            self._diff(edit)

    def on_chooser_chosen(self, event: Chooser.Chosen) -> None:
        self.session.skipped ^= {event.name}
        if self.session.plan is not None:
            self._count(self.session.plan)
            self._draw_steps()

    def _wanted(self, plan: Plan) -> int:
        return sum(edit.path not in self.session.skipped for edit in plan.edits)

    def _count(self, plan: Plan) -> None:
        """How many of the files will be changed."""
        wanted = self._wanted(plan)
        some = "" if wanted == len(plan.edits) else f" of {len(plan.edits)}"
        title = self.query_one("#files-title", Static)
        title.update(f"Files to change: {wanted}{some}, once all is proven")
        title.display = True

    def _diff(self, edit: Edit) -> None:
        session = self.session
        plan = session.plan
        reasons = list(dict.fromkeys(splice.reason for splice in edit.splices if splice.reason))
        why = self.query_one("#why", Static)
        why.update("Why: " + "; ".join(reasons))
        why.display = bool(reasons)
        if edit.path in session.diffs or plan is None:
            self._draw_diff(edit.path, session.diffs.get(edit.path, ""))
            return

        def arrived(diff: str) -> None:
            session.diffs[edit.path] = diff
            self._draw_diff(edit.path, diff)

        known: Plan = plan
        self.ask(lambda: session.engine.diff(known, edit), arrived, group="diff")

    def _draw_diff(self, path: str, diff: str) -> None:
        view = self.query_one("#diff", DiffView)
        view.display = True
        view.show(path, diff)

    # Saving and starting ------------------------------------------------------------------------------

    def action_save(self) -> None:
        session = self.session
        if session.plan is None:
            return
        proposed = str(self.session.known.root / "ashore.yml")
        self.app.push_screen(
            SaveScreen(
                "Save the answers",
                "The answers go to this file, the plan beside it as .plan.json. Neither holds a secret.",
                proposed,
            ),
            self._save,
        )

    def _save(self, name: str | None) -> None:
        if not name:
            return
        session = self.session
        path = Path(name).expanduser().absolute()
        root, secrets, answers = session.known.root, dict(session.secrets), session.answers()
        found = session.decided()
        # Beside the app, the file goes with it wherever the folder is moved to.
        portable = answers | {"project": "."} if path.parent == root else answers

        def work() -> Path:
            # The plan on screen holds every edit; the saved one only those that these answers lead to.
            plan = session.engine.make_plan(root, answers, secrets, found)
            beside = path.with_suffix(".plan.json")
            session.engine.save_answers(portable, path)
            session.engine.save_plan(plan, beside)
            return beside

        def saved(beside: Path) -> None:
            session.written = f"{path.name} and {beside.name} have been written, nothing else."
            self.redraw()
            place = self.query_one("#saved", Static)
            place.update(
                f"✓ saved {path} and {beside.name}; to run them without the screen: ashore run -a {path}"
            )
            place.display = True
            self.show_later("#saved")

        self.query_one("#saved", Static).update("Saving…")
        self.query_one("#saved").display = True
        self.show_later("#saved")
        self.ask(work, saved, group="save", failed=lambda code: self._unsaved())

    def _unsaved(self) -> None:
        self.query_one("#saved").display = False

    def forward(self) -> None:
        session = self.session
        if session.plan is None:
            self.clear_problem()
            self._make_plan()
            return
        self.set_onward("Starting…", enabled=False)
        self.clear_problem()
        answers, secrets = session.answers(), dict(session.secrets)
        root = session.known.root

        def work() -> RunHandle:
            path = session.engine.draft_path(root, session.state_dir)
            session.engine.save_answers(answers, path)
            return session.engine.start_run(path, secrets, session.state_dir)

        def started(handle: RunHandle) -> None:
            session.folder = handle.folder
            self.wizard.go("run")

        self.ask(work, started, group="start", failed=lambda code: self.set_onward("Start"))
