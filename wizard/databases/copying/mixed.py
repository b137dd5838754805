"""Values of several storage classes in one column, made one class as the decision `mixed_types` says."""

from __future__ import annotations

import math

from wizard.databases.copying import types
from wizard.databases.copying.types import Coercer, Decisions, Value
from wizard.databases.postgres.catalog import Column


def carrier(column: Column, decisions: Decisions, zone: str) -> Coercer:
    """`types.coercer`, with the decision `mixed_types` (`text` or `bytes`) applied first where it concerns
    the column's real type."""
    inner = types.coercer(column, decisions, zone)
    choice = decisions.get("mixed_types")
    if choice == "text" and column.kind in types.TEXTS:
        return lambda value: inner(as_text(value))
    if choice == "bytes" and column.kind == "bytea":
        return as_bytes
    return inner


def as_text(value: object) -> Value:
    """Numbers as their shortest digits, bytes as `\\x` and hexadecimal digits, text as it is."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, str) else str(value)


def as_bytes(value: object) -> Value:
    """Text and numbers as the bytes of their text, in UTF-8 or, where text is not that, as stored."""
    if isinstance(value, bytes):
        return value
    return str(as_text(value)).encode("utf-8", "surrogateescape")
