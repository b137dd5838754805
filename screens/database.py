"""Step 2: where the database should live; and what both choice screens share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static

from screens.base import BaseScreen
from screens.widgets.chooser import Chooser, Item
from screens.widgets.provider_table import ProviderTable, Row, price
from wizard import questions
from wizard.questions import Question, Topic
from wizard.report_words import amount

if TYPE_CHECKING:
    from wizard.api import Offer


def chooser_id(question: Question) -> str:
    """The id of the list for a question beside the table."""
    return "choose-" + question.key.replace(".", "-")


class OffersScreen(BaseScreen):
    """A table of providers with people and budget above it. Enter on a row chooses it and goes on.

    The topic's other questions that are choices stand above and below, in the order of the question list,
    as far as the row under the caret makes them matter.
    """

    question_key: ClassVar[str] = ""
    topic: ClassVar[Topic] = "database"
    offers_kind: ClassVar[str] = ""
    AUTO_FOCUS = "#providers"

    def held_kinds(self) -> tuple[str, ...]:
        """The kinds of stores that this step is about."""
        return ()

    def _beside(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """The topic's other choices: before the table, and after it."""
        mine = [q for q in questions.QUESTIONS if q.topic == self.topic and q.kind == "choice"]
        place = [q.key for q in mine].index(self.question_key)
        return tuple(mine[:place]), tuple(mine[place + 1 :])

    def questions(self) -> tuple[Question, ...]:
        return questions.asked(self.session.known, self._supposed(), self.topic)

    def _supposed(self) -> dict[str, object]:
        """The replies as they would be with the row under the caret."""
        replies = dict(self.session.replies)
        row = self._highlighted() if self.is_mounted else None
        if row is not None:
            replies[self.question_key] = row.name
        return replies

    def _highlighted(self) -> Row | None:
        table = self.query_one(ProviderTable)
        return table.rows[table.highlighted] if table.highlighted is not None and table.rows else None

    def help_questions(self) -> list[tuple[str, list[str]]]:
        about = []
        rows = self.query_one(ProviderTable).rows
        for title, lines in super().help_questions():
            if title == questions.find(self.question_key, self.session.known, self.session.replies).title:
                lines = [line for line in lines if not line.startswith("  ·")]
                lines += [f"  · {self._cost(row)}" for row in rows]
            about.append((title, lines))
        notes = self.session.engine.notes(self.session.users)
        return [*about, ("What a table of prices leaves out", [f"  · {note.text}" for note in notes])]

    @staticmethod
    def _cost(row: Row) -> str:
        title = " ".join(row.title.split())
        if row.offer is None:
            return f"{title}: {row.note}" if row.note else title
        offer = row.offer
        costs = f"{price(offer.monthly_now)} a month, {price(offer.monthly_at_10x)} at ten times"
        source = ", second-hand" if offer.second_hand else ""
        return (
            f"{title}: {costs}; {offer.first_limit}; backups: {offer.backups} (as of {offer.as_of}{source})"
        )

    def body(self) -> Iterable[Widget]:
        kinds = self.held_kinds()
        held = sum(s.bytes for s in self.session.known.stores if s.kind in kinds)
        before, after = self._beside()
        for question in before:
            yield from self._chooser(question)
        size = f"You have {amount(held, 'bytes')} now." if held else "How much it holds is not known."
        yield Static(size, markup=False)
        with Horizontal(classes="line"):
            yield Label("People a month: ", markup=False)
            yield self._number("users", str(self.session.users))
            yield Label("  Budget a month: $ ", markup=False)
            yield self._number("budget", f"{self.session.budget:g}")
        yield Static(id="columns", markup=False)
        yield ProviderTable(id="providers")
        yield Static(id="about", markup=False)
        for question in after:
            yield from self._chooser(question)

    def _chooser(self, question: Question) -> Iterable[Widget]:
        name = chooser_id(question)
        yield Static(question.title, classes="subject", markup=False, id=f"{name}-title")
        yield Chooser(id=name)

    def _number(self, name: str, value: str) -> Input:
        field = Input(value, id=name, compact=True, restrict=r"[0-9]*\.?[0-9]*", max_length=9)
        field.cursor_blink = False
        return field

    def on_mount(self) -> None:
        super().on_mount()
        self._choosers()
        self._compare()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._headings)

    def _headings(self) -> None:
        self.query_one("#columns", Static).update(self.query_one(ProviderTable).heading())

    def _choosers(self) -> None:
        """Show the choices beside the table that matter now, with what is chosen."""
        project, replies = self.session.known, self._supposed()
        before, after = self._beside()
        for question in (*before, *after):
            chooser = self.query_one(f"#{chooser_id(question)}", Chooser)
            options = question.offered(project, replies) if question.when(project, replies) else ()
            items = [Item(o.name, o.title, o.about) for o in options]
            marked = question.reply(project, replies)
            if items != list(chooser.items) or {marked} != set(chooser.marked):
                chooser.show(items, [str(marked)] if marked else [])
            chooser.display = self.query_one(f"#{chooser_id(question)}-title").display = bool(items)

    def _compare(self) -> None:
        session = self.session
        project, users, budget = session.known, session.users, session.budget
        self.ask(lambda: session.engine.advise(project, users, budget), self._show, group="advise")

    def _show(self, offers: tuple[Offer, ...]) -> None:
        project, replies = self.session.known, self.session.replies
        question = questions.find(self.question_key, project, replies)
        options = question.offered(project, replies)
        mine = [o for o in offers if o.kind == self.offers_kind]
        names = {option.name for option in options}
        rows = [Row(o.provider, o.title, offer=o) for o in mine if o.provider in names]
        offered = {row.name for row in rows}
        rows += [Row(o.name, o.title, o.about) for o in options if o.name not in offered]
        table = self.query_one(ProviderTable)
        table.show(rows, self._chosen(rows))
        self._headings()
        self._tell()

    def _chosen(self, rows: list[Row]) -> int | None:
        project, replies = self.session.known, self.session.replies
        reply = questions.find(self.question_key, project, replies).reply(project, replies)
        plan = self.session.picked_plan.get(self.question_key)
        same = [i for i, row in enumerate(rows) if row.name == reply]
        exact = [i for i in same if rows[i].offer is not None and getattr(rows[i].offer, "plan", "") == plan]
        return next(iter(exact or same), None)

    def _tell(self) -> None:
        """Below the table: the recommendation, or what the highlighted plan is."""
        table = self.query_one(ProviderTable)
        lines = []
        best = next((r.offer for r in table.rows if r.offer is not None and r.offer.recommended), None)
        if best is not None:
            lines.append(f"★ Recommended: {' '.join(best.title.split())}: {best.reason}")
        elif table.rows:
            lines.append("· No plan holds this within the budget. A larger budget, or your own server.")
        if any(r.offer is not None and r.offer.second_hand for r in table.rows):
            lines.append("* second-hand figure: not read from the provider itself")
        row = self._highlighted()
        if row is not None and row.offer is not None and row.offer is not best:
            source = ", second-hand figures" if row.offer.second_hand else ""
            lines.append(
                f"▸ {' '.join(row.title.split())}: {row.offer.reason}. Backups: {row.offer.backups}. "
                f"As of {row.offer.as_of}{source}."
            )
        self.query_one("#about", Static).update("\n".join(lines))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._tell()
        self._choosers()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "providers":
            self.choose(self.query_one(ProviderTable).rows[event.option_index])
            self.forward()

    def on_chooser_chosen(self, event: Chooser.Chosen) -> None:
        before, after = self._beside()
        question = next(q for q in (*before, *after) if chooser_id(q) == event.chooser.id)
        self.session.replies[question.key] = event.name
        self.clear_problem()
        if question in before:
            self._compare()

    def choose(self, row: Row) -> None:
        """Record the row as the reply."""
        self.session.replies[self.question_key] = row.name
        if row.offer is not None:
            self.session.picked_plan[self.question_key] = row.offer.plan
        else:
            self.session.picked_plan.pop(self.question_key, None)

    def forward(self) -> None:
        if self.question_key not in self.session.replies:
            row = self._highlighted()
            if row is None:
                return
            self.choose(row)
        project, replies = self.session.known, self.session.replies
        open_ones = [q for q in questions.missing(project, replies) if q.topic == self.topic]
        if open_ones:
            self._choosers()
            self.show_problem(f"Not answered yet: {open_ones[0].title}", open_ones[0].why)
            self.query_one(f"#{chooser_id(open_ones[0])}").focus()
            return
        super().forward()

    def onward(self) -> str:
        return super().onward() or "Next"

    def on_input_changed(self, event: Input.Changed) -> None:
        try:
            number = float(event.value)
        except ValueError:
            return
        if event.input.id == "users" and int(number) != self.session.users:
            self.session.users = int(number)
            self._compare()
        elif event.input.id == "budget" and number != self.session.budget:
            self.session.budget = number
            self._compare()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(ProviderTable).focus()


class DatabaseScreen(OffersScreen):
    """Neon, Render, Supabase, a PostgreSQL of one's own, or staying."""

    step = "database"
    heading = "Where should the database live?"
    question_key = "database.provider"
    topic = "database"
    offers_kind = "database"
    help_text = """
A managed database outlives every redeploy. Prices are computed for the data that the scan saw and the
people you name, now and at ten times both; each carries the date it was read, and * where a figure is not
the provider's own. ★ is the cheapest that fits the budget and does not delete data after a while.

Enter chooses the row and goes on; Tab reaches people and budget."""

    def held_kinds(self) -> tuple[str, ...]:
        return questions.held_kinds()
