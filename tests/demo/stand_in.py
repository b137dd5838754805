"""A migration without ashore, to try the demo's story: Django's own models, and hand-made patches.

It is what a patient person would do by hand, so that a page that differs afterwards is the demo's fault.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3
from botocore.config import Config

from wizard.credentials import Secret
from wizard.demo import platform, story

SETTINGS = """
if os.environ.get('DATABASE_URL'):
    import dj_database_url
    DATABASES['default'] = dj_database_url.config()
if os.environ.get('S3_BUCKET_NAME'):
    STORAGES = {
        'default': {'BACKEND': 'storages.backends.s3.S3Storage', 'OPTIONS': {
            'bucket_name': os.environ['S3_BUCKET_NAME'], 'region_name': os.environ['AWS_REGION'],
            'endpoint_url': os.environ['S3_ENDPOINT_URL'], 'addressing_style': 'path',
            'signature_version': 's3v4', 'file_overwrite': False}},
        'staticfiles': {'BACKEND': 'django.contrib.staticfiles.storage.StaticFilesStorage'},
    }
"""
COPY = """
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connections, transaction
connections.settings['old'] = {**connections.settings['default'], 'NAME': settings.BASE_DIR / 'db.sqlite3',
                               'ENGINE': 'django.db.backends.sqlite3', 'OPTIONS': {}}
own = ('contenttypes.contenttype', 'auth.permission')
models = [m for m in apps.get_models(include_auto_created=True) if m._meta.label_lower not in own]
with transaction.atomic():
    apps.get_model('blog.category').objects.all().delete()
    for m in models:
        m.objects.using('default').bulk_create(list(m.objects.using('old').order_by('pk')))
with connections['default'].cursor() as cursor:
    for line in connections['default'].ops.sequence_reset_sql(no_style(), models):
        cursor.execute(line)
"""
SERVE = 're_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),'
REDIRECT = 're_path(r"^media/(?P<path>.*)$", lambda request, path: redirect(default_storage.url(path))),'


def migrate(project: Path, answers: Path, secrets: Mapping[str, Secret], state: Path) -> int:
    endpoint = next(
        line.split('"')[1]
        for line in answers.read_text().splitlines()
        if line.strip().startswith("endpoint:")
    )
    settings, urls = project / "config/settings.py", project / "config/urls.py"
    settings.write_text(settings.read_text() + SETTINGS)
    changed = urls.read_text().replace(SERVE, REDIRECT)
    assert changed != urls.read_text()
    urls.write_text(
        "from django.core.files.storage import default_storage\nfrom django.shortcuts import redirect\n"
        + changed
    )
    environ = {
        "DATABASE_URL": secrets[story.DATABASE_REFERENCE],
        "S3_BUCKET_NAME": story.BUCKET,
        "AWS_REGION": story.REGION,
        "S3_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": secrets[story.ACCESS_REFERENCE],
        "AWS_SECRET_ACCESS_KEY": secrets[story.SECRET_REFERENCE],
    }
    platform.migrate(project, environ)
    _manage(project, environ, "shell", "-v", "0", "-c", COPY)
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=story.REGION,
        aws_access_key_id=secrets[story.ACCESS_REFERENCE].reveal(),
        aws_secret_access_key=secrets[story.SECRET_REFERENCE].reveal(),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    media = project / "media"
    for path in sorted(p for p in media.rglob("*") if p.is_file()):
        client.put_object(Bucket=story.BUCKET, Key=path.relative_to(media).as_posix(), Body=path.read_bytes())
    return 0


def _manage(project: Path, environ: Mapping[str, Secret | str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "manage.py", *arguments],
        cwd=project,
        env={**platform.app_environ(environ), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
