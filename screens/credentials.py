"""Step 4: secrets, typed once and tried at once against the real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from screens.base import BaseScreen
from screens.widgets.secret_input import SecretInput
from wizard import questions
from wizard.questions import Question
from wizard.questions.pasted import holds_password, take_apart

if TYPE_CHECKING:
    from wizard.api import Check, Secret

GROUPS = ("database", "storage")


def group_of(question: Question) -> str:
    """`database` or `storage`."""
    return question.key.partition(".")[0]


def field_id(question: Question) -> str:
    """The widget's id for a question."""
    return "field-" + question.key.replace(".", "-").replace("_", "-")


def checks_text(checks: tuple[Check, ...]) -> Text:
    """A line a check: mark, what was tried, the server's words; then what to do."""
    text = Text()
    for check in checks:
        text.append(f"{'✓' if check.ok else '✗'} {check.what}", "" if check.ok else "bold")
        if check.said:
            text.append(f": {check.said}")
        text.append("\n")
        if check.hint and not check.ok:
            text.append(f"    {check.hint}\n")
    text.rstrip()
    return text


class CredentialsScreen(BaseScreen):
    """One group of fields for the database, one for the bucket; each has its own test."""

    step = "credentials"
    heading = "Credentials"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "test", "Test"),
        # In a field a question mark is a character like any other.
        Binding("question_mark", "help", show=False),
        Binding("f1", "help", "Help"),
    ]
    AUTO_FOCUS = "Input"
    help_text = """
A secret typed here goes to the keyring of this computer. Without a usable keyring it stays in memory, and
is handed to the run when that starts; it is written to no file. The field shows the same row of dots
whatever is in it; pasting replaces, Ctrl+U clears, copying is not possible. What a provider's page gives to
copy is taken apart: psql commands, NAME=value lines, cloudinary:// and Azure connection strings.

Testing connects, looks at the rights, makes and drops a small table, and stores, reads and deletes one
small object. Nothing that was there is touched."""

    def questions(self) -> tuple[Question, ...]:
        return questions.asked(self.session.known, self.session.replies, "credentials")

    def _asked(self, group: str) -> tuple[Question, ...]:
        return tuple(q for q in self.questions() if group_of(q) == group)

    def body(self) -> Iterable[Widget]:
        keyring = self.session.keyring
        if keyring is not None and keyring.usable:
            yield Static(f"Secrets are stored in: {keyring.title}", classes="quiet", markup=False)
        else:
            why = keyring.why if keyring is not None else ""
            yield Static(
                f"! {why or 'No keyring of this system can hold a secret.'}\n"
                "  What you type here stays in memory for this run and is written nowhere.",
                markup=False,
            )
        yield Static(id="asked", classes="quiet", markup=False)
        for group in GROUPS:
            asked = self._asked(group)
            if asked:
                yield Static(self._title(group), classes="subject", markup=False)
                for question in asked:
                    yield self._line(question)
                yield Static(id=f"result-{group}", classes="result", markup=False)

    def _title(self, group: str) -> str:
        project, replies = self.session.known, self.session.replies
        options = questions.find(f"{group}.provider", project, replies).offered(project, replies)
        reply = replies.get(f"{group}.provider")
        title = next((o.title for o in options if o.name == reply), str(reply))
        if group != "database":
            return f"Bucket at {title}"
        return "The database that stays" if reply == "keep" else f"Connection for {title}"

    def _line(self, question: Question) -> Widget:
        session = self.session
        field: Input
        if question.kind == "secret":
            reference = str(session.replies.get(question.key) or "")
            held = session.secrets.get(reference)
            kept = f"kept as {reference}; type to replace it" if reference else self._example(question)
            if reference and held is None and question in session.unseen():
                kept = "type it again: it was kept in memory only"
            field = SecretInput(session.engine.Secret, held=held, placeholder=kept, id=field_id(question))
        else:
            value = (
                session.replies.get(question.key) or question.default(session.known, session.replies) or ""
            )
            field = Input(
                str(value),
                placeholder=self._example(question),
                id=field_id(question),
                compact=True,
                select_on_focus=False,
            )
            field.cursor_blink = False
        return Horizontal(Label(question.title, markup=False, classes="name"), field, classes="line")

    def _example(self, question: Question) -> str:
        """Marked as an example in words: a placeholder's colour alone would not tell it from a value."""
        return f"e.g. {question.example}" if question.example else ""

    def onward(self) -> str:
        if self.session.resume is None:
            return super().onward()
        return "Sync now" if self.session.sync else "Go on with the run"

    def on_mount(self) -> None:
        super().on_mount()
        for group in GROUPS:
            known = self.session.tests.get(group)
            if known is not None and known[0] == self._state(group) and self._asked(group):
                self._result(group, checks_text(known[1]))

    # What was typed ---------------------------------------------------------------------------------

    def _question(self, widget: Widget) -> Question | None:
        return next((q for q in self.questions() if field_id(q) == widget.id), None)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Above the fields: why the one under the caret is asked for."""
        question = self._question(event.widget)
        if question is not None:
            said = f"{question.title}: {question.why} {question.help}".strip()
            self.query_one("#asked", Static).update(said)

    def on_secret_input_edited(self, event: SecretInput.Edited) -> None:
        question = self._question(event.field)
        if question is not None:
            self.session.put_secret(question, event.field.secret)
            self._stale(group_of(question))
            if event.pasted and event.field.secret is not None:
                self._take_apart(question, event.field.secret.reveal())

    def _take_apart(self, question: Question, text: str) -> None:
        """Spread what was given over every field it answers, and say what was recognised in it."""
        found = take_apart(question, text)
        fields = {q.key: q for q in self.questions()}
        for key, value in found.values.items():
            if key not in fields:
                continue
            field = self.query_one(f"#{field_id(fields[key])}", Input)
            if isinstance(value, str):
                self.session.replies[key] = value
                field.value = value
            else:
                self.session.put_secret(fields[key], value)
                if isinstance(field, SecretInput):
                    field.hold(value)
        if found.checks:
            self._result(group_of(question), checks_text(found.checks))

    def on_secret_input_rejected(self, event: SecretInput.Rejected) -> None:
        self.show_problem(event.why, "Copy only the line itself and paste again.")

    def on_input_changed(self, event: Input.Changed) -> None:
        question = self._question(event.input)
        if question is None or question.kind == "secret":
            return
        value = event.value.strip()
        if holds_password(value):
            event.input.value = ""
            self.show_problem(
                "That address holds a password, and this field would show it; nothing was taken.",
                "Give the address without user and password; keys have fields of their own.",
            )
            return
        if value == str(self.session.replies.get(question.key) or ""):
            return
        self.session.replies[question.key] = value
        self._stale(group_of(question))

    def _stale(self, group: str) -> None:
        self.clear_problem()
        if group in self.session.tests:
            self.session.tests.pop(group)
            self._result(group, Text("· changed since the last test", "dim"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the next field; in the last of a group, its test; onward once every test went well."""
        question = self._question(event.input)
        if question is None:
            return
        if question.kind == "text" and event.value.strip():
            self._take_apart(question, event.value.strip())
        if all(self._passed(g) for g in GROUPS if self._asked(g)):
            self.forward()
            return
        group = group_of(question)
        if question == self._asked(group)[-1]:
            self._test(group)
        self.focus_next()

    # Trying them --------------------------------------------------------------------------------------

    def _state(self, group: str) -> object:
        """What a test's result depends on; compared, never shown (secrets compare without showing)."""
        session = self.session
        given = [
            session.secret(q) if q.kind == "secret" else session.replies.get(q.key)
            for q in self._asked(group)
        ]
        return given, session.replies.get(f"{group}.provider"), session.replies.get(f"{group}.access")

    def _lacking(self, group: str) -> tuple[Question, ...]:
        session = self.session
        lost = session.unseen()
        return tuple(
            q
            for q in self._asked(group)
            if q in lost or q in questions.missing(session.known, session.replies)
        )

    def _result(self, group: str, text: Text) -> None:
        self.query_one(f"#result-{group}", Static).update(text)
        self.show_later(f"#result-{group}")

    def action_test(self) -> None:
        for group in GROUPS:
            if self._asked(group):
                self._test(group)

    def _test(self, group: str, then: Callable[[], None] | None = None) -> None:
        """Try a group's credentials; `then` is called where every check went well."""
        session = self.session
        lacking = self._lacking(group)
        if lacking:
            names = ", ".join(q.title.lower() for q in lacking)
            self._result(group, Text(f"✗ not given yet: {names}"))
            return
        state = self._state(group)

        def arrived(checks: tuple[Check, ...]) -> None:
            if state != self._state(group):
                return
            session.tests[group] = (state, checks)
            self._result(group, checks_text(checks))
            if then is not None and all(check.ok for check in checks):
                then()

        self.clear_problem()
        if group == "database":
            engine, root = session.engine, session.known.root
            given = [(q.key, session.secret(q), str(session.replies.get(q.key))) for q in self._asked(group)]

            def connect() -> tuple[Check, ...]:
                found: list[Check] = []
                for key, typed, kept in given:
                    # A keyring or a file that was filled before is read as the run would read it.
                    url: Secret = typed or engine.resolve(root, kept)
                    found += (
                        engine.test_source(url) if key == "database.source" else engine.test_database(url)
                    )
                return tuple(found)

            self._result(group, Text("· connecting…"))
            self.ask(
                connect,
                arrived,
                group=group,
                failed=lambda _: self._untested(group),
            )
        else:
            rules = session.answers().get("storage")
            provider = session.replies.get("storage.provider")
            rule = next(r for r in rules if r.get("provider") == provider) if isinstance(rules, list) else {}
            secrets = dict(session.secrets)
            self._result(group, Text("· trying the bucket…"))
            self.ask(
                lambda: session.engine.test_storage(rule, secrets, session.known.root),
                arrived,
                group=group,
                failed=lambda _: self._untested(group),
            )

    def _untested(self, group: str) -> None:
        self._result(group, Text("✗ not accepted; what was said stands above", "bold"))

    # Going on ---------------------------------------------------------------------------------------

    def _passed(self, group: str) -> bool:
        known = self.session.tests.get(group)
        return known is not None and known[0] == self._state(group) and all(c.ok for c in known[1])

    def forward(self) -> None:
        waiting = [g for g in GROUPS if self._asked(g) and not self._passed(g)]
        if waiting:
            for group in waiting:
                self._test(group, self._go_on)
            return
        self._go_on()

    def _go_on(self) -> None:
        """Called by each test that went well; goes on once all of them have."""
        if any(self._asked(g) and not self._passed(g) for g in GROUPS):
            return
        session = self.session
        secrets = dict(session.secrets)
        keep = {
            q: secrets[str(session.replies.get(q.key))]
            for g in GROUPS
            for q in self._asked(g)
            if str(session.replies.get(q.key)).startswith("keyring:")
            and str(session.replies.get(q.key)) in secrets
        }
        names = {q: str(session.replies[q.key]).removeprefix("keyring:") for q in keep}

        def store() -> None:
            for question, secret in keep.items():
                session.engine.store_secret(names[question], secret)

        def refused(code: str) -> None:
            for question in keep:
                session.keep_in_memory(question)
            self.set_onward("Go on with the secrets in memory")

        if keep:
            self.ask(store, lambda _: self._leave_step(), group="keyring", failed=refused)
        else:
            self._leave_step()

    def _leave_step(self) -> None:
        session = self.session
        if session.resume is None:
            super().forward()
            return
        self.wizard.take_up(session.resume, sync=session.sync)
