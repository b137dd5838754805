"""What every screen of the wizard has: heading, rail, a place for problems, status line, keys, workers."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Footer, Static
from textual.worker import Worker, WorkerState

from screens.help import Dialog
from screens.session import STEPS, Session
from screens.widgets.rail import Rail
from screens.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from screens.app import WizardApp
    from wizard.question import Question

T = TypeVar("T")
ONWARD = {
    "database": "Next: where should the database live?",
    "files": "Next: where should the files live?",
    "credentials": "Next: credentials",
    "decisions": "Next: what cannot be carried exactly",
    "review": "Next: review",
}


def where(error: BaseException) -> str:
    """The place an unexpected error came from, `file:line`, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


class BaseScreen(Screen[None]):
    """A step of the wizard. Subclasses give `step`, `heading`, `help_text`, `body` and `forward`.

    `rail_from` is the terminal width from which the rail is shown; below, the heading counts the steps.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("f1", "help", "Help", show=False),
        Binding("f2", "details", "Details"),
        Binding("ctrl+q", "app.quit", "Leave", priority=True),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    step: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    help_text: ClassVar[str] = ""
    rail_from: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self._onward = ""
        self._details: tuple[str, str, str] | None = None
        self._pending: dict[Worker[Any], tuple[Callable[[Any], None], Callable[[str], None] | None]] = {}

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    @property
    def session(self) -> Session:
        """What the user has said so far."""
        return self.wizard.session

    def compose(self) -> ComposeResult:
        yield Static(id="top", markup=False)
        with Horizontal(id="middle"):
            yield Rail(id="rail", markup=False)
            with VerticalScroll(id="body", can_focus=False):
                yield Static(self.heading, id="heading", markup=False)
                yield Static(id="problem", markup=False)
                yield from self.body()
        self._onward = self.onward()
        yield StatusLine(self.session.written, self._fitted(self._onward))
        yield Footer(compact=True)

    def body(self) -> Iterable[Widget]:
        """The widgets of the step."""
        return ()

    def questions(self) -> tuple[Question, ...]:
        """What this step asks, for its help."""
        return ()

    def help_questions(self) -> list[tuple[str, list[str]]]:
        """A title and lines for every question of the step: why it is asked, what to know, what the choices
        mean."""
        about = []
        for question in self.questions():
            lines = [question.why, *([question.help] if question.help else ())]
            for option in question.offered(self.session.known, self.session.replies):
                lines.append(f"  · {option.title}" + (f": {option.about}" if option.about else ""))
            about.append((question.title, lines))
        return about

    def onward(self) -> str:
        """The label of the button that goes on; empty for none."""
        steps = self.session.steps()
        after = steps[steps.index(self.step) + 1 :] if self.step in steps else ()
        return ONWARD.get(after[0], "") if after else ""

    def forward(self) -> None:
        """The button that goes on was pressed."""
        self.wizard.forward(self.step)

    def on_mount(self) -> None:
        self.session.visited.add(self.step)
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Heading, rail and status line, from the session."""
        names = [name for name, _ in STEPS]
        rail = self.query_one("#rail", Rail)
        rail.display = self.app.size.width >= self.rail_from
        # Before the project has been read nothing is known not to be needed.
        applies = names if self.session.project is None else self.session.steps()
        rail.show(self.step, self.session.visited, applies)
        project = self.session.known
        left = f" ashore  {'/'.join(self.session.project_path.absolute().parts[-2:]).lstrip('/')}"
        kinds = [f.name.title() for f in project.frameworks[:1]] + [
            p.name.title() for p in project.platforms[:1]
        ]
        right = " · ".join(kinds)
        if not rail.display:
            position = names.index(self.step)
            right = f"{right}   {position + 1} of {len(names)} {STEPS[position][1]}".strip()
        room = self.app.size.width - len(right) - 1
        text = Text(f"{left[: room - 1]:<{room}}{right} ", no_wrap=True)
        self.query_one("#top", Static).update(text)
        self.query_one(StatusLine).say(self.session.written)
        for button in self.query("#next").results(Button):
            button.label = self._fitted(self._onward)

    def ask(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        *,
        failed: Callable[[str], None] | None = None,
        group: str = "engine",
    ) -> None:
        """Call the engine in a thread, then `then` with its result here. A newer call in `group` wins.

        An error is shown in place; `failed` is told its code as well ("" for an unexpected one).
        """
        worker = self.run_worker(work, thread=True, exit_on_error=False, exclusive=True, group=group)
        self._pending[worker] = (then, failed)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where workers end."""
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            return
        then, failed = self._pending.pop(event.worker, (None, None))
        if event.state is WorkerState.SUCCESS and then is not None:
            then(event.worker.result)
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            code = (
                str(getattr(error, "code", "")) if isinstance(error, self.session.engine.AshoreError) else ""
            )
            self.show_error(error)
            if failed is not None:
                failed(code)

    def show_error(self, error: BaseException) -> None:
        """An error of the engine in place; an unexpected one by its kind and place only, never its values."""
        if isinstance(error, self.session.engine.AshoreError):
            message, hint = str(getattr(error, "message", "")), str(getattr(error, "hint", ""))
            self.show_problem(message, hint, code=str(getattr(error, "code", "")))
        else:
            self.show_problem(
                f"Something in ashore itself went wrong ({type(error).__name__} at {where(error)}).",
                "What you have answered is kept. Trying again may help; if not, please report this line.",
            )

    def show_problem(self, message: str, hint: str = "", written: str | None = None, code: str = "") -> None:
        """What happened, what was written, what to do; stays until the next attempt. F2 says more."""
        self._details = (code, message, hint)
        text = Text(f"✗ {message}", "bold")
        # Many a message says itself what was written; saying it twice would only make one doubt it.
        if "written" not in message:
            text.append(f"\n  {written if written is not None else self.session.written}", "not bold")
        if hint:
            text.append(f"\n  {hint}", "not bold")
        self.query_one("#problem", Static).update(text)
        self.query_one("#problem").display = True
        self.query_one("#body", VerticalScroll).scroll_home(animate=False)
        self.refresh_bindings()

    def clear_problem(self) -> None:
        self.query_one("#problem").display = False
        self._details = None
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Details only where there is a problem."""
        return self._details is not None if action == "details" else True

    def action_details(self) -> None:
        """All that is known of the problem shown: its code, its page, and where the run's log is."""
        if self._details is None:
            return
        code, message, hint = self._details

        def show(page: str) -> None:
            parts = [message, hint, page, f"Code: {code}" if code else "", self.session.written]
            folder = self.session.folder
            parts.append(
                f"Everything that the run told: {folder}/events.ndjson" if folder is not None else ""
            )
            self.app.push_screen(Dialog("Details", "\n\n".join(p for p in parts if p), (("close", "Close"),)))

        if code:
            self.ask(lambda: self.session.engine.explain(code), show, group="explain")
        else:
            show("")

    def set_onward(self, label: str, *, enabled: bool = True) -> None:
        """Change the button that goes on."""
        self._onward = label
        for button in self.query("#next").results(Button):
            button.label = self._fitted(label)
            button.refresh(layout=True)  # a new label alone does not change the button's width
            button.disabled = not enabled

    def _fitted(self, label: str) -> str:
        """On a narrow terminal what has been written matters more than where the button leads."""
        return label if self.app.size.width >= 80 else label.partition(":")[0]

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "next":
            event.stop()
            self.forward()

    def action_page(self, direction: int) -> None:
        """Page the step's text, whatever has the focus."""
        body = self.query_one("#body", VerticalScroll)
        if direction > 0:
            body.scroll_page_down(animate=False)
        else:
            body.scroll_page_up(animate=False)

    def show_later(self, selector: str) -> None:
        """Scroll a widget into view once its new text has been laid out, which takes two refreshes."""

        def show() -> None:
            if self.is_attached:
                self.query_one(selector).scroll_visible(animate=False)

        self.call_after_refresh(self.call_after_refresh, show)

    def action_back(self) -> None:
        self.wizard.backward(self.step)

    def action_help(self) -> None:
        self.wizard.show_help(self)

    def interrupt(self) -> None:
        """Ctrl+C: before a run it asks whether to leave."""
        self.wizard.ask_to_leave()
