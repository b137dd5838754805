"""The generated package's files, as they go into the project."""

from __future__ import annotations

from importlib import resources

NAME = "db_compat"
_FILES = ("__init__.py", "dialect.py", "functions.py", "server.py", "statements.py", "tokens.py")


def files() -> dict[str, str]:
    """The text of each file by its path below the package's home."""
    folder = resources.files("wizard.frameworks.flask.raw") / "compat"
    return {f"{NAME}/{name}": (folder / name).read_text(encoding="utf-8") for name in _FILES}
