"""The engine, imported when a worker first asks it for something: the first picture comes before that."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from wizard.calls import Engine


class _Late:
    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("wizard.api"), name)


def late_engine() -> Engine:
    """Stands for `wizard.api`."""
    return cast("Engine", _Late())
