"""A rehearsal: on servers started for it, the app before and after, nothing outside touched."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.kit import CLEAN, ENTRY, make_app, tree
from wizard import answers_file
from wizard.context import Cancel
from wizard.demo import app_writer, story
from wizard.events import Event, FindingSeen, Finished, Warned
from wizard.rehearse.pages import Files, Look, compare
from wizard.rehearse.run import rehearse

ELSEWHERE = "https://s3.example.org"


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return app_writer.prepare(tmp_path_factory.mktemp("rehearse") / story.PROJECT, 0.01).path


def place(blog: Path, root: Path) -> Path:
    shutil.copytree(blog, root / story.PROJECT)
    (root / "ashore.yml").write_text(story.answers_text(ELSEWHERE))
    return root / story.PROJECT


def test_what_changes_by_itself_is_not_called_a_difference() -> None:
    before = Look({"/": (200, "a"), "/clock": (200, "b"), "/x": (200, "c"), "/gone": (404, "d")}, {})
    again = Look({"/": (200, "a"), "/clock": (200, "B"), "/x": (200, "c"), "/gone": (404, "d")}, {})
    after = Look({"/": (200, "a"), "/clock": (200, "!"), "/x": (500, "c"), "/gone": (500, "e")}, {})
    found = compare(before, again, after, 3)
    assert (found.same, found.differing, found.unsteady, found.files) == (1, ("/x",), 1, 3)


def test_addresses_of_objects_are_told_as_the_paths_they_were() -> None:
    files = Files("/media/", ("http://127.0.0.1:5/b/up/",))
    body = (
        b'<img src="http://127.0.0.1:5/b/up/a%20b.jpg?X-Amz-Signature=1&amp;x=2"> http://127.0.0.1:5/b/other'
    )
    assert files.plain(body) == b'<img src="/media/a%20b.jpg"> http://127.0.0.1:5/b/other'


@pytest.mark.long
def test_the_whole_run_is_rehearsed_and_nothing_else_is_touched(blog: Path, tmp_path: Path) -> None:
    app = place(blog, tmp_path)
    before = tree(app)
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "rehearse", "-a", "ashore.yml", "--events", "--keep", "kept"],
        cwd=tmp_path,
        env={
            **CLEAN,
            "ASHORE_STATE_DIR": str(tmp_path / "state"),
            "DATABASE_URL": "postgresql://u:p@db.example/x",
        },
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["type"] for e in events].count("finished") == 1
    assert events[-1] == {"type": "finished", "status": "done", "exit_code": 0, "report": None}
    assert "pages and" in done.stderr and " 0 differ" in done.stderr
    assert "The app was not started" not in done.stderr
    assert tree(app) == before
    assert not (tmp_path / "state").exists()
    assert list((tmp_path / "kept").rglob("report.html"))
    assert "storages" in (tmp_path / "kept" / story.PROJECT / "config/settings.py").read_text()


@pytest.mark.long
def test_a_page_that_is_not_the_same_afterwards_is_named(blog: Path, tmp_path: Path) -> None:
    app = place(blog, tmp_path)
    urls = app / "config/urls.py"
    urls.write_text(
        urls.read_text()
        + "\nfrom django.db import connection\nfrom django.http import HttpResponse\n"
        + "urlpatterns = [path('sitemap.xml', lambda r: HttpResponse(connection.vendor)), *urlpatterns]\n"
    )
    heard: list[Event] = []
    answers = answers_file.load(tmp_path / "ashore.yml")
    done = rehearse(replace(answers, storage=()), Cancel(), heard.append)
    assert done.exit_code == 6
    assert [e.subject for e in heard if isinstance(e, FindingSeen)] == ["/sitemap.xml"]
    assert heard[-1] == Finished("differences", 6)


@pytest.mark.long
def test_a_live_database_in_the_settings_is_not_reached(blog: Path, tmp_path: Path) -> None:
    app = place(blog, tmp_path)
    with socket.socket() as live:
        live.bind(("127.0.0.1", 0))
        live.listen()
        reached: list[object] = []

        def wait() -> None:
            try:
                reached.append(live.accept())
            except OSError:
                return

        threading.Thread(target=wait, daemon=True).start()
        settings = app / "config/settings.py"
        settings.write_text(
            settings.read_text()
            + "\nif not os.environ.get('ASHORE_JOB'):\n    DATABASES['live'] = "
            + "{'ENGINE': 'django.db.backends.postgresql', 'HOST': '127.0.0.1', "
            + f"'PORT': '{live.getsockname()[1]}',"
            + " 'NAME': 'x', 'USER': 'u', 'PASSWORD': 'p'}\n"
        )
        heard: list[Event] = []
        answers = answers_file.load(tmp_path / "ashore.yml")
        done = rehearse(replace(answers, storage=(), patch="skip"), Cancel(), heard.append)
        assert not reached
    assert done.exit_code == 0 and done.compared is None
    assert "not the rehearsal's own (live)" in done.why
    assert any(isinstance(e, Warned) and e.code == "app-not-started" for e in heard)


@pytest.mark.long
def test_without_django_database_and_files_are_rehearsed(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    (tmp_path / "ashore.yml").write_text(
        "version: 1\nproject: shop\ndatabase: {source: db.sqlite3, url: env:NOT_SET, schema: derived,"
        " provider: neon}\npatch: skip\nstorage:\n  - {source: media, provider: r2, bucket: media,"
        " account_id: abc, access_key: env:NOT_SET, secret_key: env:NOT_SET}\n"
    )
    heard: list[Event] = []
    done = rehearse(answers_file.load(tmp_path / "ashore.yml"), Cancel(), heard.append)
    assert done.exit_code == 0, [e for e in heard if e.type == "failed"]
    assert done.compared is None and "only Django apps" in done.why
    assert any("r2" in line for line in done.real)
    with closing(sqlite3.connect(app / "db.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM item").fetchone() == (50,)
