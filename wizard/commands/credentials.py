"""`ashore credentials set | list | delete | reveal NAME`."""

from __future__ import annotations

import argparse
import getpass
import sys

from wizard.commands import OpenWizard
from wizard.commands.common import put, tell
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.keyrings import open_keyring


def credentials(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Keep, list (names only), delete or, on a terminal and after a question, show a secret."""
    ring = open_keyring()
    if arguments.action == "list":
        for known in ring.names():
            put(known)
        return 0
    if not arguments.name:
        raise UsageError(
            "name-missing",
            f"`credentials {arguments.action}` needs a NAME.",
            "`ashore credentials list` shows them.",
        )
    name: str = arguments.name
    if arguments.action == "set":
        ring.store(name, _ask(name))
        tell(f"Stored. Refer to it as keyring:{name}")
    elif arguments.action == "delete":
        tell("Deleted." if ring.delete(name) else f"There was no {name}.")
    else:
        _reveal(name)
    return 0


def _ask(name: str) -> Secret:
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {name} (not shown): ")
    else:
        value = sys.stdin.read().rstrip("\r\n")
    if not value:
        raise UsageError(
            "secret-empty", "Nothing was entered; nothing was stored.", "Type or pipe the value."
        )
    return Secret(value)


def _reveal(name: str) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "terminal-needed", "A secret is shown on a terminal only.", "Run this command in a terminal."
        )
    tell(f"Show {name} on this screen? Type yes:")
    if sys.stdin.readline().strip() != "yes":
        tell("Not shown.")
        return
    secret = open_keyring().get(name)
    if secret is None:
        raise UsageError("no-secret", f"There is no {name}.", "`ashore credentials list` shows the names.")
    put(secret.reveal())
