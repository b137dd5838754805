"""Step 7: the run, watched. It is a process of its own; this screen only reads what it tells."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import BaseScreen
from screens.help import Dialog, LogScreen
from screens.run_view import RunView
from screens.widgets.progress_table import ProgressTable, line, spark
from wizard.events import Event
from wizard.model import STEP_NAMES
from wizard.report_words import amount

if TYPE_CHECKING:
    from wizard.api import RunHandle

TICK = 0.1
TAKE_SECONDS = 0.02
MARKS = {"finished": "✓", "started": "▶", "failed": "✗"}
ENDS = {
    "done": "✓ Done, and verified.",
    "differences": "✗ Done, but source and target differ.",
    "failed": "✗ The run stopped at a failure.",
    "stopped": "· Stopped, as you asked.",
}


def clock_text(seconds: float) -> str:
    """`00:41`, or `1:02:03` from an hour."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


class RunScreen(BaseScreen):
    """Steps, bars, rate, warnings; stop, leave, log."""

    step = "run"
    heading = "Starting…"
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log", "Log"),
        Binding("ctrl+c", "stop", "Stop safely", priority=True),
        Binding("ctrl+q", "leave_running", "Leave it running", priority=True),
        Binding("ctrl+q", "leave", "Leave", priority=True),
        Binding("r", "resume", "Go on"),
        Binding("escape", "none", show=False),
    ]
    help_text = """
The run is a process of its own. Leaving with Ctrl+Q, closing the terminal or a crash of this screen does
not touch it; `ashore` or `ashore resume` joins it again.

Ctrl+C asks, then stops at the next safe point: nothing is left half written, and r goes on from there.
Enter on a warning shows all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.view = RunView()
        self._arrived: deque[Event] = deque()
        self._stop = threading.Event()
        self._begun = 0.0
        self._drawn_second = -1
        self._step_begun: dict[str, float] = {}
        self._watching = False
        self._notes_shown = 0

    @property
    def goes_on(self) -> bool:
        """Whether the run is not known to have ended."""
        return self.view.finished is None and self.session.folder is not None

    def body(self) -> Iterable[Widget]:
        yield Static(id="step-line", markup=False)
        yield Static(id="end", markup=False)
        yield Static(id="whole", markup=False)
        yield Static(id="rate", markup=False)
        yield Static(id="item", classes="quiet", markup=False)
        yield ProgressTable(id="parts", markup=False)
        yield OptionList(id="notes", compact=True)

    def onward(self) -> str:
        return "See the report"

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#next").display = False
        self.query_one("#notes").display = False
        self._watch()
        self.set_interval(TICK, self._tick)

    def on_unmount(self) -> None:
        self._stop.set()

    def action_none(self) -> None:
        """There is no way back from a run that was started."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`r` only where there is something to go on with; stopping and leaving it only while it runs."""
        if action == "resume":
            return self._resumable()
        if action in ("stop", "leave_running"):
            return self._watching
        if action == "leave":
            return not self._watching
        return super().check_action(action, parameters)

    # Watching -----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        folder = self.session.folder
        if folder is None:
            return
        engine, arrived = self.session.engine, self._arrived
        self._stop = stop = threading.Event()
        self.view = RunView()
        self._notes_shown = 0
        self._watching = True
        self._begun = self.wizard.clock()

        def follow() -> None:
            for event in engine.watch(folder, stop):
                arrived.append(event)

        self.ask(follow, lambda _: self._ended(), group="watch", failed=lambda code: self._ended())

    def _ended(self) -> None:
        """The stream is over: at its last line, or because the process is gone."""
        self._watching = False
        self._tick(force=True)
        view = self.view
        end = self.query_one("#end", Static)
        if view.finished is None:
            self.session.exit_code = 1
            self.show_problem(
                "The run's process is gone before it finished.",
                "What it had moved is kept. Press r to go on where it stopped.",
                view.written(),
            )
        else:
            self.session.exit_code = view.finished.exit_code
            end.update(ENDS[view.finished.status])
            if view.failed is not None:
                go_on = " Then press r to go on from there." if view.failed.resumable else ""
                self.show_problem(
                    view.failed.message, view.failed.hint + go_on, view.written(), view.failed.code
                )
            elif view.finished.status == "stopped":
                end.update(f"{ENDS['stopped']} Nothing is half written. Press r to go on from here.")
            if self.session.sync and view.finished.status == "done":
                self.session.synced = view.summaries.get("cutover", "")
            if view.finished.status in ("done", "differences"):
                button = self.query_one("#next")
                button.display = True
                button.focus()
        self.refresh_bindings()

    def _tick(self, force: bool = False) -> None:
        """At most ten times a second, whatever arrives: take in all there is, draw once."""
        fresh = bool(self._arrived)
        until = perf_counter() + TAKE_SECONDS
        # After a flood what is left waits for the next tick: keys come in between.
        while self._arrived and (force or perf_counter() < until):
            event = self._arrived.popleft()
            before = self.view.step
            self.view.apply(event)
            if self.view.step != before:
                self._step_begun[self.view.step] = self.wizard.clock()
        second = int(self.wizard.clock() - self._begun)
        if not (fresh or force or (self._watching and second != self._drawn_second)):
            return
        self._drawn_second = second
        self._draw()

    # Drawing ------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        view = self.view
        width = self.query_one(ProgressTable).size.width or self.size.width - 4
        self.query_one("#heading", Static).update(self._heading(width))
        self.query_one("#step-line", Static).update(self._steps(width))
        # After the end the bars of the last step would only push what was found out of sight.
        over = view.finished is not None and view.finished.status == "done" and not self._watching
        whole = None if over else view.overall()
        bars = self.query_one("#whole", Static)
        bars.update(line(whole, width, name=f"all {whole.unit}") if whole is not None else "")
        rate = self.query_one("#rate", Static)
        if whole is not None and view.rate is not None and self._watching:
            unit = "" if whole.unit == "bytes" else f" {whole.unit}"
            rate.update(f"{amount(int(view.rate), whole.unit)}{unit}/s  {spark(list(view.rates))}")
        else:
            rate.update("")
        room = max(2, self.query_one("#body").size.height - 9 - bool(view.item) - min(4, len(view.notes)))
        self.query_one(ProgressTable).show([] if over else list(view.parts.values()), room)
        item = self.query_one("#item", Static)
        item.display = bool(view.item) and self._watching
        item.update(f"now: {view.item}")
        self._draw_notes()
        self.session.written = view.written()
        self.redraw()
        if self._watching:
            self.query_one("#end", Static).update(
                "Safe to leave: it goes on without this screen; `ashore resume` or `ashore` joins it again."
            )

    def _heading(self, width: int) -> Text:
        view = self.view
        elapsed = view.seconds
        if view.states.get(view.step) == "started":
            elapsed += self.wizard.clock() - self._step_begun.get(view.step, self.wizard.clock())
        right = clock_text(elapsed)
        if view.eta is not None and self._watching:
            right += f" · {clock_text(view.eta)} left"
        left = view.title or "Starting…"
        planned = self._step_names()
        if view.step in planned:
            right = f"step {planned.index(view.step) + 1} of {len(planned)} · {right}"
        if view.finished is not None and not self._watching:
            left = f"Run {view.run}"
        room = max(10, width - len(right))
        return Text(f"{left[: room - 1]:<{room}}{right}", "bold", no_wrap=True)

    def _step_names(self) -> tuple[str, ...]:
        """The plan's steps in their order, then whatever else the run has told of."""
        plan = self.session.plan
        names = tuple(s.name for s in plan.steps) if plan is not None else STEP_NAMES
        return names + tuple(n for n in self.view.states if n not in names)

    def _steps(self, width: int) -> Text:
        """Every step with its mark, folded so that no mark is parted from its name."""
        text, used = Text(), 0
        for name in self._step_names():
            state = self.view.states.get(name, "")
            style = "bold" if state in ("started", "failed") else "" if state else "dim"
            label = f"{MARKS.get(state, '○')} {name}"
            if used and used + len(label) > width:
                text.append("\n")
                used = 0
            text.append(label, style).append(" ")
            used += len(label) + 1
        return text

    def _draw_notes(self) -> None:
        notes = self.query_one("#notes", OptionList)
        for note in self.view.notes[self._notes_shown :]:
            notes.add_option(Option(Text(f"{note.mark} {note.message}", no_wrap=True, overflow="ellipsis")))
        self._notes_shown = len(self.view.notes)
        notes.display = self._notes_shown > 0

    # Doing --------------------------------------------------------------------------------------------

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        note = self.view.notes[event.option_index]
        self.ask(
            lambda: self.session.engine.explain(note.code),
            lambda more: self._detail(note.code, f"{note.message}\n\n{more}".strip()),
            group="explain",
        )

    def _detail(self, title: str, text: str) -> None:
        self.app.push_screen(Dialog(title, text, (("close", "Close"),)))

    def action_log(self) -> None:
        self.app.push_screen(LogScreen(self.view))

    async def action_leave_running(self) -> None:
        """Close the screen; the run goes on."""
        await self.wizard.action_quit()

    async def action_leave(self) -> None:
        """Close the screen of a run that has ended."""
        await self.wizard.action_quit()

    def action_stop(self) -> None:
        self.interrupt()

    def interrupt(self) -> None:
        """Ctrl+C: ask whether to stop the run."""
        if not self._watching:
            super().interrupt()
            return

        def answer(pressed: str | None) -> None:
            if pressed == "stop":
                self._ask_to_stop()

        self.app.push_screen(
            Dialog(
                "Stop the run safely?",
                "It halts at the next safe point; nothing is left half written, and it can go on from there.",
                (("go", "Let it run"), ("stop", "Stop safely")),
            ),
            answer,
        )

    def _ask_to_stop(self) -> None:
        folder = self.session.folder
        if folder is None:
            return

        def asked(found: bool) -> None:
            if not found and self._watching:
                self.show_problem("No process of this run was found to stop.", "It may just have ended.")

        self.ask(lambda: self.session.engine.stop_run(folder), asked, group="stop")

    def _resumable(self) -> bool:
        finished = self.view.finished
        if self._watching or self.session.folder is None:
            return False
        if finished is None or finished.status == "stopped":
            return True
        return finished.status == "failed" and (self.view.failed is None or self.view.failed.resumable)

    def action_resume(self) -> None:
        session = self.session
        folder = session.folder
        if not self._resumable() or folder is None:
            return
        secrets = dict(session.secrets)
        self.clear_problem()

        def started(handle: RunHandle) -> None:
            self._watch()
            self.refresh_bindings()

        self.ask(
            lambda: session.engine.resume_run(session.known.root, folder.name, secrets, session.state_dir),
            started,
            group="resume",
        )

    def forward(self) -> None:
        self.wizard.go("report")
