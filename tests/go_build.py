"""Runs Go's builder for a test server; where that cannot be done here, the tests that need it are skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

LONGEST_S = 420


def build(
    command: Sequence[str], folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> None:
    """Run `command`; skips the test, with what Go said last, where it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{' '.join(command[:2])} took more than {LONGEST_S} s here")
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["nothing"]
        pytest.skip(f"{' '.join(command[:2])} failed here; it said: {said[-1][:200]}")
