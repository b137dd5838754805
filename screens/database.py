"""Step 2: where the database should live; and what both choice screens share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static

from screens.base import BaseScreen
from screens.widgets.progress_table import amount
from screens.widgets.provider_table import ProviderTable, Row
from wizard import questions

if TYPE_CHECKING:
    from wizard.api import Offer


class OffersScreen(BaseScreen):
    """A table of providers with people and budget above it. Enter on a row chooses it and goes on."""

    question_key: ClassVar[str] = ""
    offers_kind: ClassVar[str] = ""
    store_kind: ClassVar[str] = ""
    AUTO_FOCUS = "#providers"

    def body(self) -> Iterable[Widget]:
        held = sum(s.bytes for s in self.session.known.stores if s.kind == self.store_kind)
        yield Static(f"You have {amount(held, 'bytes')} now.", markup=False)
        with Horizontal(classes="line"):
            yield Label("People a month: ", markup=False)
            yield self._number("users", str(self.session.users))
            yield Label("  Budget a month: $ ", markup=False)
            yield self._number("budget", f"{self.session.budget:g}")
        yield Static(id="columns", markup=False)
        yield ProviderTable(id="providers")
        yield Static(id="about", markup=False)

    def _number(self, name: str, value: str) -> Input:
        field = Input(value, id=name, compact=True, restrict=r"[0-9]*\.?[0-9]*", max_length=9)
        field.cursor_blink = False
        return field

    def on_mount(self) -> None:
        super().on_mount()
        self._compare()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._headings)

    def _headings(self) -> None:
        self.query_one("#columns", Static).update(self.query_one(ProviderTable).heading())

    def _compare(self) -> None:
        session = self.session
        project, users, budget = session.known, session.users, session.budget
        self.ask(lambda: session.engine.advise(project, users, budget), self._show, group="advise")

    def _show(self, offers: tuple[Offer, ...]) -> None:
        question = next(q for q in questions.QUESTIONS if q.key == self.question_key)
        mine = [o for o in offers if o.kind == self.offers_kind]
        names = {option.name for option in question.options}
        rows = [Row(o.provider, o.title, offer=o) for o in mine if o.provider in names]
        offered = {row.name for row in rows}
        rows += [Row(o.name, o.title, o.about) for o in question.options if o.name not in offered]
        table = self.query_one(ProviderTable)
        table.show(rows, self._chosen(rows))
        self._headings()
        self._tell()

    def _chosen(self, rows: list[Row]) -> int | None:
        reply = self.session.replies.get(self.question_key)
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
        row = table.rows[table.highlighted] if table.highlighted is not None and table.rows else None
        if row is not None and row.offer is not None and row.offer is not best:
            source = ", second-hand figures" if row.offer.second_hand else ""
            lines.append(
                f"▸ {' '.join(row.title.split())}: {row.offer.reason}. Backups: {row.offer.backups}. "
                f"As of {row.offer.as_of}{source}."
            )
        self.query_one("#about", Static).update("\n".join(lines))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._tell()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "providers":
            self.choose(self.query_one(ProviderTable).rows[event.option_index])
            self.forward()

    def choose(self, row: Row) -> None:
        """Record the row as the reply."""
        self.session.replies[self.question_key] = row.name
        if row.offer is not None:
            self.session.picked_plan[self.question_key] = row.offer.plan
        else:
            self.session.picked_plan.pop(self.question_key, None)

    def forward(self) -> None:
        if self.question_key not in self.session.replies:
            table = self.query_one(ProviderTable)
            if table.highlighted is None or not table.rows:
                return
            self.choose(table.rows[table.highlighted])
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
    offers_kind = "database"
    store_kind = "sqlite"
    help_text = """
A managed PostgreSQL outlives every redeploy. Prices are computed for the data that the scan saw and the
people you name, now and at ten times both; each carries the date it was read, and * where a figure is not
the provider's own. ★ is the cheapest that fits the budget and does not delete data after a while.

Enter chooses the row and goes on; Tab reaches people and budget."""
