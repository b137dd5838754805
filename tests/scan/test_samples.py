"""What a scan says of the five sample projects, word for word, and what the patch mends in the third.

`ASHORE_GOLDEN=write pytest tests/scan/test_samples.py` writes the golden files anew: read the difference.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from wizard.frameworks.django.change import change
from wizard.model import Need, Project, Variable
from wizard.patchers.base import apply_splices
from wizard.scan import scan
from wizard.scan.as_json import to_json

PROJECTS = Path(__file__).parents[1] / "projects"
GOLDEN = Path(__file__).parent / "golden"
_URL = Variable("DATABASE_URL", "where", True)
DATABASE = Need("database", "postgres", (_URL,), (("url", "DATABASE_URL"),))


def copy(name: str, tmp_path: Path) -> Path:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return root


def fill_quiz(backend: Path) -> None:
    """The data of the first sample: a database, and uploads of three kinds."""
    connection = sqlite3.connect(backend / "db.sqlite3")
    connection.executescript(
        "CREATE TABLE quiz_lesson (id integer PRIMARY KEY AUTOINCREMENT, title varchar(200) NOT NULL,"
        " video varchar(100) NOT NULL, notes varchar(100) NOT NULL);"
        "CREATE TABLE quiz_question (id integer PRIMARY KEY AUTOINCREMENT, text text NOT NULL,"
        " image varchar(100) NOT NULL, answer smallint NOT NULL, lesson_id bigint NOT NULL);"
        "INSERT INTO quiz_lesson (title, video, notes) VALUES ('One', 'videos/1.mp4', 'pdfs/1.pdf');"
        "INSERT INTO quiz_question (text, image, answer, lesson_id) VALUES ('?', 'questions/1.png', 0, 1);"
    )
    connection.close()
    for name, size in (("videos/1.mp4", 5000), ("pdfs/1.pdf", 300), ("questions/1.png", 70)):
        file = backend / "media" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * size)


@pytest.mark.parametrize(
    "name", ["django_render", "fastapi_mongo", "django_cloudinary", "flask_sqlite", "nest_prisma"]
)
def test_the_scan_of_a_sample_is_the_golden_one(name: str, tmp_path: Path) -> None:
    root = copy(name, tmp_path)
    if name == "django_render":
        fill_quiz(root / "backend")
    found = json.dumps(to_json(scan(root)), indent=1, ensure_ascii=False) + "\n"
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("ASHORE_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    assert "pL4nt3dC4nary" not in found


def test_the_patch_names_the_requirements_file_that_is_there(tmp_path: Path) -> None:
    root = copy("django_cloudinary", tmp_path)
    made = change(scan(root), scan(root).frameworks[0], (DATABASE,))
    edit = next(e for e in made.edits if e.path == "render.yaml")
    before = (root / "render.yaml").read_bytes()
    after = apply_splices(before, edit)
    # DATABASE_URL stands there already: the one name is all that changes.
    assert after == before.replace(b"requirements-prod.txt", b"requirements.txt")
    (splice,) = edit.splices
    assert "requirements-prod.txt does not exist" in splice.reason
    (told,) = [i for i in made.instructions if "health" in i.why]
    assert (told.file, told.line) == ("render.yaml", 3)
    assert "healthCheckPath: /healthz/" in told.text
    (root / "render.yaml").write_bytes(after)
    again = change(scan(root), scan(root).frameworks[0], (DATABASE,))
    assert not [e for e in again.edits if e.path == "render.yaml"]


def test_two_requirements_files_are_for_a_person_to_choose_from(tmp_path: Path) -> None:
    root = copy("django_cloudinary", tmp_path)
    (root / "requirements-dev.txt").write_text("-r requirements.txt\n")
    project: Project = scan(root)
    made = change(project, project.frameworks[0], (DATABASE,))
    assert not [e for e in made.edits if e.path == "render.yaml"]
    (told,) = [i for i in made.instructions if "requirements-prod.txt" in i.why]
    assert "requirements-dev.txt, requirements.txt" in told.why
