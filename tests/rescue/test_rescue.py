"""After the loss: git's history, stashes and dangling objects, copies, backups, the live site."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.backup.kit import ashore, make_app, rows, tree
from wizard.backup.folder import FolderPlace
from wizard.backup.sources import FolderFiles, SqliteSource
from wizard.backup.write import Request, backup
from wizard.context import Cancel
from wizard.errors import AshoreError, UsageError
from wizard.rescue import find
from wizard.rescue.find import Search, look, take
from wizard.rescue.item import Item

SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
MEDIA_ROOT = BASE_DIR / "media"
INSTALLED_APPS = []
"""
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    author = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *author, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout


def lost(folder: Path) -> Path:
    """An app whose database and uploads were committed once, then untracked, and are gone now."""
    app = make_app(folder)
    (app / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n")
    (app / "settings.py").write_text(SETTINGS)
    git(app, "init", "-q")
    git(app, "add", "-A")
    git(app, "commit", "-q", "-m", "everything")
    git(app, "rm", "-q", "-r", "--cached", "media", "db.sqlite3")
    git(app, "commit", "-q", "-m", "untrack data")
    shutil.rmtree(app / "media")
    (app / "db.sqlite3").unlink()
    return app


def everything(app: Path, **more: object) -> tuple[find.Found, dict[str, list[Item]]]:
    notes: list[str] = []
    found = look(Search(app, app.parent / "state", **more), notes.append)  # type: ignore[arg-type]
    assert notes == []
    by: dict[str, list[Item]] = {}
    for item in found.items:
        by.setdefault(item.found, []).append(item)
    return found, by


def test_what_git_remembers_is_found_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    app = lost(tmp_path / "here")
    untouched = tree(app)
    found, by = everything(app)
    database = next(i for i in by["git"] if i.kind == "database")
    files = next(i for i in by["git"] if i.kind == "files")
    assert (database.tables, database.rows) == (2, 55)
    assert files.files == 5 and files.date[:2] == "20"
    lines = take(found, database.id, tmp_path / "db")
    assert len(rows(tmp_path / "db/db.sqlite3")) == 55
    assert any(str(tmp_path / "db/db.sqlite3") in line for line in lines)
    take(found, files.id, tmp_path / "files")
    assert (tmp_path / "files/Photo.JPG").read_bytes() == b"one"
    assert len(tree(tmp_path / "files")) == 5
    assert tree(app) == untouched, "looking changes nothing, not in .git either"


def test_stashed_reset_and_dangling_databases_are_found(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")

    def database(count: int) -> None:
        with closing(sqlite3.connect(app / "db.sqlite3")) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY)")
            db.executemany("INSERT INTO item VALUES (?)", [(n,) for n in range(count)])

    database(11)
    git(app, "add", "-f", "db.sqlite3")
    git(app, "stash")
    database(22)
    git(app, "add", "-f", "db.sqlite3")
    git(app, "commit", "-q", "-m", "to be reset")
    git(app, "reset", "-q", "--hard", "HEAD~1")
    database(33)
    git(app, "add", "-f", "db.sqlite3")
    git(app, "rm", "-q", "-f", "--cached", "db.sqlite3")
    (app / "db.sqlite3").unlink()
    _, by = everything(app)
    found = {i.rows: i for i in by["git"] if i.kind == "database"}
    assert set(found) == {55, 11, 22, 33}
    for rows_ in (55, 11, 22):
        assert found[rows_].date and "db.sqlite3 as of commit" in found[rows_].title


def test_copies_logs_and_backups_near_the_project_are_found(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")
    spare = make_app(tmp_path / "spare")
    shutil.copy(spare / "db.sqlite3", app / "db.sqlite3.bak")
    (app.parent / "shop-old").mkdir()
    shutil.copy(spare / "db.sqlite3", app.parent / "shop-old/before.db")
    (app.parent / "elsewhere").mkdir()
    shutil.copy(spare / "db.sqlite3", app.parent / "elsewhere/not-looked-at.db")
    place = FolderPlace(app.parent / "keep-backups")
    files = (FolderFiles("media", spare / "media"),)
    backup(
        Request("shop", "x", SqliteSource(spare / "db.sqlite3", "db.sqlite3"), files, (place,)),
        lambda text: None,
        Cancel(),
    )
    writer = sqlite3.connect(app / "db.sqlite3")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE late (id INTEGER PRIMARY KEY)")
    writer.execute("INSERT INTO late VALUES (7)")
    writer.commit()
    try:
        found, by = everything(app)
        copies = {Path(i.title).name: i.rows for i in by["copy"]}
        assert copies == {"db.sqlite3.bak": 55, "before.db": 55}
        take(found, by["log"][0].id, tmp_path / "log")
    finally:
        writer.close()
    with closing(sqlite3.connect(tmp_path / "log/db.sqlite3")) as db:
        assert db.execute("SELECT id FROM late").fetchall() == [(7,)]
    assert len(by["backup"]) == 1
    take(found, by["backup"][0].id, tmp_path / "back")
    assert rows(tmp_path / "back/db.sqlite3") == rows(spare / "db.sqlite3")
    assert tree(tmp_path / "back/files") == tree(spare / "media")
    _, more = everything(app, named=(app.parent / "elsewhere",))
    assert "not-looked-at.db" in {Path(i.title).name for i in more["copy"]}
    with pytest.raises(UsageError, match="nothing is written over"):
        take(found, by["copy"][0].id, app)


def test_what_earlier_runs_kept_and_what_the_platform_may_keep_is_listed(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")
    (app / "render.yaml").write_text("services:\n  - {type: web, name: shop, plan: free}\n")
    spare = make_app(tmp_path / "spare")
    run = tmp_path / "here/state/projects/shop-0123456789ab/runs/20260101-000000-abc123"
    (run / "snapshot").mkdir(parents=True)
    shutil.copy(spare / "db.sqlite3", run / "snapshot/base.sqlite3")
    shutil.copytree(spare / "media", run / "backup/files/1")
    found, by = everything(app)
    assert sorted((i.kind, i.rows, i.files) for i in by["run"]) == [
        ("database", 55, None),
        ("files", None, 5),
    ]
    take(found, next(i.id for i in by["run"] if i.kind == "files"), tmp_path / "files")
    assert tree(tmp_path / "files") == tree(spare / "media")
    assert any("14 days" in item.title for item in by["platform"])
    with pytest.raises(UsageError, match="cannot fetch"):
        take(found, by["platform"][0].id, tmp_path / "nothing")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="deleted files can be read on Linux only")
def test_a_deleted_database_that_a_process_holds_open_comes_back(tmp_path: Path) -> None:
    app = make_app(tmp_path / "here")
    expected = rows(app / "db.sqlite3")
    with (app / "db.sqlite3").open("rb"):
        (app / "db.sqlite3").unlink()
        found, by = everything(app)
        (item,) = by["open"]
        assert item.rows == 55
        take(found, item.id, tmp_path / "back")
    assert rows(tmp_path / "back/db.sqlite3") == expected


def test_what_the_site_still_serves_is_fetched(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")
    site = tmp_path / "site"
    (site / "media/photos").mkdir(parents=True)
    (site / "media/photos/a b.jpg").write_bytes(b"picture")
    (site / "media/list.csv").write_bytes(b"1,2")
    with closing(sqlite3.connect(app.parent / "export.sqlite3")) as db, db:
        db.execute("CREATE TABLE photo (image TEXT)")
        db.executemany(
            "INSERT INTO photo VALUES (?)",
            [
                ("photos/a b.jpg",),
                ("/media/list.csv",),
                ("gone.png",),
                ("a sentence.",),
                ("../../etc/x.txt",),
            ],
        )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found, by = everything(app, url=f"http://127.0.0.1:{server.server_port}")
        (item,) = by["web"]
        take(found, item.id, tmp_path / "fetched")
    finally:
        server.shutdown()
        server.server_close()
    assert tree(tmp_path / "fetched") == {"photos/a b.jpg": b"picture", "list.csv": b"1,2"}


@pytest.mark.long
def test_the_command_lists_and_says_how_to_go_on(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")
    listed = ashore("rescue", ".", "--state-dir", str(tmp_path / "state"), cwd=app)
    assert listed.returncode == 0, listed.stderr
    assert "2 tables, 55 rows" in listed.stdout and "Nothing has been written" in listed.stdout
    wrong = ashore("rescue", ".", "--restore", "git-00000000", "--to", "../x", cwd=app)
    assert wrong.returncode == 2 and not (tmp_path / "here/x").exists()


def test_a_failed_restore_leaves_no_folder(tmp_path: Path) -> None:
    app = lost(tmp_path / "here")
    (app / "half.sqlite3").write_bytes(b"SQLite format 3\x00" + bytes(2000))
    found, by = everything(app)
    item = next(i for i in by["copy"] if i.title.endswith("half.sqlite3"))
    assert item.rows is None
    with pytest.raises(AshoreError):
        take(found, item.id, tmp_path / "new")
    assert not (tmp_path / "new").exists()
