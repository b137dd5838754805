"""The questions, one after the other: each with its default, its costs and its help."""

from __future__ import annotations

from collections.abc import Sequence

from wizard import questions
from wizard.advise import Offer
from wizard.calls import Engine
from wizard.credentials import REFERENCE, Secret
from wizard.errors import AshoreError
from wizard.interview import Interview
from wizard.model import Check
from wizard.plain.talk import Back, Line, Talk
from wizard.questions import Question
from wizard.questions.pasted import holds_password, take_apart

KINDS = {"database.provider": "database", "storage.provider": "storage"}
USERS, BUDGET = 1000, 20.0
ABOUT_SECRETS = (
    "What you type is not shown. Instead of the secret you may name where it is: env:NAME, keyring:NAME or "
    "file:PATH. Enter alone keeps what was given before."
)


def ask_all(talk: Talk, interview: Interview, engine: Engine) -> None:
    """Every question of the list, until none is open and each group of credentials has been tried.

    Raises Back where the user goes back from the first, Quit.
    """
    offers = engine.advise(interview.known, USERS, BUDGET)
    at = 0
    while True:
        asked = questions.asked(interview.known, interview.replies)
        if at >= len(asked):
            return
        try:
            ask(talk, interview, asked[at], offers)
            if _ends_group(asked, at):
                _try(talk, interview, engine, asked[at].group)
            at += 1
        except Back:
            if at == 0:
                raise
            at -= 1


def _ends_group(asked: Sequence[Question], at: int) -> bool:
    here = asked[at]
    return here.topic == "credentials" and (at + 1 == len(asked) or asked[at + 1].group != here.group)


def ask(talk: Talk, interview: Interview, question: Question, offers: Sequence[Offer] = ()) -> None:
    """One question, until its reply can be taken. Raises Back, Quit."""
    talk.heading(question.title)
    talk.say(question.why, 2)
    about = f"{question.why} {question.help}".strip()
    if question.kind == "choice":
        _choose(talk, interview, question, offers, about)
    elif question.kind == "secret":
        _secret(talk, interview, question, about)
    else:
        _text(talk, interview, question, about)


def _choose(
    talk: Talk, interview: Interview, question: Question, offers: Sequence[Offer], about: str
) -> None:
    project, replies = interview.known, interview.replies
    lines, best = [], None
    for option in question.offered(project, replies):
        plans = [o for o in offers if o.kind == KINDS.get(question.key) and o.provider == option.name]
        words = f"{option.title}" + (f": {option.about}" if option.about else "")
        for offer in plans:
            words += f"\n   {_cost(offer)}"
            if offer.recommended:
                best = option.name
                words += f"\n   recommended: {offer.reason}"
        lines.append(Line(option.name, words))
    if any(o.second_hand for o in offers if o.kind == KINDS.get(question.key)):
        talk.say("Prices are for 1,000 people a month and the data found here; (second-hand) marks a figure "
                 "that is not the provider's own.", 2)  # fmt: skip
    known = question.reply(project, replies)
    default = str(known) if known not in (None, "") else best
    interview.replies[question.key] = talk.choose("", lines, default, about)


def _cost(offer: Offer) -> str:
    plan = " ".join(offer.title.split())
    now = "too small" if offer.monthly_now is None else f"${offer.monthly_now:,.2f} a month"
    later = "too small" if offer.monthly_at_10x is None else f"${offer.monthly_at_10x:,.2f}"
    source = ", second-hand" if offer.second_hand else ""
    return (
        f"{plan}: {now}, {later} at ten times; {offer.first_limit}; backups: {offer.backups} "
        f"(as of {offer.as_of}{source})"
    )


def _text(talk: Talk, interview: Interview, question: Question, about: str) -> None:
    default = question.reply(interview.known, interview.replies)
    shown = (
        f" [{default}]"
        if default not in (None, "")
        else f" (e.g. {question.example})"
        if question.example
        else ""
    )
    while True:
        typed = talk.line(f"{question.title}{shown}: ", about)
        if not typed and default not in (None, ""):
            typed = str(default)
        if holds_password(typed):
            talk.say("That address holds a password, which would be written to a file; it was not taken.", 2)
        elif not typed and question.required:
            talk.say("This is needed. ? says why.", 2)
        else:
            _take(talk, interview, question, typed)
            return


def _secret(talk: Talk, interview: Interview, question: Question, about: str) -> None:
    given = str(interview.replies.get(question.key) or "")
    shown = f" [kept as {given}]" if given and question not in interview.unseen() else ""
    while True:
        typed = talk.line(f"{question.title}, not shown{shown}: ", f"{about} {ABOUT_SECRETS}", secret=True)
        if not typed and shown:
            return
        if typed and REFERENCE.match(typed):
            interview.replies[question.key] = typed
            return
        if typed:
            _take(talk, interview, question, typed)
            return
        talk.say("This is needed. ? says why.", 2)


def _take(talk: Talk, interview: Interview, question: Question, text: str) -> None:
    """Keep a reply, and what else was in it."""
    asked = {q.key: q for q in questions.asked(interview.known, interview.replies)}
    found = take_apart(question, text)
    for key, value in found.values.items():
        if isinstance(value, Secret):
            if key in asked:
                interview.put_secret(asked[key], value)
        elif value or key in interview.replies:
            interview.replies[key] = value
    say_checks(talk, found.checks)


def say_checks(talk: Talk, checks: Sequence[Check]) -> None:
    """A line a check, each beginning with how it went."""
    for check in checks:
        talk.say(
            f"{'ok' if check.ok else 'REFUSED'}: {check.what}" + (f": {check.said}" if check.said else ""), 2
        )
        if check.hint and not check.ok:
            talk.say(check.hint, 4)


def _try(talk: Talk, interview: Interview, engine: Engine, group: str) -> None:
    """Try a group's credentials on the real server. Raises Back where they are to be given again."""
    talk.say("Trying them…")
    try:
        checks = _checks(interview, engine, group)
    except AshoreError as error:
        checks = (Check("connect", False, error.message, error.hint),)
    say_checks(talk, checks)
    if all(check.ok for check in checks):
        _store(talk, interview, engine, group)
        return
    talk.choose("", [Line("again", "Give them again"), Line("test", "Try the same once more")], "again")
    raise Back


def _checks(interview: Interview, engine: Engine, group: str) -> tuple[Check, ...]:
    root = interview.known.root
    if group == "database":
        found: list[Check] = []
        for question in questions.asked(interview.known, interview.replies, "credentials"):
            if question.group == "database":
                kept = str(interview.replies[question.key])
                url = interview.secret(question) or engine.resolve(root, kept)
                try_it = engine.test_source if question.key == "database.source" else engine.test_database
                found += try_it(url)
        return tuple(found)
    rules = interview.answers().get("storage")
    assert isinstance(rules, list)
    provider = interview.replies.get("storage.provider")
    rule = next(r for r in rules if r.get("provider") == provider)
    return engine.test_storage(rule, dict(interview.secrets), root)


def _store(talk: Talk, interview: Interview, engine: Engine, group: str) -> None:
    """Keep what went well in the keyring; where that refuses, in memory for this run."""
    for question in questions.asked(interview.known, interview.replies, "credentials"):
        kept = str(interview.replies.get(question.key) or "")
        if question.kind != "secret" or question.group != group or not kept.startswith("keyring:"):
            continue
        secret = interview.secrets.get(kept)
        if secret is None:
            continue
        try:
            engine.store_secret(kept.removeprefix("keyring:"), secret)
        except AshoreError as error:
            talk.say(f"{error.message} It stays in memory for this run.", 2)
            interview.keep_in_memory(question)
