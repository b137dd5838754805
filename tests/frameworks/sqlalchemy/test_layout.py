"""Where migrations and models stand, read from the code's text."""

from __future__ import annotations

from pathlib import Path

from tests.frameworks.sqlalchemy.sample import APP, DATABASE, ENV, HEROES, MAIN, MODELS
from wizard.frameworks.sqlalchemy.layout import Layout, Migrations, bookkeeping, owns_schema, read
from wizard.model import Framework


def layout(root: Path, files: dict[str, str]) -> Layout:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return read(root)


def test_flask_migrate_with_models_in_a_package(tmp_path: Path) -> None:
    found = layout(tmp_path, {
        "shop/__init__.py": APP, "shop/models.py": MODELS, "migrations/env.py": ENV,
        "migrations/versions/a.py": "", "migrations/alembic.ini": "", "tests/test_x.py": MODELS,
    })  # fmt: skip
    assert found.migrations == Migrations("migrations", "migrations/alembic.ini", flask=True)
    assert (found.models, found.makers, found.roots) == (((".", "shop.models"),), ("shop",), (".",))
    assert bookkeeping(tmp_path, Framework("flask", None, ".")) == ("alembic_version",)


def test_modules_are_called_as_the_code_calls_them(tmp_path: Path) -> None:
    found = layout(tmp_path, {
        "backend/app/database.py": DATABASE, "backend/app/models.py": HEROES, "backend/app/main.py": MAIN,
        "backend/alembic.ini": "", "backend/alembic/env.py": "from alembic import context\nurl = DB_MAIN_URL",
        "backend/alembic/versions/a.py": "",
    })  # fmt: skip
    assert found.models == (("backend", "app.models"),)
    assert found.migrations == Migrations("backend/alembic", "backend/alembic.ini", flask=False)
    assert {"DATABASE_URL", "DB_MAIN_URL"} <= set(found.variables)


def test_other_libraries_have_no_schema_that_is_known(tmp_path: Path) -> None:
    layout(tmp_path, {
        "app.py": "from reportlab.platypus import Table\nTable(data)\ndb.execute('SELECT 1')\n",
        "models.py": "from tortoise import models\nclass User(models.Model):\n    pass\n",
        "venv/pyvenv.cfg": "", "venv/x.py": MODELS,
    })  # fmt: skip
    assert not owns_schema(tmp_path, Framework("flask", None, "."))
    assert bookkeeping(tmp_path, Framework("flask", None, ".")) == ()
