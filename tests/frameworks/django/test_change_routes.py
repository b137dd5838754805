"""Several storages side by side in one Django project, run by Django itself."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.django.change_kit import BUCKET, DATABASE, SETTINGS, changed, look, patched, write
from tests.storages import rest_kit
from wizard.answers import Answers, DatabaseAnswers, StorageRule
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.storages import open_store
from wizard.storages.needs import needs_of, storage_needs

FILES = "django.core.files.storage.FileSystemStorage"
KEYS = {"access_key": "env:KEY", "secret_key": "env:SECRET"}
LOGOS = StorageRule("database", match="logos/**", max_size=1000, options={"url": "env:DATABASE_URL"})


def rule(bucket: str, endpoint: str = "https://s3.example", **changes: Any) -> StorageRule:
    options = {"bucket": bucket, "endpoint": endpoint, **KEYS}
    return replace(StorageRule("s3-compatible", options=options), **changes)


def answers(*rules: StorageRule) -> Answers:
    database = DatabaseAnswers(url="env:DATABASE_URL")
    return Answers(Path("/app"), database=database, storage=rules)


def test_a_variable_holds_one_thing_and_one_place_is_asked_for_once() -> None:
    other = rule("bbb", match="big/**", options={**rule("bbb").options, "secret_key": "env:OTHER"})
    first, second = storage_needs(answers(other, rule("aaa")))
    assert first.variable("bucket") == "S3_BUCKET_NAME" and second.variable("bucket") == "S3_BUCKET_NAME_2"
    assert second.variable("secret_key") == "AWS_SECRET_ACCESS_KEY_2"
    assert second.variable("endpoint") == first.variable("endpoint")
    assert {v.name: v.example for v in second.variables}["S3_BUCKET_NAME_2"] == "aaa"
    assert (first.match, second.match) == ("big/**", "**")
    left = StorageRule("leave", match="cache/**")
    (only,) = storage_needs(answers(left, rule("aaa", match="logos/**"), rule("aaa")))
    assert only.match == "**" and only.variable("bucket") == "S3_BUCKET_NAME"
    assert [n.match for _, n in needs_of(answers(rule("aaa", match="logos/**"), left))] == ["logos/**"]


_USE = """
import django, sys
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage as storage, storages
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS.append("testserver")

def reads(name):
    answer = Client().get("/media/" + name)
    return answer.status_code if answer.status_code != 200 else b"".join(answer.streaming_content)

def saved(name, data):
    name = storage.save(name, ContentFile(data))
    assert storage.open(name).read() == data and storage.size(name) == len(data), name
    return name

table, big, rest = (storages[f"uploads-{n}"] for n in (1, 2, 3))
assert storage.open("logos/old.png").read() == b"old logo" == reads("logos/old.png")
assert reads("notes/old.txt") == 302 and reads("gone.txt") == 302 and reads("logos/gone.png") == 302
small = saved("logos/a b.png", b"small")
assert table.exists(small) and reads(small) == b"small" and storage.url(small).startswith("/media/")
large = saved("logos/large.png", b"x" * 1001)
assert rest.exists(large) and not table.exists(large) and reads(large) == 302
assert "Signature=" in storage.url(large) and "/one/" in storage.url(large)
again = saved("logos/large.png", b"small enough for the table")
assert again != large and table.exists(again), "what a later storage holds must not be hidden"
film = saved("films/1.bin", b"film")
assert big.exists(film) and "/two/" in storage.url(film) and not rest.exists(film)
assert set(storage.listdir("logos")[1]) == {n.split("/")[1] for n in ("logos/old.png", small, large, again)}
assert storage.listdir("")[0] == ["films", "logos", "notes"]
for name in (small, large, film):
    storage.delete(name)
    assert not storage.exists(name)
