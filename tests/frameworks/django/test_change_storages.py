"""The patched app on storages other than S3, run by Django itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.frameworks.django.change_kit import (
    DATABASE,
    SETTINGS,
    changed,
    look,
    patched,
    storage_need,
    write,
)
from tests.storages import rest_kit
from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.storages import kind, open_store

FILES = "django.core.files.storage.FileSystemStorage"
CLOUDINARY = {
    "bucket": "CLOUDINARY_CLOUD_NAME",
    "access_key": "CLOUDINARY_API_KEY",
    "secret_key": "CLOUDINARY_API_SECRET",
}
GCS = {"bucket": "GS_BUCKET_NAME", "credentials": "GS_CREDENTIALS_JSON"}


def account() -> str:
    """The JSON key of a service account that does not exist."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    known = {"client_email": "me@x.iam.gserviceaccount.com", "token_uri": "https://t", "project_id": "p"}
    return json.dumps({**known, "private_key": pem})


@pytest.mark.long
def test_google_cloud_storage(tmp_path: Path) -> None:
    pytest.importorskip("google.cloud.storage", reason="google-cloud-storage is not installed")
    root = write(tmp_path / "signed")
    made = patched(root, (storage_need("gcs", GCS),))
    assert made.instructions == ()
    assert "django-storages[google]>=1.14.3" in (root / "requirements.txt").read_text()
    assert look(root, {})["backend"] == FILES
    environ = {"GS_BUCKET_NAME": "my-app", "GS_CREDENTIALS_JSON": account()}
    seen = look(root, environ, ("/media/a%20b/%C3%BC.png",))
    assert seen["backend"] == "storages.backends.gcloud.GoogleCloudStorage"
    status, location, _ = seen["answers"][0]  # type: ignore[index]
    parts = urlsplit(location)
    assert status == 302 and parts.netloc == "storage.googleapis.com"
    assert parts.path == "/my-app/a%20b/%C3%BC.png"
    assert "X-Goog-Signature" in parse_qs(parts.query)
    old = SETTINGS + 'STATICFILES_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"\n'
    public = {**GCS, "public_url": "GS_PUBLIC_URL"}
    files = {"config/settings.py": old, "requirements.txt": "Django==4.2\n"}
    root = write(tmp_path / "public", files)
    made = changed(root, (storage_need("gcs", public, "public", "uploads/"),))
    edit = next(e for e in made.edits if e.path == "config/settings.py")
    assert 'GS_CUSTOM_ENDPOINT = os.environ.get("GS_PUBLIC_URL", "")' in edit.splices[-1].text
    root = write(tmp_path / "public5")
    patched(root, (storage_need("gcs", public, "public", "uploads/"),))
    url = look(root, {**environ, "GS_PUBLIC_URL": "https://cdn.example/b/"})["url"]
    assert url == "https://cdn.example/b/uploads/a%20b/%C3%BC.png"


@pytest.mark.long
@pytest.mark.parametrize("prefix", ["", "uploads/"])
def test_cloudinary_resolves_the_names_that_are_stored(tmp_path: Path, prefix: str) -> None:
    pytest.importorskip("cloudinary_storage", reason="django-cloudinary-storage is not installed")
    options = {"cloud_name": "my-cloud", "api_key": "env:K", "api_secret": "env:S"}
    rule = StorageRule("cloudinary", prefix=prefix, access="public", options=options)
    root = write(tmp_path)
    made = patched(root, (kind("cloudinary").need(rule),))
    assert made.instructions == ()
    assert "django-cloudinary-storage>=0.3" in (root / "requirements.txt").read_text()
    assert look(root, {})["backend"] == FILES
    keys = {"CLOUDINARY_API_KEY": "k", "CLOUDINARY_API_SECRET": "s"}
    seen = look(root, {"CLOUDINARY_CLOUD_NAME": "my-cloud", **keys}, ("/media/a%20b/%C3%BC.png",))
    assert seen["backend"] == "cloudinary_storage.storage.MediaCloudinaryStorage"
    ours = open_store(rule, lambda ref: Secret("x")).url(f"{prefix}a b/\u00fc.png")
    assert seen["url"] == ours and seen["answers"][0][:2] == [302, ours]  # type: ignore[index]


@pytest.mark.long
def test_azure(tmp_path: Path) -> None:
    pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not installed")
    options = {"account": "shop", "container": "media", "account_key": "env:K"}
    rule = StorageRule("azure", prefix="m/", options=options)
    root = write(tmp_path / "signed")
    assert patched(root, (kind("azure").need(rule),)).instructions == ()
    assert "django-storages[azure]>=1.14.3" in (root / "requirements.txt").read_text()
    assert look(root, {})["backend"] == FILES
    environ = {"AZURE_CONTAINER": "media", "AZURE_ACCOUNT_NAME": "shop", "AZURE_ACCOUNT_KEY": "AAAA"}
    seen = look(root, environ, ("/media/a%20b/%C3%BC.png",))
    assert seen["backend"] == "storages.backends.azure_storage.AzureStorage"
    parts = urlsplit(seen["answers"][0][1])  # type: ignore[index]
    ours = urlsplit(open_store(rule, lambda ref: Secret("AAAA")).url("m/a b/\u00fc.png"))
    assert parts[:3] == ours[:3] and parse_qs(parts.query)["sp"] == ["r"]
    public = replace(rule, access="public", public_url="https://cdn.example/media")
    root = write(tmp_path / "public")
    patched(root, (kind("azure").need(public),))
    url = look(root, {**environ, "AZURE_CUSTOM_DOMAIN": "cdn.example"})["url"]
    assert url == open_store(public, lambda ref: Secret("AAAA")).url("m/a b/\u00fc.png")


