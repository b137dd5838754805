"""`ashore run` and `ashore resume`, and what `preflight` and `plan` show of them beforehand."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from wizard import answers_file, engine, headless, runner
from wizard.answers import Answers
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json, read_secrets, tell
from wizard.context import Cancel
from wizard.decisions import describe, paste, undecided
from wizard.errors import AshoreError, UsageError
from wizard.events import SCHEMA, Event, Failed, Finished, Header
from wizard.model import Plan
from wizard.scan import sqlite_sql
from wizard.steps import patch


def run(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
    """Migrate. A person at a terminal confirms the plan unless --yes is given."""
    if arguments.dry_run:
        return plan(arguments, open_wizard)

    def work(listen: Callable[[Event], None], cancel: Cancel) -> int:
        answers = answers_file.load(arguments.answers)
        secrets = read_secrets(arguments.secrets_stdin)
        if not arguments.yes:
            _confirm(answers, asks=not (arguments.events or arguments.secrets_stdin))
        return engine.execute(answers, secrets, arguments.state_dir, cancel, listen)

    return reported(arguments, work)


def resume(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Go on where a run stopped."""

    def work(listen: Callable[[Event], None], cancel: Cancel) -> int:
        secrets = read_secrets(arguments.secrets_stdin)
        return engine.resume(arguments.project, arguments.run, secrets, arguments.state_dir, cancel, listen)

    return reported(arguments, work)


def reported(arguments: argparse.Namespace, work: Callable[[Callable[[Event], None], Cancel], int]) -> int:
    """Do `work` under signal handlers; with --events a failure before the run exists is an event too."""
    listen = headless.sink(arguments.events, quiet=arguments.quiet, verbose=arguments.verbose)
    cancel = Cancel()
    try:
        with runner.stopping_on_signals(cancel):
            return work(listen, cancel)
    except AshoreError as error:
        if not arguments.events:
            raise
        listen(Header(schema=SCHEMA, run=""))
        listen(Failed(step="", code=error.code, message=error.message, hint=error.hint, resumable=False))
        listen(Finished(status="failed", exit_code=error.exit_code))
        tell(f"ashore: {error.message}\n{error.hint}")
        return error.exit_code


def preflight(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """List what cannot be carried exactly. Exit 2 where something is undecided, as `run` would."""
    answers = answers_file.load(arguments.answers)
    decisions = engine.preflight(answers, arguments.state_dir)
    left = undecided(decisions)
    found = engine.open_project(answers.project).findings
    places = [f for f in found if f.code in (sqlite_sql.CODE, sqlite_sql.LIKE_CODE)]
    if arguments.json:
        listed = [asdict(place) for place in places]
        put_json({"version": 1, "decisions": [asdict(d) for d in decisions], "sql": listed})
    else:
        for decision in decisions:
            put(describe(decision))
        decidable = [d for d in left if d.choices]
        if decidable:
            put("\nTo decide, put this into the answers and choose:\n")
            put(paste(decidable))
        if places:
            put("\nIn the code, PostgreSQL does not understand or reads otherwise:\n")
            for place in places:
                put(f"  {place.file}:{place.line}: {place.message} {place.hint}")
            put("")
        if not left:
            put("Everything can be carried" + (" as decided." if decisions else " exactly."))
        put("Nothing has been written.")
    return UsageError.exit_code if left else 0


def plan(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Print the plan that `run` would apply; the same object, writing nothing."""
    answers = answers_file.load(arguments.answers)
    decisions = engine.preflight(answers, arguments.state_dir)
    made = engine.make_plan(answers, decisions)[2]
    if getattr(arguments, "json", False):
        put(runner.plan_json(made))
    else:
        show_plan(made, put)
    return 0


def show_plan(made: Plan, say: Callable[[str], None]) -> None:
    """Steps, what each writes, decisions, and the unified diff of each file."""
    say("This is what will happen; nothing has been written yet.\n")
    for step in made.steps:
        say(f"  {step.name:<12} {step.title}{': ' + step.detail if step.detail else ''}")
        say(f"  {'':<12} writes {step.writes}")
    for decision in made.decisions:
        say("\n" + describe(decision))
    for edit in made.edits:
        say(f"\n{engine.diff(made, edit)}")
        for reason in dict.fromkeys(s.reason for s in edit.splices):
            say(f"  why: {reason}")
    dirty = patch.uncommitted(Path(made.root), [e.path for e in made.edits if e.before_sha256 is not None])
    if dirty:
        say(f"\nNot committed to git: {', '.join(dirty)}.")
        say("ashore would change them on top of what you changed: commit or stash that first, to see the two")
        say("apart. `ashore undo` restores the files as they are now.")
    for instruction in made.instructions:
        say(f"\nFor you to do: {instruction.file}:{instruction.line}: {instruction.why}\n{instruction.text}")


def _confirm(answers: Answers, *, asks: bool) -> None:
    """Raises UsageError `not-confirmed` where nobody can be asked, or who was asked did not say yes."""
    if not asks or not sys.stdin.isatty() or os.environ.get("CI"):
        raise UsageError(
            "not-confirmed",
            "Nobody can be asked to confirm the plan here; nothing was written.",
            "Look at `ashore plan -a FILE`, then add --yes.",
        )
    show_plan(engine.make_plan(answers)[2], tell)
    tell("\nStart? Type yes:")
    if sys.stdin.readline().strip().lower() not in ("yes", "y"):
        raise UsageError("not-confirmed", "Not started; nothing was written.", "")
