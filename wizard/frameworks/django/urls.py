"""Whether a project's root urls serve uploaded files: always, only with DEBUG, or never.

`django.conf.urls.static.static()` returns nothing unless DEBUG is set (Django, "Serving files uploaded
by a user during development"); a route to `django.views.static.serve` works always.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Literal

from wizard.frameworks.django.evaluate import parse

_Serves = Literal["always", "debug", "never"]


def serves_media(urls: Path, root: Path) -> tuple[_Serves, int]:
    """How `urls` serves uploads, and the line where (0 for never)."""
    tree = parse(urls, root)
    found: list[tuple[_Serves, int]] = []
    _look(tree, False, found)
    always = [line for how, line in found if how == "always"]
    if always:
        return "always", always[0]
    return ("debug", found[0][1]) if found else ("never", 0)


def _look(node: ast.AST, under_debug: bool, found: list[tuple[_Serves, int]]) -> None:
    if isinstance(node, ast.If | ast.IfExp) and _names(node.test, "DEBUG"):
        under_debug = True
    if isinstance(node, ast.Call):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function == "static" and _names(node, "MEDIA_ROOT", "MEDIA_URL"):
            found.append(("debug", node.lineno))
            return
        if function in ("path", "re_path", "url") and _names(node, "serve") and _about_media(node):
            found.append(("debug" if under_debug else "always", node.lineno))
            return
    for child in ast.iter_child_nodes(node):
        _look(child, under_debug, found)


def _about_media(node: ast.AST) -> bool:
    texts = (c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str))
    return _names(node, "MEDIA_ROOT", "MEDIA_URL") or any(
        "media" in text or "upload" in text for text in texts
    )


def _names(node: ast.AST, *names: str) -> bool:
    return any(
        (isinstance(child, ast.Name) and child.id in names)
        or (isinstance(child, ast.Attribute) and child.attr in names)
        for child in ast.walk(node)
    )
