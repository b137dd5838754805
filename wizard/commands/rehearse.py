"""`ashore rehearse -a FILE`: the whole run on a copy, against servers started here."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from wizard import answers_file
from wizard.commands import OpenWizard
from wizard.commands.common import tell
from wizard.commands.run import reported
from wizard.context import Cancel
from wizard.events import Event
from wizard.rehearse.run import Rehearsal
from wizard.rehearse.run import rehearse as perform


def rehearse(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Rehearse, then say what was seen and what the real target would add."""

    def work(listen: Callable[[Event], None], cancel: Cancel) -> int:
        done = perform(answers_file.load(arguments.answers), cancel, listen, arguments.keep)
        _tell(done, arguments.keep)
        return done.exit_code

    return reported(arguments, work)


def _tell(done: Rehearsal, keep: Path | None) -> None:
    compared = done.compared
    if compared is not None:
        tell(
            f"The app was started before and after: {compared.same:,} pages and {compared.files:,} files are "
            f"the same, {len(compared.differing):,} differ, {compared.unsteady:,} change by themselves."
        )
    if done.why:
        tell(done.why)
    if done.real:
        tell("What the real run adds:")
    for line in done.real:
        tell(f"  - {line}")
    kept = "that copy is gone" if keep is None else f"that copy and the run's report are kept in {keep}"
    tell(f"Nothing outside the rehearsal's own copy was written, and {kept}.")
