# ruff: noqa: E501
"""A small Django project to be changed, the needs of the usual targets, and a look at the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from wizard.frameworks.base import Change
from wizard.frameworks.django.change import change
from wizard.model import Framework, Need, Project, Variable
from wizard.patchers.base import apply_splices

DATABASE = Need(
    "database",
    "postgres",
    (Variable("DATABASE_URL", "The PostgreSQL database", True, "postgresql://user:password@host:5432/name"),),
    (("url", "DATABASE_URL"),),
)
_S3 = {
    "bucket": "S3_BUCKET_NAME",
    "region": "AWS_REGION",
    "endpoint": "S3_ENDPOINT_URL",
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
}
BUCKET = Need("storage", "s3", tuple(Variable(v, f"The {k}") for k, v in _S3.items()), tuple(_S3.items()))
PUBLIC = Need(
    "storage",
    "s3",
    (*BUCKET.variables, Variable("S3_PUBLIC_URL", "Where it is read")),
    (*BUCKET.roles, ("public_url", "S3_PUBLIC_URL")),
    "public",
    "uploads/",
)

SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "django-insecure-secret"
ROOT_URLCONF = "config.urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
    }
}

USE_TZ = True
STATIC_URL = "static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
"""
URLS = """\
from django.conf import settings
from django.conf.urls.static import static
from django.http import HttpResponse
from django.urls import path

urlpatterns = [
    path("media/private/<path:name>", lambda request, name: HttpResponse("app")),
]
urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
"""
MANAGE = 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'

FULL = {
    "DATABASE_URL": "postgresql://me:pw@db.example:5432/app",
    "S3_BUCKET_NAME": "my-bucket",
    "AWS_REGION": "eu-west-1",
    "S3_ENDPOINT_URL": "https://s3.example",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "S3_PUBLIC_URL": "https://cdn.example/base",
}


def write(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """The project in `root`, with `files` added or replaced."""
    standard: dict[str, str | bytes] = {
        "manage.py": MANAGE,
        "config/__init__.py": "",
        "config/settings.py": SETTINGS,
        "config/urls.py": URLS,
        "requirements.txt": "Django==5.2.1\n",
    }
    for name, content in {**standard, **(files or {})}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def changed(root: Path, needs: tuple[Need, ...] = (DATABASE, BUCKET), path: str = ".") -> Change:
    return change(Project(root), Framework("django", None, path), needs)


def apply(root: Path, made: Change) -> None:
    for edit in made.edits:
        file = root / edit.path
        file.write_bytes(apply_splices(file.read_bytes() if edit.before_sha256 else None, edit))


def patched(root: Path, needs: tuple[Need, ...] = (DATABASE, BUCKET), path: str = ".") -> Change:
    """Changes the files; then a second change must have nothing left to do."""
    made = changed(root, needs, path)
    apply(root, made)
    assert changed(root, needs, path).edits == ()
    return made


_LOOK = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.core.files.storage import default_storage, storages
from django.test import Client
settings.ALLOWED_HOSTS.append("testserver")
answers = []
for path in json.loads(sys.argv[1]):
    response = Client().get(path)
    answers.append([response.status_code, response.headers.get("Location", ""), response.headers.get("Cache-Control", "")])
default = settings.DATABASES["default"]
print(json.dumps({
    "engine": default["ENGINE"], "host": default.get("HOST"), "health": default.get("CONN_HEALTH_CHECKS"),
    "atomic": default.get("ATOMIC_REQUESTS"), "age": default.get("CONN_MAX_AGE"),
    "backend": storages.backends["default"]["BACKEND"], "static": storages.backends["staticfiles"]["BACKEND"],
    "url": default_storage.url("a b/\\u00fc.png"), "answers": answers,
}))
"""


def look(root: Path, variables: dict[str, str], paths: tuple[str, ...] = ()) -> dict[str, object]:
    """What the project is, seen by Django itself in a process with nothing but `variables`."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, json.dumps(paths)],
        env=environ,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, object] = json.loads(done.stdout)
    return seen


def storage_need(
    backend: str, roles: dict[str, str], access: Literal["signed", "public"] = "signed", prefix: str = ""
) -> Need:
    """A need of a storage other than S3."""
    variables = tuple(Variable(name, f"The {role}") for role, name in roles.items())
    return Need("storage", backend, variables, tuple(roles.items()), access, prefix)
