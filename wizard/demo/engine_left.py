"""The engine that a wizard may leave at work: the demo waits for it, and ends it when it is ended itself."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from wizard.runner import run_state
from wizard.state import State, holder

POLL_SECONDS = 0.2
STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class EngineLeft:
    """The runs of the demo's project in the state folder `state`."""

    project: Path
    state: Path

    def pid(self) -> int | None:
        """The engine at work on the project now, or None."""
        found = holder(State(self.state.absolute()).project_folder(self.project))
        return None if found is None else found.pid

    def wait(self) -> None:
        """Until no engine is at work. A signal's exception ends the wait."""
        while self.pid() is not None:
            time.sleep(POLL_SECONDS)

    def status(self) -> str | None:
        """How the newest run stands, in the words of wizard.runner.run_state; None where there is none."""
        runs = State(self.state.absolute()).runs(self.project)
        return run_state(runs[-1])[0] if runs else None

    def stop(self) -> None:
        """Ask a living engine to stop at a safe point, and end it where it does not."""
        deadline = time.monotonic() + STOP_SECONDS
        asked: set[int] = set()
        while (pid := self.pid()) is not None:
            late = time.monotonic() > deadline
            if pid not in asked or late:
                try:
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
                except ProcessLookupError:
                    return
                asked.add(pid)
            if time.monotonic() > 2 * STOP_SECONDS + deadline:
                return
            time.sleep(POLL_SECONDS)
