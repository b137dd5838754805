"""What a FastAPI app becomes: the swaps, what stays for a person, and that twice is once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.frameworks.app_kit import BUCKET, DISK, HYBRID, PUBLIC, changed, copied, written
from wizard.frameworks.fastapi.change import change

APP = {
    "requirements.txt": "fastapi==0.115.0\nuvicorn==0.30.0\n",
    "main.py": """\
import os
import shutil
from fastapi import FastAPI, UploadFile
from fastapi.staticfiles import StaticFiles
from PIL import Image

BASE_DIR = os.path.dirname(os.path.abspath(__file__))
UPLOAD_FOLDER = os.path.join(BASE_DIR, "static", "uploads")

app = FastAPI()
app.mount("/static", StaticFiles(directory="static"), name="static")


@app.post("/upload")
async def upload(file: UploadFile):
    location = f"{UPLOAD_FOLDER}/{file.filename}"  # caf\u00e9
    with open(location, "wb+") as target:
        shutil.copyfileobj(file.file, target)
    picture = Image.open(location)
    with open("log.txt", "a") as log:
        log.write(location)
    return {"size": picture.size, "bytes": os.path.getsize(location)}


@app.delete("/{name}")
def remove(name: str):
    os.remove(os.path.join(UPLOAD_FOLDER, name))
""",
}


def test_the_sample_is_changed_whole_and_twice_is_once(tmp_path: Path) -> None:
    root = copied("fastapi_mongo", tmp_path / "app")
    made = changed(change, root, "fastapi", BUCKET)
    assert made.instructions == ()
    assert sorted(e.path for e in made.edits) == [
        ".env.example",
        "app/main.py",
        "app/routers/files.py",
        "app/upload_storage.py",
        "render.yaml",
        "requirements.txt",
    ]
    again = changed(change, root, "fastapi", BUCKET)
    assert (again.edits, again.instructions) == ((), ())
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E4,E7,E9,F", str(root)]
    done = subprocess.run(ruff, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    done = subprocess.run(
        [*ruff[:4], "--isolated", "app/upload_storage.py"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    written_module = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--check",
        "app/upload_storage.py",
    ]
    assert subprocess.run(written_module, cwd=root, capture_output=True).returncode == 0


def test_only_what_concerns_uploads_is_swapped_and_the_rest_is_told_with_its_line(tmp_path: Path) -> None:
    root = written(tmp_path, APP)
    made = changed(change, root, "fastapi", BUCKET)
    text = (root / "main.py").read_text()
    ast.parse(text)
    assert 'with upload_storage.open_file(location, "wb+") as target:' in text
    assert 'with open("log.txt", "a") as log:' in text
    assert "upload_storage.size(location)" in text
    assert "upload_storage.remove(os.path.join(UPLOAD_FOLDER, name))" in text
    assert 'StoredFiles(directory="static")' in text
    told = [(i.file, i.line) for i in made.instructions]
    assert told == [("main.py", 19)]
    assert "boto3>=1.36\n" in (root / "requirements.txt").read_text()
    assert changed(change, root, "fastapi", BUCKET).edits == ()


def test_line_endings_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    main = b"\xef\xbb\xbf" + APP["main.py"].replace("\n", "\r\n").encode()
    root = written(tmp_path, {**APP, "main.py": main})
    changed(change, root, "fastapi", BUCKET)
    after = (root / "main.py").read_bytes()
    assert after.count(b"\r\n") == after.count(b"\n")
    assert after.startswith(b"\xef\xbb\xbf")
    assert b"upload_storage.open_file" in after


def test_public_files_are_shown_at_their_own_address_below_the_prefix(tmp_path: Path) -> None:
    root = written(tmp_path, APP)
    changed(change, root, "fastapi", PUBLIC)
    helper = (root / "upload_storage.py").read_text()
    assert 'os.environ["S3_PUBLIC_URL"]' in helper
    assert 'PREFIX = "files/"' in helper
    assert "presigned" not in helper


def test_a_disk_is_named_by_the_apps_own_variable(tmp_path: Path) -> None:
    root = copied("fastapi_mongo", tmp_path / "app")
    made = changed(change, root, "fastapi", DISK)
    assert not any(e.path.endswith(".py") for e in made.edits)
    (told,) = made.instructions
    assert "UPLOAD_DIR" in told.why


def test_files_in_the_database_are_left_to_a_person(tmp_path: Path) -> None:
    made = changed(change, written(tmp_path, APP), "fastapi", HYBRID)
    assert made.edits == ()
    assert len(made.instructions) == 1


def test_a_file_that_does_not_parse_is_not_touched(tmp_path: Path) -> None:
    root = written(tmp_path, {**APP, "other.py": "def broken(:\n    open('static/uploads/a')\n"})
    assert "other.py" not in [e.path for e in changed(change, root, "fastapi", BUCKET).edits]


def test_a_folder_that_cannot_be_read_from_the_code_is_told_where_it_is_written(tmp_path: Path) -> None:
    text = APP["main.py"].replace('os.path.join(BASE_DIR, "static", "uploads")', "elsewhere()")
    made = changed(change, written(tmp_path, {**APP, "main.py": text}), "fastapi", BUCKET)
    assert [(i.file, i.line) for i in made.instructions] == [("main.py", 17)]
    assert not any(e.path.endswith(".py") for e in made.edits)
