"""`ashore [PATH]`: the wizard on screen."""

from __future__ import annotations

import argparse
import os
import sys

from wizard.commands import OpenWizard
from wizard.errors import UsageError


def has_terminal() -> bool:
    """Whether a full-screen program can be shown: Textual reads stdin and draws on stderr."""
    return sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def wizard(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
    """Open the screens. Raises UsageError where there is no terminal, naming the headless way."""
    path = arguments.path.absolute()
    if not path.is_dir():
        raise UsageError("project-missing", f"There is no folder {path}.", "Name the app's folder.")
    if open_wizard is None or not has_terminal():
        raise UsageError(
            "no-terminal",
            "The wizard needs a terminal; nothing was written.",
            "Without one: `ashore answers -o ashore.yml`, fill it in, then `ashore run -a ashore.yml`.",
        )
    if arguments.no_color:
        os.environ["NO_COLOR"] = "1"
    return open_wizard(path, arguments.state_dir, None)
