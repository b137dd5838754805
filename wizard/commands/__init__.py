"""The commands of the command line: one module a group, imported when called."""

from __future__ import annotations

# A name that type checkers take for True; importing `typing` and `pathlib` would slow --help down.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeAlias

OpenWizard: TypeAlias = "Callable[[Path, Path | None, Mapping[str, object] | None], int]"
