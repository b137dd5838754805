# ruff: noqa: E501
"""The patched app, run by Django itself: as before without variables, on the targets with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.frameworks.django.change_kit import (
    BUCKET,
    DATABASE,
    FULL,
    PUBLIC,
    SETTINGS,
    URLS,
    changed,
    look,
    patched,
    write,
)
from wizard.demo import embedded
from wizard.model import Need, Variable

S3 = "storages.backends.s3.S3Storage"
FILES = "django.core.files.storage.FileSystemStorage"
STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


def test_without_variables_development_is_unchanged(tmp_path: Path) -> None:
    root = write(tmp_path, {"config/settings.py": SETTINGS + "DEBUG = True\n"})
    (root / "media").mkdir()
    (root / "media" / "x.txt").write_text("here")
    paths = ("/media/x.txt", "/media/none", "/media/private/x")
    before = look(root, {}, paths)
    assert before["backend"] == FILES
    assert before["answers"] == [[200, "", ""], [404, "", ""], [200, "", ""]]
    patched(root)
    assert look(root, {"DATABASE_URL": "", "S3_BUCKET_NAME": ""}, paths) == before


def test_with_variables_the_targets_are_used(tmp_path: Path) -> None:
    root = write(tmp_path)
    made = patched(root)
    assert made.instructions == ()
    seen = look(root, FULL, ("/media/a%20b/%C3%BC.png", "/media/private/x", "/media/../x", "/media/a//b"))
    assert seen["engine"] == "django.db.backends.postgresql"
    assert seen["host"] == "db.example"
    assert (seen["health"], seen["age"]) == (True, 600)
    assert (seen["backend"], seen["static"]) == (S3, STATIC)
    answers = seen["answers"]
    assert isinstance(answers, list)
    status, location, caching = answers[0]
    assert status == 302
    parts = urlsplit(location)
    assert (parts.netloc, parts.path) == ("s3.example", "/my-bucket/a%20b/%C3%BC.png")
    query = parse_qs(parts.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert int(query["X-Amz-Expires"][0]) > int(caching.partition("max-age=")[2])
    assert "private" in caching
    assert answers[1][0] == 200, "the app's own route under MEDIA_URL keeps the right of way"
    assert [a[0] for a in answers[2:]] == [404, 404]


def test_what_holds_for_both_databases_is_carried_over(tmp_path: Path) -> None:
    text = SETTINGS.replace('"db.sqlite3",\n', '"db.sqlite3",\n        "ATOMIC_REQUESTS": True,\n')
    root = write(tmp_path, {"config/settings.py": text})
    patched(root)
    assert look(root, FULL)["atomic"] is True


_ROUND_TRIP = """
import urllib.request
import django
django.setup()
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
settings.ALLOWED_HOSTS.append("testserver")
name = default_storage.save("a b/\u00fc #1?.txt", ContentFile(b"bytes"))
location = Client().get("/media/a%20b/%C3%BC%20%231%3F.txt").headers["Location"]
print(name, urllib.request.urlopen(location).read())
"""


def test_a_saved_file_comes_back_through_its_old_link(
    tmp_path: Path, s3_server: embedded.S3, bucket: str
) -> None:
    root = write(tmp_path)
    patched(root)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "PYTHONIOENCODING": "utf-8",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "S3_BUCKET_NAME": bucket,
        "AWS_REGION": "us-east-1",
        "S3_ENDPOINT_URL": s3_server.endpoint,
        "AWS_ACCESS_KEY_ID": s3_server.access_key.reveal(),
        "AWS_SECRET_ACCESS_KEY": s3_server.secret_key.reveal(),
    }
    done = subprocess.run(
        [sys.executable, "-c", _ROUND_TRIP], env=environ, cwd=root, capture_output=True, timeout=60
    )
    assert done.stdout.decode().strip() == "a b/\u00fc #1?.txt b'bytes'", done.stderr.decode()


def test_models_with_geometry_keep_their_kind_of_engine(tmp_path: Path) -> None:
    text = SETTINGS.replace("django.db.backends.sqlite3", "django.contrib.gis.db.backends.spatialite")
    root = write(tmp_path, {"config/settings.py": text})
    patched(root)
    assert 'engine="django.contrib.gis.db.backends.postgis"' in (root / "config/settings.py").read_text()


def test_on_aws_itself_no_endpoint_is_needed(tmp_path: Path) -> None:
    root = write(tmp_path)
    patched(root, (BUCKET,))
    seen = look(root, {k: v for k, v in FULL.items() if k != "S3_ENDPOINT_URL"})
    assert urlsplit(str(seen["url"])).netloc == "my-bucket.s3.eu-west-1.amazonaws.com"
    assert seen["engine"] == "django.db.backends.sqlite3"


def test_public_files_have_plain_addresses_below_the_prefix(tmp_path: Path) -> None:
    root = write(tmp_path)
    patched(root, (DATABASE, PUBLIC))
    assert look(root, FULL)["url"] == "https://cdn.example/base/uploads/a%20b/%C3%BC.png"
    plain = {**FULL, "S3_PUBLIC_URL": "http://localhost:9000/b/"}
    assert look(root, plain)["url"] == "http://localhost:9000/b/uploads/a%20b/%C3%BC.png"


STORAGES = f"""
STORAGES = {{
    "default": {{"BACKEND": "{FILES}"}},
    "staticfiles": {{"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}},
}}
"""


def test_storages_that_are_assigned_keep_their_other_entries(tmp_path: Path) -> None:
    root = write(tmp_path, {"config/settings.py": SETTINGS + STORAGES})
    patched(root)
    seen = look(root, FULL)
    assert seen["backend"] == S3
    assert str(seen["static"]).endswith("ManifestStaticFilesStorage")


@pytest.mark.parametrize(
    ("requirement", "old_setting", "older"),
    [
        ("Django==3.2.25", False, True),
        ("Django==4.2.16", False, False),
        ("Django==4.2.16", True, True),
        ("Django>=4.0,<4.2", False, True),
        ("Django>=4.0", False, False),
        ("Django~=4.1.0", False, True),
        ("Django==5.2", True, False),
        ("Django", False, False),
    ],
)
def test_the_setting_is_one_that_the_deployed_django_knows(
    tmp_path: Path, requirement: str, old_setting: bool, older: bool
) -> None:
    old = 'STATICFILES_STORAGE = "whitenoise.storage.CompressedStaticFilesStorage"\n' if old_setting else ""
    root = write(tmp_path, {"requirements.txt": f"{requirement}\n", "config/settings.py": SETTINGS + old})
    patched(root)
    text = (root / "config/settings.py").read_text()
    assert ("    DEFAULT_FILE_STORAGE = " in text) is older
    assert ("    STORAGES = {" in text) is not older
    new_driver = requirement not in ("Django==3.2.25", "Django>=4.0,<4.2", "Django~=4.1.0")
    assert ("psycopg[binary]" in (root / "requirements.txt").read_text()) is new_driver
    assert ("conn_health_checks" in text) is (requirement != "Django==3.2.25")


@pytest.mark.parametrize(
    "database",
    [
        'DATABASES = {"default": dj_database_url.config(default="sqlite:///db.sqlite3")}',
        'DATABASES = {"default": env.db()}',
        'DATABASES = {"default": env.db_url("DATABASE_URL", default="sqlite:///db.sqlite3")}',
        'DATABASES = {}\nif "DATABASE_URL" in os.environ:\n    DATABASES["default"] = dj_database_url.parse(1)',
        'found = dj_database_url.config()\nDATABASES = {"default": {}}\nDATABASES["default"].update(found)',
        'url = os.getenv("DATABASE_URL")\nDATABASES = {"default": dj_database_url.parse(url)}',
    ],
)
def test_settings_that_read_the_url_already_stay_as_they_are(tmp_path: Path, database: str) -> None:
    text = "import os\nimport dj_database_url\n" + database + '\nROOT_URLCONF = "config.urls"\n'
    root = write(tmp_path, {"config/settings.py": text})
    made = patched(root, (DATABASE,))
    assert (root / "config/settings.py").read_text() == text
    assert not [i for i in made.instructions if "settings" in i.file]
    assert "psycopg[binary]" in (root / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\nif os.environ.get('X'):\n    DATABASES = {'default': {}}\n", 2),
        ("DATABASES, MEDIA_ROOT = load()\n", 1),
    ],
)
def test_conditions_it_cannot_judge_become_instructions_with_the_lines(
    tmp_path: Path, text: str, line: int
) -> None:
    root = write(tmp_path, {"config/settings.py": text})
    made = changed(root, (DATABASE,))
    assert "config/settings.py" not in [e.path for e in made.edits]
    told = next(i for i in made.instructions if i.file == "config/settings.py")
    assert told.line == line
    assert 'DATABASES["default"] = dj_database_url.parse(' in told.text


def test_a_base_file_is_edited_where_the_assignment_stands(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "config/settings/__init__.py": "",
        "config/settings/base.py": SETTINGS.replace("parent.parent", "parents[2]").replace('"', "'"),
        "config/settings/production.py": "from .base import *\n\nDEBUG = False\n",
        "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")\n',
    }
    root = write(tmp_path, files)
    (root / "config/settings.py").unlink()
    made = patched(root)
    assert "config/settings/base.py" in [e.path for e in made.edits]
    assert "config/settings/production.py" not in [e.path for e in made.edits]
    seen = look(root, {**FULL, "DJANGO_SETTINGS_MODULE": "config.settings.production"})
    assert (seen["engine"], seen["backend"]) == ("django.db.backends.postgresql", S3)


def test_only_intended_bytes_of_the_settings_differ(tmp_path: Path) -> None:
    raw = ("\ufeff# caf\u00e9\n" + SETTINGS).replace("\n", "\r\n").encode() + b"# end, no newline"
    root = write(tmp_path, {"config/settings.py": raw})
    made = patched(root)
    after = (root / "config/settings.py").read_bytes()
    assert b"\n" not in after.replace(b"\r\n", b"")
    assert not after.endswith(b"\n")
    edit = next(e for e in made.edits if e.path == "config/settings.py")
    assert edit.removed == 0
    remaining = after
    for splice in edit.splices:
        remaining = remaining.replace(splice.text.encode(), b"", 1)
    assert remaining == raw


def test_damaged_files_are_left_alone(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "Django==5.2.1 --hash=sha256:00\n",
        "render.yaml": "services:\n  - [\n",
        "config/urls.py": URLS.replace("urlpatterns +=", "urlpatterns = urlpatterns + [x] +"),
    }
    root = write(tmp_path, files)
    made = changed(root)
    assert {i.file for i in made.instructions} == {"requirements.txt", "render.yaml"}
    assert "psycopg[binary]>=3.1.8" in next(i.text for i in made.instructions if i.file == "requirements.txt")


def test_other_targets_become_instructions(tmp_path: Path) -> None:
    other = Need(
        "storage", "cloudinary", (Variable("CLOUDINARY_URL", "x", True),), (("url", "CLOUDINARY_URL"),)
    )
    made = changed(write(tmp_path), (DATABASE, BUCKET, PUBLIC, other))
    assert len([i for i in made.instructions if "does not know how" in i.why]) == 2


def test_generated_code_has_the_form_that_formatters_give(tmp_path: Path) -> None:
    for number, needs in enumerate(((DATABASE, BUCKET), (DATABASE, PUBLIC))):
        for version in ("3.2.1", "5.2.1"):
            root = write(tmp_path / f"{number}{version}", {"requirements.txt": f"Django=={version}\n"})
            patched(root, needs)
            files = ["config/settings.py", "config/urls.py", "config/media_redirect.py"]
            command = [sys.executable, "-m", "ruff", "--isolated"]
            done = subprocess.run(
                [*command, "format", "--diff", *files], cwd=root, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout
            done = subprocess.run([*command, "check", *files], cwd=root, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout
