"""The console script: `ashore`. Everything but the wizard itself is `wizard.cli`."""

from __future__ import annotations

from wizard.cli import main as cli_main

# A name that type checkers take for True; importing `pathlib` would slow --help down.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def open_wizard(path: Path, state_dir: Path | None, proposed: Mapping[str, object] | None) -> int:
    """Run the wizard on screen for the app in `path`; returns the exit code.

    Textual is imported here, so that no other command waits for it.
    """
    from screens.app import WizardApp
    from screens.lately import late_engine

    app = WizardApp(path, late_engine(), state_dir, proposed)
    app.run()
    return app.exit_code


def main() -> None:
    """Entry point of the `ashore` command."""
    cli_main(open_wizard=open_wizard)


if __name__ == "__main__":
    main()
