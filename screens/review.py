"""Step 6: what will be done, what each step writes, and the changes to the project's files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
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


def steps_text(plan: Plan, width: int) -> Text:
    """A line a step: title and detail, then what it writes."""
    text = Text(no_wrap=True, overflow="ellipsis")
    name_room = 12
    writes_room = min(34, max(26, width // 3))
    middle = max(12, width - name_room - writes_room)
    for step in plan.steps:
        what = step.detail or step.title
        what = what if len(what) < middle else what[: middle - 2] + "…"
        text.append(f"{step.name:<{name_room}}{what:<{middle}}")
        text.append(f"  writes {step.writes}\n", "dim" if step.writes == "nothing" else "")
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
        answers, secrets = session.answers(skipped=False), dict(session.secrets)

        def arrived(plan: Plan) -> None:
            session.plan, session.plan_for, session.diffs = plan, now, {}
            self._show(plan)

        self.ask(
            lambda: session.engine.make_plan(session.known.root, answers, secrets),
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
        title = self.query_one("#files-title", Static)
        title.update(f"Files changed: {len(plan.edits)}, once all is proven")
        title.display = True
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
            steps.update(steps_text(self.session.plan, steps.size.width or self.size.width - 4))

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
        if self.session.plan is None:
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
        path = Path(name).expanduser()
        answers = session.answers()
        plan = asdict(session.plan) if session.plan is not None else {}

        def work() -> Path:
            session.engine.save_answers(answers, path)
            beside = path.with_suffix(".plan.json")
            try:
                beside.write_text(json.dumps(plan, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            except OSError as error:
                raise self._unsaved(beside, error) from error
            return beside

        def saved(beside: Path) -> None:
            place = self.query_one("#saved", Static)
            place.update(
                f"✓ saved {path} and {beside.name}; to run them without the screen: ashore run -a {path}"
            )
            place.display = True
            place.scroll_visible(animate=False)

        self.ask(work, saved, group="save")

    def _unsaved(self, path: Path, error: OSError) -> Exception:
        return self.session.engine.AshoreError(
            "file-unwritable", f"{path} cannot be written: {error.strerror}.", "Name another file."
        )

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
