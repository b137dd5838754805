"""`ashore demo`: a small app loses its data on a redeploy; then is saved."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from wizard.commands import OpenWizard
from wizard.commands.common import tell
from wizard.commands.wizard import has_terminal
from wizard.credentials import Secret
from wizard.demo.story import run_demo


def demo(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
    """Tell the story; with a terminal the wizard opens in the middle of it, else it runs by itself."""
    headless = arguments.headless or open_wizard is None or not has_terminal()

    def migrate(project: Path, answers: Path, secrets: Mapping[str, Secret], state_dir: Path) -> int:
        if headless or open_wizard is None:
            return _run(answers, secrets, state_dir)
        from wizard.demo.proposal import proposed

        return open_wizard(project, state_dir, proposed(answers, secrets))

    return run_demo(
        headless=headless, keep=arguments.keep, state_dir=arguments.state_dir, say=tell, migrate=migrate
    )


def _run(answers: Path, secrets: Mapping[str, Secret], state_dir: Path) -> int:
    """`ashore run` as a child, as anyone would call it; its secrets go through its standard input."""
    child = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "wizard", "run", "-a", str(answers)),
            *("--yes", "--secrets-stdin", "--state-dir", str(state_dir)),
        ],
        stdin=subprocess.PIPE,
    )
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps({k: v.reveal() for k, v in secrets.items()}).encode())
        child.stdin.close()
        return child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise
