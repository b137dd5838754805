"""`ashore runs | verify | undo | sync`: what is done to a run that exists."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict

from wizard import engine, records, runner
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json, read_secrets, tell
from wizard.commands.run import reported
from wizard.context import Cancel
from wizard.events import Event
from wizard.state import State, holder
from wizard.steps import platform_access


def runs(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """List the runs of a project, or remove the record of one."""
    project = arguments.project.absolute()
    state = State.open(arguments.state_dir, project)
    if arguments.clean:
        folder = engine.find_run(state, project, arguments.clean, unfinished=False)
        tell(records.clean(folder, state, project, read_secrets(arguments.secrets_stdin)))
        return 0
    held = holder(state.project_folder(project))
    found = []
    for folder in state.runs(project):
        status, step = runner.run_state(folder)
        if status == "running" and (held is None or held.run != folder.run):
            status = "interrupted"
        found.append({"run": folder.run, "state": status, "step": step, "folder": str(folder.path)})
    if arguments.json:
        put_json({"version": 1, "runs": found})
    elif not found:
        put("No run of this project is known here.")
    else:
        for entry in found:
            at = f" at {entry['step']}" if entry["step"] else ""
            put(f"{entry['run']}  {entry['state']}{at}\n  {entry['folder']}")
    return 0


def verify(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Compare a run's snapshot with the target again. Exit 6 on a difference."""

    def work(listen: Callable[[Event], None], cancel: Cancel) -> int:
        secrets = read_secrets(arguments.secrets_stdin)
        with engine.chosen_run(
            arguments.project, arguments.run, secrets, arguments.state_dir, cancel, listen, "verify"
        ) as ctx:
            code = runner.run_again(ctx, "verify")
            if arguments.json:
                put_json({"version": 1, **dict(ctx.journal.all("verify"))})
            return code

    arguments.events = False
    return reported(arguments, work)


def sync(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Carry over what changed at the source since the snapshot, then verify."""

    def work(listen: Callable[[Event], None], cancel: Cancel) -> int:
        secrets = read_secrets(arguments.secrets_stdin)
        with engine.chosen_run(
            arguments.project, arguments.run, secrets, arguments.state_dir, cancel, listen
        ) as ctx:
            return runner.run_again(ctx, "cutover")

    return reported(arguments, work)


def undo(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Restore patched files and rewritten references; exit 5 where something newer stands."""
    cancel = Cancel()
    with engine.chosen_run(
        arguments.project,
        arguments.run,
        read_secrets(arguments.secrets_stdin),
        arguments.state_dir,
        cancel,
        lambda event: None,
        "undo",
    ) as ctx:
        result = records.undo(ctx)
    if arguments.json:
        put_json({"version": 1, **asdict(result)})
        return result.exit_code
    for path in result.files:
        there = (ctx.project.root / path).exists()
        put(f"  + {path} restored" if there else f"  + {path} removed: the run had made it")
    for path in result.files_changed:
        put(f"  x {path} was changed since; it was left as it is")
    put(f"  + {result.references} references restored")
    if result.references_kept:
        put(f"  x {result.references_kept} references hold something newer; they were left as they are")
    for variable in result.variables:
        after = "the app restarted" if platform_access.restarts(ctx.answers) else "nothing was deployed"
        put(f"  + {variable} on the platform is as it was; {after}")
    for variable in result.variables_kept:
        put(f"  x {variable} on the platform holds something newer; it was left as it is")
    return result.exit_code
