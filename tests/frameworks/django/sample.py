"""A small real Django project, written where a test wants it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

MANAGE = """import os, sys
from pathlib import Path

def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_ours.settings")
    sys.path.insert(0, str(Path(__file__).resolve().parent / "apps"))
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)

main()
"""
SETTINGS = """from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "django-insecure-not-so-secret"
DEBUG = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "blog"]
ROOT_URLCONF = "site_of_ours.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
USE_TZ = True
(BASE_DIR / "logs").mkdir(exist_ok=True)
"""
URLS = """from django.conf import settings
from django.conf.urls.static import static

urlpatterns = static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
"""
MODELS = """from django.db import models

class Post(models.Model):
    title = models.CharField(max_length=80, db_index=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
"""
FIRST = """from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Post", [
            ("id", models.BigAutoField(primary_key=True)),
            ("title", models.CharField(max_length=80, db_index=True)),
            ("parent", models.ForeignKey("blog.Post", null=True, on_delete=models.CASCADE)),
        ]),
    ]
"""
SECOND = """from django.db import migrations

def seed(apps, schema_editor):
    apps.get_model("blog", "Post").objects.create(title="seeded")

class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
"""
WSGI = """import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_ours.settings")
"""
FILES = {
    "manage.py": MANAGE,
    "requirements.txt": "Django>=4.2\nPillow\n",
    "site_of_ours/__init__.py": "",
    "site_of_ours/settings.py": SETTINGS,
    "site_of_ours/urls.py": URLS,
    "site_of_ours/wsgi.py": WSGI,
    "apps/blog/__init__.py": "",
    "apps/blog/models.py": MODELS,
    "apps/blog/migrations/__init__.py": "",
    "apps/blog/migrations/0001_initial.py": FIRST,
    "apps/blog/migrations/0002_seed.py": SECOND,
    "media/a.txt": "upload",
}


def write(root: Path, files: dict[str, str] | None = None) -> Path:
    """Write the sample (with `files` over it) below `root`, with a small SQLite database."""
    for name, text in (FILES | (files or {})).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    make_database(root / "db.sqlite3", [("blog", "0001_initial"), ("blog", "0002_seed")])
    return root


def make_database(path: Path, applied: list[tuple[str, str]]) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)")
        connection.executemany("INSERT INTO django_migrations (app, name) VALUES (?, ?)", applied)
    connection.close()
    return path


def fingerprint(root: Path) -> dict[str, str]:
    """Every path below `root` with a digest of its bytes: what must not change."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders:
            found[os.path.relpath(os.path.join(folder, name), root)] = "folder"
        for name in files:
            path = Path(folder, name)
            found[os.path.relpath(path, root)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
