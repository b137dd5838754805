"""Whether the app speaks SQLite's own SQL, so that its tables must hold what SQLite gives it."""

from __future__ import annotations

import re

from wizard.databases.derive_types import Manners
from wizard.frameworks.app_folder import app_folder
from wizard.frameworks.flask.layout import read_code
from wizard.frameworks.flask.raw import package
from wizard.model import Project


def manners(project: Project) -> Manners | None:
    """The manners of a Flask app on the module sqlite3 (or on the generated package); None for any other."""
    for framework in project.frameworks:
        if framework.name != "flask":
            continue
        app = app_folder(project.root, framework)
        sources = [source.data for source in read_code(app, ()).sources.values()]
        if any(b"import sqlite3" in d or b"from sqlite3" in d or package.NAME.encode() in d for d in sources):
            switched = re.compile(rb"foreign_keys\s*=?\s*\(?(?:ON|1|TRUE|YES)", re.IGNORECASE)
            return Manners(
                times=any(b"PARSE_DECLTYPES" in d for d in sources),
                foreign_keys=any(switched.search(d) for d in sources),
            )
    return None
