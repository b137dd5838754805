"""Every error a user can cause: a stable code, what happened, what to do, and the exit code.

Exit codes are a contract (INTERFACE, "Exit codes"). A broad `except` never turns one into another.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_STEP_FAILED = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_REFUSED = 4
EXIT_NOT_AS_PLANNED = 5
EXIT_DIFFERENCES = 6
EXIT_RISK = 7
EXIT_SIGINT = 130
EXIT_SIGTERM = 143


class AshoreError(Exception):
    """Base of all expected failures. `code` is kebab-case and documented; `hint` says what to do."""

    exit_code = EXIT_STEP_FAILED
    resumable = True

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(AshoreError):
    """The command line, the answers, or the project's state do not allow the work to begin."""

    exit_code = EXIT_USAGE


class Undecided(UsageError):
    """The preflight found what only an answer can decide; nothing has been written."""


class Refused(AshoreError):
    """A provider, server or credential said no."""

    exit_code = EXIT_REFUSED


class NotAsPlanned(AshoreError):
    """The source or a file to patch is not what the plan saw."""

    exit_code = EXIT_NOT_AS_PLANNED


class StepFailed(AshoreError):
    """A step failed in a way that a resume can repair."""


class ConnectionLost(StepFailed):
    """The server or network went away in the middle of the work."""


class Differences(AshoreError):
    """Verification found that source and target differ."""

    exit_code = EXIT_DIFFERENCES


class Stopped(AshoreError):
    """The user asked to stop; the work halted at a safe point."""

    def __init__(self, signal_number: int = 2) -> None:
        super().__init__("stopped", "Stopped as asked.", "`ashore resume` goes on from here.")
        self.exit_code = 128 + signal_number
