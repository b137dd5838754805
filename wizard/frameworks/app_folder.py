"""The folder of an app about to be changed, whatever its framework: its files, and names that are its own."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import UsageError
from wizard.model import Framework

MAX_BYTES = 4_000_000


@dataclass(frozen=True)
class AppFolder:
    """An app about to be changed. `folder` is the app's, relative to `root`, "" for the same."""

    root: Path
    folder: str

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None where there is none. `path` is relative to the root.

        Raises UsageError `unreadable-settings` where it cannot be read or is larger than 4 MB.
        """
        file = self.root / path
        if not file.is_file():
            return None
        try:
            if file.stat().st_size > MAX_BYTES:
                raise UsageError("unreadable-settings", f"{path} is larger than 4 MB.", "Nothing is changed.")
            return file.read_bytes()
        except OSError as error:
            raise UsageError(
                "unreadable-settings", f"{path} cannot be read: {error.strerror}.", "Make it readable to you."
            ) from error

    def at(self, *parts: str) -> str:
        """A path below the app's folder, relative to the root."""
        return posixpath.normpath(posixpath.join(self.folder, *parts))

    def own(self, module: str) -> bool:
        """Whether a top-level module name is the project's own."""
        base = self.root / self.folder
        return (base / module).is_dir() or (base / f"{module}.py").is_file()


def app_folder(root: Path, framework: Framework) -> AppFolder:
    """The folder of `framework`'s app."""
    return AppFolder(root, "" if framework.path in ("", ".") else posixpath.normpath(framework.path))
