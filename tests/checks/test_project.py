"""The checklist of a folder: what settings of the wild amount to, and that nothing secret is repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.checks import command
from tests.frameworks.django import sample
from wizard.checks.base import Item, to_json
from wizard.checks.project import run
from wizard.scan import scan

BASE = sample.SETTINGS
SAFE = """import os
from pathlib import Path
import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["club.example.org"]
INSTALLED_APPS = ["blog", "corsheaders"]
CORS_ALLOWED_ORIGINS = ["https://club.example.org"]
ROOT_URLCONF = "site_of_ours.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"]}}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "club"}}
STORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}
MEDIA_ROOT = BASE_DIR / "media"
"""


def items(root: Path, settings: str, **files: str) -> dict[str, Item]:
    sample.write(root, {"site_of_ours/settings.py": settings, **files})
    before = sample.fingerprint(root)
    checklist = run(scan(root))
    assert sample.fingerprint(root) == before, "a check writes nothing"
    return {item.code: item for item in checklist.items}


def answers(root: Path, settings: str, **files: str) -> dict[str, str]:
    return {code: item.answer for code, item in items(root, settings, **files).items()}


def test_an_app_as_beginners_deploy_it(tmp_path: Path) -> None:
    found = answers(tmp_path, BASE)
    noes = {code for code, answer in found.items() if answer == "no"}
    assert noes == {
        "database-durable", "files-durable", "media-served", "secrets-in-variables", "secret-key-strong",
        "debug-off", "hosts",
    }  # fmt: skip


def test_an_app_as_it_should_be(tmp_path: Path) -> None:
    urls = "urlpatterns = []\n"
    found = answers(tmp_path, SAFE, **{"site_of_ours/urls.py": urls})
    assert "no" not in found.values(), found
    for code in ("database-durable", "files-durable", "secrets-in-variables", "secret-key-strong",
                 "debug-off", "hosts", "cors"):  # fmt: skip
        assert found[code] == "yes", code


@pytest.mark.parametrize(
    ("line", "code", "answer"),
    [
        ('DEBUG = os.environ.get("DEBUG", "True") == "True"', "debug-off", "cannot-tell"),
        ('DEBUG = "RENDER" not in os.environ', "debug-off", "yes"),
        ('DEBUG = os.environ["DEBUG"]', "debug-off", "cannot-tell"),
        ("DEBUG = 1 == 1", "debug-off", "no"),
        ('SECRET_KEY = os.environ.get("KEY", "change-me")', "secret-key-strong", "cannot-tell"),
        ('SECRET_KEY = "' + "abcdefghij" * 6 + '"', "secret-key-strong", "no"),
        ('ALLOWED_HOSTS = ["*"]', "hosts", "no"),
        ("ALLOWED_HOSTS = []", "hosts", "no"),
        ('ALLOWED_HOSTS = ["localhost", "127.0.0.1"]', "hosts", "no"),
        ('ALLOWED_HOSTS = os.environ["HOSTS"].split(",")', "hosts", "cannot-tell"),
        ("CORS_ALLOW_ALL_ORIGINS = True", "cors", "no"),
        ("CORS_ORIGIN_ALLOW_ALL = DEBUG", "cors", "yes"),
        ('AWS_SECRET_ACCESS_KEY = "planted-canary"', "secrets-in-variables", "no"),
        ('EMAIL_HOST_PASSWORD = os.getenv("P")', "secrets-in-variables", "yes"),
        ('DATABASES["default"]["PASSWORD"] = "planted-canary"', "secrets-in-variables", "no"),
        ('DATABASES = {"default": dj_database_url.config(default="sqlite:///db.sqlite3")}',
         "database-durable", "cannot-tell"),
        ('DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}',
         "database-durable", "no"),
        ('if os.environ.get("S3_BUCKET_NAME"):\n    STORAGES = {"default": {"BACKEND": "storages.x.S3"}}\n'
         'else:\n    STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}',
         "files-durable", "cannot-tell"),
        ('STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}',
         "files-durable", "no"),
    ],
)  # fmt: skip
def test_one_line_decides(tmp_path: Path, line: str, code: str, answer: str) -> None:
    render = "services:\n  - type: web\n    name: app\n    plan: starter\n"
    item = items(tmp_path, f"{SAFE}{line}\n", **{"render.yaml": render})[code]
    assert (item.answer, item.why) == (answer, item.why)
    assert "planted-canary" not in repr(item)
    assert item.answer == "yes" or item.hint, "a no or an open question says what to do"


def test_what_the_platform_file_sets_counts(tmp_path: Path) -> None:
    render = (
        "services:\n  - type: web\n    name: app\n    envVars:\n      - key: DEBUG\n        value: {}\n"
        "      - key: DJANGO_SETTINGS_MODULE\n        value: site_of_ours.live\n"
    )
    live = 'from site_of_ours.settings import *\nDEBUG = os.environ.get("DEBUG", "yes") == "true"\n'
    for value, answer in (("true", "no"), ("false", "yes")):
        files = {"render.yaml": render.format(value), "site_of_ours/live.py": live}
        found = items(tmp_path / value, SAFE, **files)["debug-off"]
        assert found.answer == answer, value
        assert found.place is not None
        assert found.place.file == "site_of_ours/live.py"


def test_a_free_database_of_render_ends_and_has_no_backups(tmp_path: Path) -> None:
    found = answers(tmp_path, SAFE, **{"render.yaml": "databases:\n  - name: db\n    plan: free\n"})
    assert (found["no-expiry"], found["backups"]) == ("no", "no")


def test_without_django_what_is_not_seen_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    by_code = {item.code: item for item in run(scan(tmp_path)).items}
    assert {item.answer for item in by_code.values()} == {"cannot-tell"}
    assert "flask" in by_code["debug-off"].why


def test_settings_that_cannot_be_read_are_no_answer(tmp_path: Path) -> None:
    found = items(tmp_path, "DEBUG = (\n")
    assert found["debug-off"].answer == "cannot-tell"
    assert "site_of_ours/settings.py" in found["debug-off"].why


def test_the_command_exits_7_on_a_risk_and_prints_the_same_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = sample.write(tmp_path / "app")
    assert command("check", str(root), "--json") == 7
    printed = capsys.readouterr().out
    assert json.loads(printed) == to_json(run(scan(root)))
    assert command("check", str(root)) == 7
    told = capsys.readouterr().out
    assert "x DEBUG is off: no  site_of_ours/settings.py:5" in told
    assert "django-insecure" not in told + printed
    assert command("check", str(tmp_path / "nowhere")) == 2
