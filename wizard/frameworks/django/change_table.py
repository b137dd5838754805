"""Uploads kept in the app's database: the module with the storage class, and the route that serves them."""

from __future__ import annotations

import posixpath

from wizard.frameworks.django.change_site import Site
from wizard.model import Edit, Splice
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.python_source import statements_check

MODULE = "database_storage"
CLASS = "DatabaseStorage"
_REASON = "uploads are kept in the database: the class that reads and writes them there"
CODE = '''"""Keeps uploads in the database, in the table stored_file; each is read whole."""

import hashlib
import mimetypes

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import connection
from django.utils.deconstruct import deconstructible
from django.utils.encoding import filepath_to_uri

TABLE = """
CREATE TABLE IF NOT EXISTS stored_file (
    path text PRIMARY KEY,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    data bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CHECK (size = octet_length(data))
)
"""
INSERT = """
INSERT INTO stored_file (path, content_type, size, sha256, data)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (path) DO NOTHING RETURNING path
"""


@deconstructible
class DatabaseStorage(Storage):
    """`location` is what the path of every file begins with."""

    def __init__(self, location=""):
        self.location = location

    def _query(self, sql, *values):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() if cursor.description else None

    def _column(self, column, name):
        path = self.location + name
        row = self._query(f"SELECT {column} FROM stored_file WHERE path = %s", path)
        if row is None:
            raise FileNotFoundError(name)
        return row[0]

    def _open(self, name, mode="rb"):
        return ContentFile(bytes(self._column("data", name)), name=name)

    def _save(self, name, content):
        content.seek(0)
        data = content.read()
        if isinstance(data, str):
            data = data.encode()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        digest = hashlib.sha256(data).digest()
        self._query(TABLE)
        while True:
            path = self.location + name
            if self._query(INSERT, path, kind, len(data), digest, data):
                return name
            name = self.get_available_name(name)

    def _is_made(self):
        return self._query("SELECT to_regclass('stored_file')")[0] is not None

    def exists(self, name):
        if not self._is_made():
            return False
        path = self.location + name
        found = self._query("SELECT 1 FROM stored_file WHERE path = %s", path)
        return found is not None

    def delete(self, name):
        self._query("DELETE FROM stored_file WHERE path = %s", self.location + name)

    def size(self, name):
        return self._column("size", name)

    def content_type(self, name):
        return self._column("content_type", name)

    def get_modified_time(self, name):
        return self._column("stored_at", name)

    def listdir(self, path):
        if not self._is_made():
            return [], []
        start = self.location + (path.strip("/") + "/" if path.strip("/") else "")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT substr(path, %s) FROM stored_file WHERE starts_with(path, %s)",
                [len(start) + 1, start],
            )
            names = [row[0] for row in cursor.fetchall()]
        folders = sorted({name.split("/")[0] for name in names if "/" in name})
        return folders, sorted(name for name in names if "/" not in name)

    def url(self, name):
        return settings.MEDIA_URL + filepath_to_uri(name)
'''
SERVE = '''"""Serves uploads from the storage that holds them."""

import os
import re

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.urls import re_path
from django.views.decorators.http import require_safe


@require_safe
def media_file(request, path):
    """Answer with the file's bytes."""
    try:
        kind = default_storage.content_type(path)
        return FileResponse(default_storage.open(path), content_type=kind)
    except FileNotFoundError as error:
        raise Http404("No such file.") from error


media_urls = []
media_path = settings.MEDIA_URL.lstrip("/")
if os.environ.get("{bucket}") and media_path and "://" not in media_path:
    media_urls = [re_path(rf"^{re.escape(media_path)}(?P<path>.+)$", media_file)]
'''


def settings_package(site: Site) -> tuple[str, str]:
    """(folder, dotted name) of the package beside which the module goes: the one of the root urls."""
    file = site.settings.urls_file or site.settings.files[0]
    folder = posixpath.dirname(file)
    inside = posixpath.relpath(folder or ".", site.folder or ".")
    return folder, "" if inside == "." else inside.replace("/", ".")


def backend(site: Site) -> str:
    """The storage class's dotted name."""
    _, dotted = settings_package(site)
    return f"{dotted}.{MODULE}.{CLASS}" if dotted else f"{MODULE}.{CLASS}"


def change_table(site: Site) -> list[Edit]:
    """The new module; none where it stands already. Raises NotUnderstood where something else does."""
    folder, _ = settings_package(site)
    path = posixpath.join(folder, f"{MODULE}.py")
    present = site.read(path)
    if present is None:
        return [assemble(path, None, [Splice(0, 0, CODE, _REASON)], statements_check([CODE]))]
    if present.replace(b"\r\n", b"\n") != CODE.encode():
        raise NotUnderstood(f"{path} exists already and is not the module ashore would write.")
    return []
