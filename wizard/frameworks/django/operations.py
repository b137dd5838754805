"""Operators on the values that reading settings works with."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wizard.frameworks.django.values import UNKNOWN, Dotted, EnvironPath, EnvironReader, Method

_METHODS = (str, dict, list, Path, EnvironPath, EnvironReader)


def compare(left: Any, op: ast.cmpop, right: Any, environ: Mapping[str, str]) -> Any:
    """`left op right`, or UNKNOWN."""
    if isinstance(op, ast.In | ast.NotIn) and right == Dotted("os.environ"):
        return (left in environ) == isinstance(op, ast.In)
    if left is UNKNOWN or right is UNKNOWN or isinstance(left, Dotted) or isinstance(right, Dotted):
        return UNKNOWN
    match op:
        case ast.Eq() | ast.Is():
            return left == right
        case ast.NotEq() | ast.IsNot():
            return left != right
        case ast.In() | ast.NotIn() if isinstance(right, str | list | tuple | dict):
            if isinstance(right, str) and not isinstance(left, str):
                return UNKNOWN
            return (left in right) == isinstance(op, ast.In)
    return UNKNOWN


def item(owner: Any, key: Any, environ: Mapping[str, str]) -> Any:
    """`owner[key]`, or UNKNOWN."""
    if owner == Dotted("os.environ"):
        return environ.get(key, UNKNOWN)
    if isinstance(owner, Method) and owner.name == "parents" and isinstance(key, int):
        parents = owner.owner.parents
        return parents[key] if key < len(parents) else UNKNOWN
    if isinstance(owner, dict):
        return owner.get(key, UNKNOWN)
    if isinstance(owner, list | tuple | str) and isinstance(key, int) and -len(owner) <= key < len(owner):
        return owner[key]
    return UNKNOWN


def attribute(owner: Any, name: str) -> Any:
    """`owner.name`, or UNKNOWN."""
    if isinstance(owner, Dotted):
        return Dotted(f"{owner.name}.{name}")
    if isinstance(owner, Path) and name in ("parent", "name", "stem", "suffix"):
        return getattr(owner, name)
    if isinstance(owner, EnvironPath) and name == "root":
        return str(owner.path)
    return Method(owner, name) if isinstance(owner, _METHODS) else UNKNOWN


def add(left: Any, right: Any) -> Any:
    """`left + right`, or UNKNOWN."""
    if isinstance(left, list) and isinstance(right, list | tuple):
        return [*left, *right]
    if isinstance(left, tuple) and isinstance(right, list | tuple):
        return (*left, *right)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return UNKNOWN


def binary(left: Any, op: ast.operator, right: Any) -> Any:
    """`left op right`, or UNKNOWN."""
    match op:
        case ast.Add():
            return add(left, right)
        case ast.Div() if isinstance(left, Path) and isinstance(right, str | Path):
            return left / right
        case ast.Sub() if isinstance(left, EnvironPath) and isinstance(right, int):
            return left.up(right)
        case ast.Add() if isinstance(left, EnvironPath) and isinstance(right, str):
            return left.join(right)
        case ast.BitOr() if isinstance(left, dict) and isinstance(right, dict):
            return left | right
        case ast.Mod() if isinstance(left, str) and isinstance(right, str | int | Path):
            return left.replace("%s", str(right)) if left.count("%") == 1 else UNKNOWN
    return UNKNOWN
