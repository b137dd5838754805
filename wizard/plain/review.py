"""Before the start: what cannot be carried exactly, then the plan, each file's diff, saving and starting."""

from __future__ import annotations

from pathlib import Path

from wizard.calls import Engine
from wizard.errors import AshoreError
from wizard.interview import Interview
from wizard.model import Plan
from wizard.plain.talk import Back, Line, Talk

HELP = (
    "A number shows that file's diff. `skip 2` leaves file 2 as it is, and takes that back when typed again. "
    "`save FILE` writes the answers for `ashore run -a FILE`; they hold no secret. `start` begins the run as "
    "a process of its own. Until then nothing is written outside the run's folder."
)


def decide(talk: Talk, interview: Interview, engine: Engine) -> None:
    """Ask the preflight, then each decision. Raises Back, Quit, AshoreError."""
    talk.say("\nLooking at every value of the source…")
    interview.found = engine.preflight(interview.known.root, interview.answers(), dict(interview.secrets))
    if not interview.found:
        talk.say("Everything can be carried exactly.")
        return
    at = 0
    while at < len(interview.found):
        decision = interview.found[at]
        named = "" if decision.subject in decision.message else f"{decision.subject}: "
        talk.heading(f"{named}{decision.message}")
        if decision.keys:
            more = " and more" if decision.count > len(decision.keys) else ""
            talk.say(f"{decision.count:,} in all; keys {', '.join(decision.keys)}{more}", 2)
        if not decision.choices:
            talk.say("ashore has no way to carry this. Change it at the source, then look again.", 2)
            talk.choose("", [Line("look", "Look again")], "look")
            raise Back
        lines = [Line(c.name, f"{c.name}: {c.about}") for c in decision.choices]
        help_text = (
            "PostgreSQL cannot hold these values as they are. Nothing is changed silently: the run needs "
            "your choice, and the report names it. The source itself is not changed."
        )
        try:
            name = talk.choose("", lines, interview.choice(decision), help_text)
        except Back:
            if at == 0:
                raise
            at -= 1
            continue
        interview.chosen.setdefault(decision.subject, {})[decision.code] = name
        at += 1


def review(talk: Talk, interview: Interview, engine: Engine) -> None:
    """Show the plan until it is to be started. Raises Back, Quit, AshoreError."""
    root, secrets = interview.known.root, dict(interview.secrets)
    talk.say("\nMaking the plan…")
    plan = engine.make_plan(root, interview.answers(skipped=False), secrets, interview.decided())
    _show(talk, interview, plan)
    while True:
        lines = [
            Line(edit.path, f"{edit.path}  +{edit.added} -{edit.removed}"
                 + ("  (skipped: stays as it is)" if edit.path in interview.skipped else ""))
            for edit in plan.edits
        ]  # fmt: skip
        typed = talk.choose(
            "Files to change, once all is proven. Type start, or a number to see its diff (? for more):",
            lines,
            None,
            HELP,
            extra="start skip save",
        )
        word, _, rest = typed.partition(" ")
        if word == "start" and not rest:
            return
        if word == "skip" and not any(edit.path == typed for edit in plan.edits):
            _skip(talk, interview, plan, rest.strip())
        elif word == "save" and not any(edit.path == typed for edit in plan.edits):
            _save(talk, interview, engine, rest.strip())
        else:
            edit = next(e for e in plan.edits if e.path == typed)
            for line in engine.diff(plan, edit).splitlines():
                talk.put(line)
            for reason in dict.fromkeys(s.reason for s in edit.splices if s.reason):
                talk.say(f"Why: {reason}", 2)


def _show(talk: Talk, interview: Interview, plan: Plan) -> None:
    talk.heading("This is what will happen. Nothing has been written yet.")
    for number, step in enumerate(plan.steps, 1):
        detail = f": {step.detail}" if step.detail else ""
        talk.say(f"{number}. {step.name}: {step.title}{detail}. Writes {step.writes}.", 2)
    for item in plan.instructions:
        talk.heading(f"For you to change by hand: {item.file}:{item.line}: {item.why}")
        for line in item.text.splitlines():
            talk.put(f"    {line}")
    talk.put("")


def _skip(talk: Talk, interview: Interview, plan: Plan, number: str) -> None:
    if not number.isdigit() or not 1 <= int(number) <= len(plan.edits):
        talk.say(f"Type skip and a number from 1 to {len(plan.edits)}.", 2)
        return
    path = plan.edits[int(number) - 1].path
    interview.skipped ^= {path}
    talk.say(f"{path} will be {'left as it is' if path in interview.skipped else 'changed'}.", 2)


def _save(talk: Talk, interview: Interview, engine: Engine, name: str) -> None:
    path = Path(name or str(interview.known.root / "ashore.yml")).expanduser().absolute()
    if path.exists():
        talk.say(f"{path} is there already.", 2)
        if talk.choose("", [Line("no", "Keep it"), Line("yes", "Replace it")], "no") == "no":
            return
    answers = interview.answers()
    portable = answers | {"project": "."} if path.parent == interview.known.root else answers
    try:
        engine.save_answers(portable, path)
    except AshoreError as error:
        talk.say(f"{error.message} {error.hint}", 2)
        return
    talk.say(f"Saved {path}. To run it without questions: ashore run -a {path}", 2)
