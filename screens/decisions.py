"""Step 5: what the source holds that the target cannot hold exactly, each to be decided."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from screens.base import BaseScreen
from screens.widgets.chooser import Chooser, Item
from wizard.model import Decision


def subject_text(decision: Decision) -> Text:
    """What was found, how often, and where."""
    subject = "" if decision.subject in decision.message else f"{decision.subject}: "
    text = Text(f"! {subject}{decision.message}", "bold")
    said = [] if f"{decision.count:,}" in decision.message else [f"{decision.count:,} in all"]
    if decision.keys:
        more = " …" if decision.count > len(decision.keys) else ""
        said.append(f"{'key' if decision.count == 1 else 'keys'} {', '.join(decision.keys)}{more}")
    if said:
        text.append(f"\n  {'; '.join(said)}", "not bold")
    if not decision.choices:
        text.append("\n  ✗ ashore has no way to carry this. Change it at the source, then look again.")
    return text


class DecisionsScreen(BaseScreen):
    """Asks the preflight; shown only where it found something."""

    step = "decisions"
    heading = "What cannot be carried exactly"
    AUTO_FOCUS = None
    help_text = """
Every value of the source was looked at. PostgreSQL cannot hold those listed here as they are. Nothing is
changed silently: each needs your choice, the run does not start without it, and the report names what was
done.

The source itself is not changed. Space or Enter chooses; Tab goes to the next."""

    def body(self) -> Iterable[Widget]:
        yield Static("Looking at every value of the source…", id="looking", markup=False)
        yield Vertical(id="found")

    def onward(self) -> str:
        return "Next: review"

    def on_mount(self) -> None:
        super().on_mount()
        session = self.session
        now = session.fingerprint(decisions=False)
        if session.found is not None and session.found_for == now:
            self._arrived(session.found)
            return
        self.set_onward("Looking…", enabled=False)
        answers, secrets = session.answers(), dict(session.secrets)

        def arrived(found: tuple[Decision, ...]) -> None:
            session.found, session.found_for = found, now
            self._arrived(found)

        self.ask(
            lambda: session.engine.preflight(session.known.root, answers, secrets),
            arrived,
            failed=lambda code: self._failed(),
        )

    def _failed(self) -> None:
        self.query_one("#looking").display = False
        self.set_onward("Look again")

    def _arrived(self, found: tuple[Decision, ...]) -> None:
        self.query_one("#looking").display = False
        if not found:
            self.wizard.go("review")
            return
        self.redraw()
        place = self.query_one("#found", Vertical)
        for number, decision in enumerate(found):
            place.mount(Static(subject_text(decision), markup=False, classes="decision"))
            if decision.choices:
                chosen = self.session.choice(decision)
                items = [Item(c.name, c.name, c.about) for c in decision.choices]
                place.mount(Chooser(items, [chosen] if chosen else [], id=f"decide-{number}"))
        self._count()
        self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        """Where there is something left to decide; else the way on."""
        choosers = list(self.query(Chooser))
        if choosers and self.session.undecided():
            choosers[0].focus()
        else:
            self.query_one("#next").focus()

    def _count(self) -> None:
        left = len(self.session.undecided())
        self.set_onward("Next: review" if not left else f"{left} to decide", enabled=not left)

    def on_chooser_chosen(self, event: Chooser.Chosen) -> None:
        found = self.session.found or ()
        decision = found[int((event.chooser.id or "").removeprefix("decide-"))]
        self.session.chosen.setdefault(decision.subject, {})[decision.code] = event.name
        self._count()
        if self.session.undecided():
            self.focus_next()
        else:
            self.query_one("#next").focus()

    def forward(self) -> None:
        if self.session.found is None:
            self.wizard.go("decisions")
        elif not self.session.undecided():
            self.wizard.go("review")
