"""Only the bytes that must change do, whatever the file looks like; the rest becomes an instruction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks.django.change_kit import BUCKET, DATABASE, PUBLIC, apply
from tests.frameworks.flask import kit
from wizard.frameworks.base import Change
from wizard.frameworks.flask.change import change
from wizard.frameworks.flask.manners import manners
from wizard.model import Framework, Need, Project, Store

FLASK = Framework("flask", None, ".")


def project(root: Path, files: dict[str, str | bytes], *stores: Store) -> Project:
    for name, content in {"requirements.txt": "flask\n", **files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Project(root, (FLASK,), stores=stores)


def patched(found: Project, *needs: Need) -> Change:
    """Changes the files; a second time there is nothing left to do."""
    made = change(found, FLASK, needs or (DATABASE,))
    apply_all(found.root, made)
    assert change(found, FLASK, needs or (DATABASE,)).edits == ()
    return made


def apply_all(root: Path, made: Change) -> None:
    for edit in made.edits:
        (root / edit.path).parent.mkdir(exist_ok=True)
    apply(root, made)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import sqlite3\nc = sqlite3.connect('a.db')\n",
            "import db_compat\nc = db_compat.connect('a.db')\n",
        ),
        (
            "import os, sqlite3  # both\nc = sqlite3.connect('a.db')\n",
            "import os, db_compat  # both\nc = db_compat.connect('a.db')\n",
        ),
        (
            "import sqlite3 as sql\r\ndef f():\r\n\treturn sql.connect('a.db')\r\n",
            "import db_compat\r\ndef f():\r\n\treturn db_compat.connect('a.db')\r\n",
        ),
        (
            "from sqlite3 import connect\nc = connect('a.db')\n",
            "from db_compat import connect\nc = connect('a.db')\n",
        ),
        (
            "import sqlite3\n\nc = sqlite3.connect('a.db')\nc.row_factory = sqlite3.Row\n",
            "import sqlite3\n\nimport db_compat\n\n"
            "c = db_compat.connect('a.db')\nc.row_factory = sqlite3.Row\n",
        ),
        (
            "from sqlite3 import dbapi2 as sqlite3\n\nc = sqlite3.connect('a.db')",
            "from sqlite3 import dbapi2 as sqlite3\n\nimport db_compat\n\nc = db_compat.connect('a.db')",
        ),
        (
            "import os, sqlite3\nDB = 'a.db'\nif not os.path.exists(DB):\n    sqlite3.connect(DB)\n",
            "import os, db_compat\nDB = 'a.db'\nif not db_compat.exists(DB):\n    db_compat.connect(DB)\n",
        ),
        (
            "import sqlite3\nfrom pathlib import Path\nDB = Path('a.db')\n"
            "x = DB.exists() or sqlite3.connect(str(DB))\n",
            "import db_compat\nfrom pathlib import Path\nDB = Path('a.db')\n"
            "x = db_compat.exists(DB) or db_compat.connect(str(DB))\n",
        ),
        (
            "import sqlite3\nc = sqlite3.connect(':memory:')\n",
            "import sqlite3\nc = sqlite3.connect(':memory:')\n",
        ),
        (
            "print('sqlite3.connect(x)')  # sqlite3.connect\n",
            "print('sqlite3.connect(x)')  # sqlite3.connect\n",
        ),
    ],
)
def test_only_what_opens_the_database_changes(tmp_path: Path, before: str, after: str) -> None:
    found = project(tmp_path, {"app.py": before.encode()})
    patched(found)
    assert (tmp_path / "app.py").read_bytes() == after.encode()


def test_a_package_imports_relatively_and_strange_bytes_stay(tmp_path: Path) -> None:
    head = b"# -*- coding: latin-1 -*-\n# \xe9\n"
    db = head + b"import sqlite3\n\n\ndef get():\n    return sqlite3.connect('x.db')\n"
    factory = "from flask import Flask\n\nfrom . import db\n"
    found = project(tmp_path, {"shop/__init__.py": factory, "shop/db.py": db})
    patched(found)
    wanted = db.replace(b"import sqlite3", b"from . import db_compat").replace(
        b"sqlite3.conn", b"db_compat.conn"
    )
    assert (tmp_path / "shop/db.py").read_bytes() == wanted
    assert (tmp_path / "shop/__init__.py").read_text() == factory
    code = "from shop.db import get; print(type(get()).__module__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "sqlite3\n", done.stderr


def test_another_database_file_stays_where_it_is(tmp_path: Path) -> None:
    code = "import sqlite3\na = sqlite3.connect('shop.db')\nb = sqlite3.connect('cache.db')\n"
    found = project(tmp_path, {"app.py": code}, Store("sqlite", "shop.db"))
    patched(found)
    assert "sqlite3.connect('cache.db')" in (tmp_path / "app.py").read_text()
    assert "db_compat.connect('shop.db')" in (tmp_path / "app.py").read_text()


def test_what_cannot_be_carried_is_listed_by_line(tmp_path: Path) -> None:
    code = (
        "import os, sqlite3\n"
        "DB = 'a.db'\n"
        "c = sqlite3.connect(DB)\n"
        "c.create_function('f', 1, str)\n"
        "c.execute('SELECT * FROM t WHERE a GLOB ?', ('x',))\n"
        'c.execute(f"""SELECT a, b, COUNT(*)\n   FROM {table} GROUP BY a""")\n'
        "os.remove(DB)\n"
        "c.execute('SELECT a, COUNT(*) FROM t GROUP BY a')\n"
    )
    found = project(tmp_path, {"app.py": code, "schema.sql": "CREATE TABLE t (\n  a TEXT COLLATE NOCASE);\n"})
    made = patched(found)
    assert [(i.file, i.line) for i in made.instructions] == [
        ("app.py", 4), ("app.py", 7 + 1), ("app.py", 5), ("app.py", 6), ("schema.sql", 1),
    ]  # fmt: skip


def test_a_file_that_does_not_parse_is_left_alone(tmp_path: Path) -> None:
    found = project(tmp_path, {"app.py": "import sqlite3\nc = sqlite3.connect('a.db'\n"})
    made = patched(found)
    assert [i.file for i in made.instructions] == ["app.py"]
    assert {e.path for e in made.edits} <= {".env.example"}


def test_the_generated_code_passes_the_usual_linters(tmp_path: Path) -> None:
    root = kit.copy_sample(tmp_path / "shop")
    found = Project(root, (FLASK,), stores=(Store("uploads", "static/uploads"),))
    for number, bucket in enumerate((BUCKET, PUBLIC)):
        made = change(found, FLASK, (DATABASE, bucket))
        new = tmp_path / str(number)
        for edit in made.edits:
            if edit.before_sha256 is None and edit.path.endswith(".py"):
                (new / edit.path).parent.mkdir(parents=True, exist_ok=True)
                (new / edit.path).write_text(edit.splices[0].text)
        for command in (["check"], ["format", "--check"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(new)],
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout


def test_uploads_are_swapped_and_the_rest_is_listed(tmp_path: Path) -> None:
    code = (
        "import os, shutil\nfrom flask import Flask, request, send_file\n\n"
        "app = Flask(__name__)\napp.config['FILES'] = os.path.join('data', 'files')\n\n\n"
        "def save(form, name):\n    form.save()\n    path = os.path.join(app.config['FILES'], name)\n"
        "    request.files['f'].save(path)  # keep\n    with open(path, 'rb') as f:\n        f.read()\n"
        "    shutil.copy(path, '/backup')\n    os.remove('other.txt')\n    return send_file(path)\n"
    )
    found = project(tmp_path, {"app.py": code, "uploads.py": "MINE = 1\n"}, Store("uploads", "data/files"))
    made = patched(found, BUCKET)
    text = (tmp_path / "app.py").read_text()
    assert "    upload_store.save(request.files['f'], path)  # keep\n" in text
    assert "    with upload_store.open_file(path, 'rb') as f:\n" in text
    assert "    return upload_store.send_file(path)\n" in text
    assert "    form.save()\n" in text and "os.remove('other.txt')" in text
    assert [(i.line, i.text) for i in made.instructions] == [(14, "    shutil.copy(path, '/backup')\n")]
    assert (tmp_path / "uploads.py").read_text() == "MINE = 1\n"
    assert "boto3" in (tmp_path / "requirements.txt").read_text()


def test_the_manners_of_an_app(tmp_path: Path) -> None:
    assert manners(project(tmp_path / "a", {"app.py": "import flask\n"})) is None
    plain = manners(project(tmp_path / "b", {"app.py": "import sqlite3\n"}))
    assert plain is not None and not plain.times and not plain.foreign_keys
    code = "import sqlite3\nc = sqlite3.connect('x', detect_types=sqlite3.PARSE_DECLTYPES)\n"
    full = manners(project(tmp_path / "c", {"app.py": code + "c.execute('PRAGMA foreign_keys = 1')\n"}))
    assert full is not None and full.times and full.foreign_keys
