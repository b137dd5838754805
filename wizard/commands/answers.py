"""`ashore answers [PATH] [-o FILE] [--schema]`."""

from __future__ import annotations

import argparse

from wizard import engine
from wizard.answers_starter import starter
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json, tell
from wizard.errors import UsageError


def answers(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Write a starter answers file from the scan, or print the JSON Schema."""
    if arguments.schema:
        from wizard.answers_schema import json_schema

        put_json(json_schema())
        return 0
    project = engine.open_project(arguments.path.absolute())
    if arguments.output is None:
        put(starter(project, ".").rstrip("\n"))
        return 0
    if arguments.output.exists():
        raise UsageError(
            "answers-exist", f"{arguments.output} exists; it was not changed.", "Name another file with -o."
        )
    target = arguments.output.absolute()
    relative = "." if target.parent == project.root else str(project.root)
    target.write_text(starter(project, relative), encoding="utf-8")
    tell(f"Wrote {arguments.output}. Fill it in, then: ashore preflight -a {arguments.output}")
    return 0
