"""`ashore completion SHELL`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from wizard.commands import OpenWizard
from wizard.commands.common import put


def completion(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Print the shell's completion of this command line."""
    import shtab

    parser: argparse.ArgumentParser = arguments.parser
    _name_files(parser, shtab.FILE)
    put(shtab.complete(parser, arguments.shell).rstrip("\n"))
    return 0


def _name_files(parser: argparse.ArgumentParser, files: Mapping[str, object]) -> None:
    """Let every option and argument that takes a path complete file names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _name_files(command, files)
        elif getattr(action.type, "__name__", "") == "Path":
            action.complete = files  # type: ignore[attr-defined]
