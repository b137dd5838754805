"""A bug's report: the traceback without any value, redacted, in a file that only the user can read."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path

from wizard.credentials import Redactor


def write_crash(error: BaseException, folder: Path | None = None, redactor: Redactor | None = None) -> Path:
    """Write the report into `folder` (default: the system's temporary folder) and return its path.

    Outside a run no secret is known to mask, so only the type of each error is kept, not its message.
    """
    if redactor is not None:
        text = redactor.text("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    else:
        frames = "".join(traceback.format_tb(error.__traceback__))
        text = f"{frames}{type(error).__name__} (message left out: it may hold a value)\n"
    where = folder or Path(tempfile.gettempdir())
    path = where / f"ashore-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path
