"""The wizard on screen: which step is shown, how one leaves, and what happens when something breaks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import ClassVar, cast

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from screens.at_risk import AtRiskScreen
from screens.base import BaseScreen, where
from screens.help import Dialog, HelpScreen
from screens.session import STEPS, Session
from screens.themes import DARK_SIXTEEN, LIGHT_SIXTEEN, THEMES, chosen
from wizard.calls import Engine

# Imported when first shown, so that the first is painted within a second.
SCREENS: Mapping[str, tuple[str, str]] = {
    "at_risk": ("screens.at_risk", "AtRiskScreen"),
    "database": ("screens.database", "DatabaseScreen"),
    "files": ("screens.files", "FilesScreen"),
    "credentials": ("screens.credentials", "CredentialsScreen"),
    "decisions": ("screens.decisions", "DecisionsScreen"),
    "review": ("screens.review", "ReviewScreen"),
    "run": ("screens.run", "RunScreen"),
    "report": ("screens.report", "ReportScreen"),
}
EXIT_BUG = 3


class WizardApp(App[int]):
    """`engine` is `wizard.api` or a double; `proposed` are answers to start from; `theme` one of Textual's or
    `screens.themes`, by default the one for this terminal."""

    TITLE = "ashore"
    CSS_PATH = "wizard.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Stop or leave", show=False, priority=True),
    ]

    def __init__(
        self,
        project_path: Path,
        engine: Engine,
        state_dir: Path | None = None,
        proposed: Mapping[str, object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        theme: str | None = None,
    ) -> None:
        super().__init__()
        self._wanted_theme = theme or chosen(os.environ)
        self.session = Session(project_path=project_path, engine=engine, state_dir=state_dir)
        self.proposed = proposed
        self.clock = clock
        self.exit_code = 0
        self._signals: dict[int, object] = {}

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.ansi_theme_dark, self.ansi_theme_light = DARK_SIXTEEN, LIGHT_SIXTEEN
        self.theme = self._wanted_theme
        self._listen_to_signals()
        self.push_screen(AtRiskScreen())

    def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number, before in self._signals.items():
            # asyncio puts the default action in place; whoever opened the wizard had its own (the demo).
            loop.remove_signal_handler(number)
            signal.signal(number, cast("signal.Handlers", before))

    # Moving between steps -------------------------------------------------------------------------

    def go(self, step: str) -> None:
        """Show `step`. Every visit builds the screen anew from the session."""
        module, name = SCREENS[step]
        kind: type[BaseScreen] = getattr(import_module(module), name)
        self.switch_screen(kind())

    def forward(self, step: str) -> None:
        """The step after `step` that these answers lead to."""
        names = [name for name, _ in STEPS]
        after = names[names.index(step) + 1 :]
        self.go(next(name for name in after if name in self.session.steps()))

    def backward(self, step: str) -> None:
        """The step before `step`; nothing happens on the first."""
        names = [name for name, _ in STEPS]
        before = names[: names.index(step)]
        # Without anything to decide, going back from the review must not bounce forward again.
        skipped = set() if self.session.found else {"decisions"}
        possible = [name for name in before if name in self.session.steps() and name not in skipped]
        if possible:
            self.go(possible[-1])

    def take_up(self, folder: Path, *, sync: bool = False) -> None:
        """Go on with the run in `folder`, or sync it, as a process of its own, and watch it.

        A secret that only lived in the memory of an earlier wizard has to be typed again first.
        """
        session = self.session
        screen = next(s for s in reversed(self.screen_stack) if isinstance(s, BaseScreen))
        session.resume, session.sync = folder, sync
        if session.unseen():
            self.go("credentials")
            return
        start = session.engine.sync_run if sync else session.engine.resume_run
        secrets = dict(session.secrets)

        def started(handle: object) -> None:
            session.folder, session.resume = folder, None
            self.go("run")

        screen.ask(
            lambda: start(session.known.root, folder.name, secrets, session.state_dir), started, group="start"
        )

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: every step already seen, help, theme and leaving."""
        if self.session.folder is None:
            for name, title in STEPS:
                if name in self.session.visited and name in self.session.steps():
                    yield SystemCommand(
                        f"Go to: {title}", "A step you have seen", lambda name=name: self.go(name)
                    )
        if isinstance(screen, BaseScreen):
            yield SystemCommand("Help", "What this step is for, and its keys", screen.action_help)
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Leave", "Unfinished answers are kept; a run goes on", self._leave)

    def show_help(self, screen: BaseScreen) -> None:
        """The help of a step over it: what it is for, every question it asks, its keys."""
        keys = [
            (self.get_key_display(active.binding), active.binding.description)
            for active in screen.active_bindings.values()
            if active.binding.description and active.binding.show
        ]
        keys += [
            ("F1 or ?", "this help"),
            ("Tab", "next field, list or button"),
            ("Ctrl+C", "stop, or leave"),
        ]
        about = screen.help_questions()
        self.push_screen(HelpScreen(screen.heading, screen.help_text, about, list(dict.fromkeys(keys))))

    # Leaving --------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Ctrl+Q: leave at once; answers are kept as a draft, a run goes on by itself."""
        self._leave()

    def action_interrupt(self) -> None:
        """Ctrl+C: what it means depends on what is shown."""
        interrupt = getattr(self.screen, "interrupt", None)
        if interrupt is None:
            self.ask_to_leave()
        else:
            interrupt()

    def ask_to_leave(self) -> None:
        """Ask, then leave with a draft kept."""

        def answer(pressed: str | None) -> None:
            if pressed == "leave":
                self._leave()

        self.push_screen(
            Dialog(
                "Leave ashore?",
                f"{self.session.written} Your answers are kept, without secrets; `ashore` goes on from them.",
                (("stay", "Stay"), ("leave", "Leave")),
            ),
            answer,
        )

    def _leave(self, code: int | None = None) -> None:
        self.keep_draft()
        self.exit_code = self.session.exit_code if code is None else code
        self.exit(self.exit_code, return_code=self.exit_code, message=self._farewell())

    def _farewell(self) -> str | None:
        screen = self.screen
        if getattr(screen, "goes_on", False):
            return "The run goes on. `ashore` or `ashore resume` joins it again."
        return None

    def keep_draft(self) -> bool:
        """Save unfinished answers, without secrets. Returns whether that was possible."""
        session = self.session
        if session.project is None or not session.replies or session.folder is not None:
            return False
        try:
            path = session.engine.draft_path(session.project.root, session.state_dir)
            session.engine.save_answers(session.answers(), path)
        except (session.engine.AshoreError, OSError):
            return False
        return True

    def _listen_to_signals(self) -> None:
        """Signals leave as Ctrl+Q does, so that the terminal is put back in order."""
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, self._leave, 128 + number)
            except (RuntimeError, ValueError):
                # Only the main thread may; a wizard inside a test's thread goes without.
                return
            self._signals[number] = before

    # Breaking -------------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Instead of Textual's traceback with local variables: the kind of error and its place."""
        error = sys.exc_info()[1] or self._exception
        kept = self.keep_draft()
        self.exit_code = EXIT_BUG
        self._return_code = EXIT_BUG
        place = where(error) if error is not None else "an unknown place"
        self._exit_renderables.append(
            Text(
                f"Something in ashore itself went wrong: {type(error).__name__} at {place}.\n"
                f"{self._reported(error)}"
                f"{self.session.written} {'Your answers are kept; a' if kept else 'A'} run that was started "
                "goes on by itself.\n"
            )
        )
        self._close_messages_no_wait()

    def _reported(self, error: BaseException | None) -> str:
        """Write the report of a bug, without any value, and say where it is."""
        if error is None:
            return ""
        try:
            return f"The details, without secrets, are in {self.session.engine.write_crash(error)}\n"
        except OSError:
            return "No report could be written.\n"
