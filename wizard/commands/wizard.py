"""`ashore [PATH]`: the wizard on screen."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from wizard.commands import OpenWizard
from wizard.errors import UsageError


def has_terminal() -> bool:
    """Whether a full-screen program can be shown: Textual reads stdin and draws on stderr."""
    return sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def wizard(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
    """Open the screens, or ask line by line where that is wanted or nothing can be drawn.

    Raises UsageError where there is no terminal, naming the headless way.
    """
    path = arguments.path.absolute()
    if not path.is_dir():
        raise UsageError("project-missing", f"There is no folder {path}.", "Name the app's folder.")
    if _asks_lines(arguments.plain):
        return _plain(path, arguments.state_dir)
    if open_wizard is None or not has_terminal():
        raise UsageError(
            "no-terminal",
            "The wizard needs a terminal; nothing was written.",
            "Without one: `ashore answers -o ashore.yml`, fill it in, then `ashore run -a ashore.yml`.",
        )
    if arguments.no_color:
        os.environ["NO_COLOR"] = "1"
    return open_wizard(path, arguments.state_dir, None)


def _asks_lines(wanted: bool) -> bool:
    """Whether a person can be asked, and wants to be or has a terminal that cannot be drawn on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("CI"):
        return False
    return wanted or os.environ.get("TERM", "dumb") == "dumb"


def _plain(path: Path, state_dir: Path | None) -> int:
    from getpass import getpass

    from wizard import api
    from wizard.plain.talk import Talk
    from wizard.plain.walk import walk

    return walk(Talk(read=input, read_secret=getpass, put=print), path, api, state_dir)
