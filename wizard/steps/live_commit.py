"""Whether the commit that a platform serves holds the changed files, asked of the user's own git.

Git is only read: nothing is fetched, so that a commit this machine does not know yet is told as such.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from wizard.model import Edit

Held = Literal["yes", "no", "unknown"]
SECONDS = 20.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def holds(root: Path, commit: str, edits: Iterable[Edit]) -> Held:
    """Whether `commit` holds every edit; `unknown` where git here does not know the commit.

    A file may hold what the run wrote, or what the user made of it since: it must not be the old one. Line
    endings do not count, since git may change them on the way in.
    """
    if not _COMMIT.fullmatch(commit) or _read(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return "unknown"
    for edit in edits:
        there = _read(root, "cat-file", "blob", f"{commit}:./{edit.path}")
        if there is None:
            return "no"
        wanted = {edit.after_sha256}
        file = root / edit.path
        if file.is_file():
            data = file.read_bytes()
            if _digest(data) != edit.before_sha256:
                wanted |= {_digest(data), _digest(_unix(data))}
        if not wanted & {_digest(there), _digest(_unix(there))}:
            return "no"
    return "yes"


def _unix(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(root: Path, *command: str) -> bytes | None:
    """What git prints; None where it refuses or is not there."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *command],
            cwd=root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
