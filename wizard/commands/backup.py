"""`ashore backup`: database and files to folders or buckets, verified; or a schedule and a runbook for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from wizard import runner
from wizard.backup import opening, runbook, schedule, write
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json, read_secrets, tell
from wizard.context import Cancel
from wizard.errors import EXIT_DONE, EXIT_STEP_FAILED, UsageError
from wizard.patchers.files import write_durably


def backup(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Back up now; with --schedule or --runbook, write those instead and touch no data."""
    wish = opening.Wish(
        path=arguments.path,
        answers=arguments.answers,
        to=tuple(arguments.to),
        keep=arguments.keep,
        database=arguments.database,
        files=tuple(arguments.files),
        only=arguments.only,
        encrypt=arguments.encrypt,
        csv=arguments.csv,
        name=arguments.name,
    )
    if arguments.output is not None and arguments.schedule is None:
        raise UsageError("output", "--output belongs to --schedule; nothing was written.", "")
    opened = opening.open_project(wish.path, wish.answers, read_secrets(arguments.secrets_stdin))
    if arguments.schedule is not None or arguments.runbook is not None:
        return _prepare(arguments, wish, opened)
    cancel = Cancel()
    redact = opened.vault.redactor.text
    say = (lambda text: None) if arguments.quiet else (lambda text: tell(redact(text)))
    with runner.stopping_on_signals(cancel):
        made = write.backup(opening.request(wish, opened), say, cancel)
    if arguments.json:
        put_json(
            {
                "version": 1,
                "backup": made.id,
                "places": [text.partition("?")[0] for text in wish.to],
                "rows": None if made.database is None else sum(t.rows for t in made.database.tables),
                "files": made.files,
                "bytes": made.bytes,
                "left_out": list(made.left_out),
                "unread": list(made.unread),
                "deleted": list(made.deleted),
            }
        )
    else:
        put(made.id)
    if made.unread:
        tell(f"ashore: {len(made.unread)} files could not be read and are not in this backup.")
        return EXIT_STEP_FAILED
    return EXIT_DONE


def _prepare(arguments: argparse.Namespace, wish: opening.Wish, opened: opening.Opening) -> int:
    plan = schedule.plan(wish, opened)
    if arguments.runbook is not None:
        _new(arguments.runbook, runbook.text(plan).encode())
        tell(f"Written: {arguments.runbook}")
    if arguments.schedule is None:
        return EXIT_DONE
    if arguments.schedule == "github":
        text = schedule.github(plan)
    else:
        text = schedule.render(plan, arguments.output)
    if arguments.output is None:
        put(text)
    elif arguments.output.is_file() and arguments.output.read_text(encoding="utf-8") == text:
        tell(f"{arguments.output} already says this; nothing was written.")
    else:
        if arguments.schedule == "github" and arguments.output.exists():
            raise UsageError(
                "output-exists", f"{arguments.output} exists; nothing was written.", "Name another file."
            )
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        write_durably(arguments.output, text.encode())
        tell(f"Written: {arguments.output}")
    for line in schedule.secrets_to_set(plan, arguments.schedule):
        tell(line)
    return EXIT_DONE


def _new(path: Path, data: bytes) -> None:
    if path.exists():
        raise UsageError("output-exists", f"{path} exists; nothing was written.", "Name another file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, data)
