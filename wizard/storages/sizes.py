"""Files that a storage does not take for their size, named before anything is written."""

from __future__ import annotations

from collections.abc import Callable

from wizard.errors import UsageError
from wizard.events import Event, Warned
from wizard.storages.base import Limits

SHOWN = 10


class Sizes:
    """Collects files that are too large, the first few by name; memory does not grow with their number."""

    def __init__(self) -> None:
        self._over: list[str] = []
        self._count = 0
        self._doubtful: dict[str, tuple[int, int, str]] = {}

    def look(self, name: str, size: int, title: str, limits: Limits) -> None:
        """Judge one file of `size` bytes that goes to the storage called `title`."""
        if limits.largest is not None and size > limits.largest:
            self._count += 1
            if len(self._over) < SHOWN:
                self._over.append(f"{name} ({size:,} bytes; {title} takes {limits.largest:,})")
        elif limits.free is not None and size > limits.free:
            count, _, first = self._doubtful.get(title, (0, 0, name))
            self._doubtful[title] = count + 1, limits.free, first

    def judge(self, emit: Callable[[Event], None]) -> None:
        """Warn of what a free plan does not take. Raises UsageError `file-too-large`."""
        for title, (count, free, first) in self._doubtful.items():
            emit(
                Warned(
                    "file-beyond-free-plan",
                    f"{count:,} files are larger than the {free:,} bytes that {title} takes on "
                    f"its free plan, {first} among them; on a paid plan, see that the project's own limit "
                    "is set higher.",
                )
            )
        if self._count:
            more = " …" if self._count > SHOWN else ""
            raise UsageError(
                "file-too-large",
                f"{self._count:,} files are larger than their storage takes: {'; '.join(self._over)}{more}. "
                "Nothing was sent.",
                "Give the rule a `max_size`, and let a later rule send larger files elsewhere or leave them.",
            )
