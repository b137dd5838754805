"""What the child printed, made fit to be shown: the project's own secrets are masked.

A traceback quotes lines of the project's code and values of its settings; ashore's own redactor knows
neither.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from wizard.credentials import Redactor, Secret
from wizard.frameworks.dotenv import read_dotenv
from wizard.patchers.masking import masked, secret_values

SHORTEST = 8
MOST_BYTES = 500_000
_SECRET_NAME = re.compile(r"SECRET|PASSW|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE|CREDENTIAL", re.I)
_FRAME = re.compile(r'^\s*File ".*", line \d+')


def mask(folders: Iterable[Path], settings: Path) -> Callable[[str], str]:
    """A function that masks one line after the other of the child's output.

    `folders` may hold a `.env`; `settings` is the folder of the settings module: what stands in either or
    in the environment under a secret's name is masked wherever it shows, and so are lines of code that
    look like they hold a secret.
    """
    redactor = _known(folders, settings)
    code = False

    def line(text: str) -> str:
        nonlocal code
        shown = redactor.text(masked(text) if code else text)
        code = _FRAME.match(text) is not None
        return shown

    return line


def _known(folders: Iterable[Path], settings: Path) -> Redactor:
    redactor = Redactor()
    known = dict(os.environ)
    for folder in folders:
        known.update(read_dotenv(folder / ".env"))
    for name, value in known.items():
        if len(value) >= SHORTEST and (_SECRET_NAME.search(name) or ("://" in value and "@" in value)):
            redactor.learn(Secret(value))
    for path in sorted(settings.glob("*.py")):
        try:
            text = path.read_bytes()[:MOST_BYTES].decode("utf-8", "replace")
        except OSError:
            continue  # the child says what is wrong with it
        for value in secret_values(text):
            if len(value) >= SHORTEST:
                redactor.learn(Secret(value))
    return redactor