assert Client().get("/media/../settings.py").status_code == 404
assert Client().get("/media/private/x").content == b"app"
"""


@pytest.mark.long
def test_each_file_is_where_the_rules_say(
    tmp_path: Path, database_url: Secret, s3_server: embedded.S3
) -> None:
    for name in ("one", "two"):
        s3_server.create_bucket(name)
    rules = (
        LOGOS,
        rule("two", s3_server.endpoint, match="films/**"),
        rule("one", s3_server.endpoint, prefix="m/"),
    )
    secrets = {
        "env:DATABASE_URL": database_url,
        "env:KEY": s3_server.access_key,
        "env:SECRET": s3_server.secret_key,
    }
    for index, name, data in ((0, "logos/old.png", b"old logo"), (2, "m/notes/old.txt", b"n")):
        store = open_store(rules[index], lambda ref: secrets[ref])
        store.ensure(False)
        rest_kit.send(store, [rest_kit.upload(tmp_path / "f", data, name, "image/png")])  # type: ignore[arg-type]
    needs = storage_needs(answers(*rules))
    root = write(tmp_path / "app")
    made = patched(root, (DATABASE, *needs))
    assert made.instructions == ()
    assert look(root, {})["backend"] == FILES
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url.reveal(),
        "S3_BUCKET_NAME": "two",
        "S3_BUCKET_NAME_2": "one",
        "AWS_REGION": "us-east-1",
        "S3_ENDPOINT_URL": s3_server.endpoint,
        "AWS_ACCESS_KEY_ID": s3_server.access_key.reveal(),
        "AWS_SECRET_ACCESS_KEY": s3_server.secret_key.reveal(),
    }
    done = subprocess.run(
        [sys.executable, "-c", _USE], env=environ, cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


_LEFT = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage as storage
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS.append("testserver")
name = storage.save("cache/x.txt", ContentFile(b"x"))
assert storage.path(name).endswith("media/cache/x.txt")
assert b"".join(Client().get("/media/cache/x.txt").streaming_content) == b"x"
assert storage.listdir("cache") == ([], ["x.txt"])
storage.save("logos/x.txt", ContentFile(b"x"))
assert not (settings.MEDIA_ROOT / "logos").exists()
"""


@pytest.mark.long
def test_what_no_rule_takes_stays_in_its_folder(tmp_path: Path, database_url: Secret) -> None:
    root = write(tmp_path / "app")
    rules = (LOGOS, StorageRule("leave"))
    assert patched(root, (DATABASE, *storage_needs(answers(*rules)))).instructions == ()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "DATABASE_URL": database_url.reveal()}
    done = subprocess.run(
        [sys.executable, "-c", _LEFT], env={**environ, "DJANGO_SETTINGS_MODULE": "config.settings"}, cwd=root,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_generated_code_has_the_form_that_formatters_give(tmp_path: Path) -> None:
    needs = storage_needs(answers(LOGOS, rule("two", match="films/**"), rule("one", prefix="m/")))
    disk = StorageRule("render-disk", options={"mount": "/var/data"})
    google = StorageRule("gcs", options={"bucket": "bbb", "credentials": "env:G"}, match="a/*.pdf")
    other = storage_needs(answers(google, LOGOS, disk))
    item = SETTINGS + 'STORAGES = {\n    "staticfiles": {"BACKEND": "x"},\n}\n'
    files: list[str] = []
    for number, (which, settings) in enumerate(((needs, SETTINGS), (needs, item), (other, SETTINGS))):
        root = write(tmp_path / str(number), {"config/settings.py": settings})
        assert patched(root, (DATABASE, *which)).instructions == ()
        files += [
            f"{root}/config/{n}.py"
            for n in ("settings", "media_redirect", "routed_storage", "database_storage")
        ]
    assert "django-storages[google]>=1.14.3" in (tmp_path / "2/requirements.txt").read_text()
    for command in (["format", "--diff"], ["check"]):
        ruff = [sys.executable, "-m", "ruff", "--isolated", *command, *files]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", ["old django", "two folders", "greedy", "theirs"])
def test_what_cannot_be_routed_is_told(tmp_path: Path, case: str) -> None:
    files: dict[str, str | bytes] = {}
    rules = [LOGOS, rule("one")]
    if case == "old django":
        files["requirements.txt"] = "Django==4.1\n"
    elif case == "two folders":
        rules = [replace(LOGOS, source="a"), rule("one", source="b")]
    elif case == "greedy":
        rules.reverse()
    else:
        files["config/routed_storage.py"] = "theirs = 1\n"
    root = write(tmp_path, files)
    made = changed(root, (DATABASE, *storage_needs(answers(*rules))))
    says = " ".join(i.why for i in made.instructions)
    assert ("exists already" if case == "theirs" else "Files go to several places") in says
    assert not any("RoutedStorage" in s.text for e in made.edits for s in e.splices)


def test_one_bucket_for_everything_is_no_routing(tmp_path: Path) -> None:
    made = changed(write(tmp_path), (DATABASE, BUCKET))
    assert "config/routed_storage.py" not in {e.path for e in made.edits}