_ROOT = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
print(default_storage.path(default_storage.save("a/x.txt", ContentFile(b"x"))))
"""


def test_a_disk_only_moves_the_folder(tmp_path: Path) -> None:
    rule = StorageRule("render-disk", prefix="media/", options={"mount": "/var/data"})
    root = write(tmp_path / "app")
    made = patched(root, (kind("render-disk").need(rule),))
    assert made.instructions == ()
    assert {e.path for e in made.edits} == {"config/settings.py", ".env.example"}
    for variables, folder in (({}, root / "media"), ({"UPLOAD_PATH": str(tmp_path / "d")}, tmp_path / "d")):
        environ = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **variables}
        done = subprocess.run(
            [sys.executable, "-c", _ROOT], env=environ, cwd=root, capture_output=True, text=True, timeout=60
        )
        assert done.stdout.strip() == str(folder / "a/x.txt"), done.stderr


AZURE = {"bucket": "AZURE_CONTAINER", "account": "AZURE_ACCOUNT_NAME", "secret_key": "AZURE_ACCOUNT_KEY"}
NEEDS = [
    storage_need("azure", AZURE),
    storage_need(
        "azure", {**AZURE, "suffix": "AZURE_ENDPOINT_SUFFIX", "domain": "AZURE_CUSTOM_DOMAIN"}, "public"
    ),
    storage_need("gcs", GCS),
    storage_need("gcs", {**GCS, "public_url": "GS_PUBLIC_URL"}, "public", "uploads/"),
    storage_need("disk", {"path": "UPLOAD_PATH"}),
    storage_need("cloudinary-raw", CLOUDINARY, "public", "uploads/"),
]


def test_generated_code_has_the_form_that_formatters_give(tmp_path: Path) -> None:
    files: list[str] = []
    for number, need in enumerate(NEEDS):
        for version in ("3.2.1", "5.2.1"):
            root = write(tmp_path / f"{number}{version}", {"requirements.txt": f"Django=={version}\n"})
            assert patched(root, (need,)).instructions == ()
            written = ["settings"] if need.backend == "disk" else ["settings", "media_redirect"]
            files += [f"{root}/config/{name}.py" for name in written]
    for command in (["format", "--diff"], ["check"]):
        ruff = [sys.executable, "-m", "ruff", "--isolated", *command, *files]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_two_storages_need_a_person(tmp_path: Path) -> None:
    made = changed(write(tmp_path), (NEEDS[0], NEEDS[-1]))
    assert [i.why for i in made.instructions if "beside another one" in i.why]


_USE = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage as storage
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS.append("testserver")
assert storage.open("logos/old.png").read() == bytes(range(256))
first = storage.save("logos/a b.png", ContentFile(b"one"))
second = storage.save("logos/a b.png", ContentFile(b"two"))
assert first != second and storage.open(first).read() == b"one" and storage.size(second) == 3
assert storage.listdir("") == (["logos"], []) and len(storage.listdir("logos")[1]) == 3
answer = Client().get(storage.url(first))
assert answer.status_code == 200 and b"".join(answer.streaming_content) == b"one"
assert answer.headers["Content-Type"] == "image/png"
storage.delete(first)
assert not storage.exists(first) and Client().get(storage.url(first)).status_code == 404
assert Client().get("/media/private/x").content == b"app"
"""


def test_the_database_itself_keeps_small_files(tmp_path: Path, database_url: Secret) -> None:
    rule = StorageRule("database", prefix="m/", options={"url": "env:DATABASE_URL"})
    store = open_store(rule, lambda ref: database_url)
    store.ensure(False)
    sent = rest_kit.upload(tmp_path / "old", bytes(range(256)), "m/logos/old.png", "image/png")
    rest_kit.send(store, [sent])  # type: ignore[arg-type]
    root = write(tmp_path / "app")
    made = patched(root, (DATABASE, kind("database").need(rule)))
    assert made.instructions == ()
    assert look(root, {})["backend"] == FILES
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url.reveal(),
    }
    done = subprocess.run(
        [sys.executable, "-c", _USE], env=environ, cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    (root / "config/database_storage.py").write_text("theirs = 1\n")
    (root / "config/settings.py").write_text(SETTINGS)
    refused = changed(root, (DATABASE, kind("database").need(rule)))
    assert "config/database_storage.py" not in {e.path for e in refused.edits}
    assert not any("DatabaseStorage" in s.text for e in refused.edits for s in e.splices)
    assert any("exists already" in i.why for i in refused.instructions)
