"""The one way in which a value says that it cannot be carried exactly."""

from __future__ import annotations


class Inexact(ValueError):
    """`code` is a decision's code; `reason` says what the value is, without repeating it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
