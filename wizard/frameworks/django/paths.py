"""Where a project's own entry point lets Python import from."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from wizard.frameworks.django.evaluate import Evaluator, Scope, parse
from wizard.frameworks.django.settings import module_file


def python_paths(app: Path, module: str) -> tuple[Path, ...]:
    """The app's folder, what manage.py adds to `sys.path`, and the folder that holds the settings' package.

    Raises UsageError `unreadable-settings` where manage.py cannot be parsed.
    """
    found = [app]
    manage = app / "manage.py"
    if manage.is_file():
        found += _added(app, manage)
    file = module_file(app, module)
    if file is not None:
        inner = file.parent if file.name == "__init__.py" else file
        found.append(inner.parents[len(module.split(".")) - 1])
    return tuple(dict.fromkeys(Path(os.path.normpath(path)) for path in found))


def _added(app: Path, manage: Path) -> list[Path]:
    evaluator = Evaluator(app, ())
    scope = Scope(manage, {"__file__": str(manage)})
    paths: list[Path] = []
    for node in ast.walk(parse(manage, app)):
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Assign():
                evaluator.statement(node, scope)
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id="sys"), attr="path"), attr="append" | "insert"
                ),
                args=[*_, value],
            ):
                path = evaluator.value(value, scope)
                if isinstance(path, str | Path):
                    paths.append(app / path)
    return paths
