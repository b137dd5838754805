"""The console script: `ashore`. Everything but the wizard itself is `wizard.cli`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wizard.cli import main as cli_main


def open_wizard(path: Path, state_dir: Path | None, proposed: Mapping[str, object] | None) -> int:
    """Run the wizard on screen for the app in `path`; returns the exit code.

    Textual is imported here, so that no other command waits for it.
    """
    from screens.app import WizardApp
    from wizard import api

    app = WizardApp(path, api, state_dir, proposed)
    app.run()
    return app.exit_code


def main() -> None:
    """Entry point of the `ashore` command."""
    cli_main(open_wizard=open_wizard)


if __name__ == "__main__":
    main()
