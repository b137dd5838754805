"""`ashore check [PATH | URL] [--json]`: the pre-launch checklist. Exit 7 where an item is a no."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from wizard import answers_file, engine
from wizard.checks.base import Answer, Checklist, to_json
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json
from wizard.credentials import Redactor, Vault
from wizard.errors import EXIT_RISK
from wizard.steps import made_database

MARKS: dict[Answer, str] = {"yes": "+", "no": "x", "cannot-tell": "?"}
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


def check(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Check a folder offline, or a live address with a few GET requests. Writes nothing."""
    if _ADDRESS.match(arguments.what):
        from wizard.checks import live

        checklist = live.run(arguments.what)
    else:
        from wizard.checks import project

        checklist = project.run(engine.open_project(Path(arguments.what).absolute()))
        if arguments.answers is not None:
            checklist = _asked(checklist, arguments.answers)
    if arguments.json:
        put_json(to_json(checklist))
    else:
        _print(checklist)
    return EXIT_RISK if checklist.count("no") else 0


def _asked(checklist: Checklist, path: Path) -> Checklist:
    """With what the provider and the database of the answers say: a few requests, nothing is changed."""
    from wizard.checks import platform, provider, storage

    answers = answers_file.load(path)
    vault = Vault(Redactor(), base=answers.project)
    create = answers.database.create if answers.database is not None else None
    name = create.name if create is not None else None
    checklist = provider.add(checklist, answers, vault, made_database.token_reference(answers), name)
    return storage.add(platform.add(checklist, answers, vault), answers, vault)


def _print(checklist: Checklist) -> None:
    put(checklist.subject)
    for item in checklist.items:
        where = f"  {item.place.file}:{item.place.line}" if item.place else ""
        put(f"\n  {MARKS[item.answer]} {item.title}: {item.answer.replace('-', ' ')}{where}")
        put(f"    {item.why}")
        if item.hint:
            put(f"    {item.hint}")
    yes, no, unknown = (checklist.count(answer) for answer in MARKS)
    put(f"\n{yes} yes, {no} no, {unknown} cannot be told from here. Nothing has been written.")
