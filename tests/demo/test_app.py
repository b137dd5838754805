"""The demo's app: what it holds, and that a redeploy without ashore loses all of it."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from wizard.demo import app_writer, compare, platform, samples, visitor
from wizard.errors import StepFailed, UsageError

SMALL = 0.02


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> app_writer.DemoProject:
    return app_writer.prepare(tmp_path_factory.mktemp("demo") / "app", SMALL)


@pytest.fixture(scope="module")
def site(small: app_writer.DemoProject) -> Iterator[platform.Site]:
    with platform.serve(small.path, {}) as running:
        yield running


def files_below(folder: Path) -> dict[str, int]:
    return {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


def test_full_size_holds_what_is_promised(tmp_path: Path) -> None:
    demo = app_writer.prepare(tmp_path / "app")
    files = files_below(demo.path / "media")
    assert demo.files == len(files) >= 300
    assert demo.bytes == sum(files.values())
    assert files[samples.EMPTY_NAME] == 0
    assert files[samples.BIG_NAME] == 30_000_000
    assert set(samples.SPECIAL_NAMES) <= files.keys()
    assert any(" " in name for name in files) and any(not name.isascii() for name in files)
    with closing(sqlite3.connect(demo.path / "db.sqlite3")) as db:
        app_rows = sum(
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for (table,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'blog%'"
            )
        )
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        replies = db.execute("SELECT count(*) FROM blog_comment WHERE parent_id IS NOT NULL").fetchone()[0]
        highest, given = db.execute(
            "SELECT max(id), (SELECT seq FROM sqlite_sequence WHERE name = 'blog_comment') FROM blog_comment"
        ).fetchone()
    assert demo.rows > app_rows >= 20_000
    assert replies > 1000
    assert given > highest, "a deleted newest comment leaves the sequence ahead"
    for name in ("covers/2023/01/cover-0000.png", "attachments/фото из отпуска.png"):
        with Image.open(demo.path / "media" / name) as picture:
            picture.load()


def test_same_scale_same_bytes(small: app_writer.DemoProject, tmp_path: Path) -> None:
    again = app_writer.prepare(tmp_path / "again", SMALL)

    def rows(folder: Path) -> list[str]:
        with closing(sqlite3.connect(folder / "db.sqlite3")) as db:
            return [line for line in db.iterdump() if "django_migrations" not in line]

    assert rows(again.path) == rows(small.path)
    for name in files_below(small.path / "media"):
        assert (again.path / "media" / name).read_bytes() == (small.path / "media" / name).read_bytes()


def test_two_looks_at_an_unchanged_site_are_identical(site: platform.Site) -> None:
    paths = compare.pages(compare.counts(site.url))
    first = compare.crawl(site.url, paths)
    assert {seen.status for seen in first.values()} == {200}
    assert compare.differences(first, compare.crawl(site.url, first)) == []


def test_every_upload_is_looked_at_with_its_own_bytes(
    site: platform.Site, small: app_writer.DemoProject
) -> None:
    from hashlib import sha256
    from urllib.parse import quote

    seen = compare.crawl(site.url, compare.pages(compare.counts(site.url)))
    for name in files_below(small.path / "media"):
        content = (small.path / "media" / name).read_bytes()
        # Some text links to an upload without percent-encoding, as people write it.
        answer = seen.get(f"/media/{quote(name)}") or seen[f"/media/{name}"]
        assert answer == compare.Seen(200, len(content), sha256(content).hexdigest()), name


@pytest.mark.long
def test_a_changed_value_and_a_changed_byte_are_differences(tmp_path: Path) -> None:
    demo = app_writer.prepare(tmp_path / "app", SMALL)
    with platform.serve(demo.path, {}) as site:
        before = compare.crawl(site.url, compare.pages(compare.counts(site.url)))
        with closing(sqlite3.connect(demo.path / "db.sqlite3")) as db, db:
            db.execute("UPDATE blog_post SET views = views + 1 WHERE id = 2")
        cover = demo.path / "media" / samples.names(SMALL).covers[0]
        cover.write_bytes(cover.read_bytes()[:-1] + b"X")
        after = compare.crawl(site.url, before)
    differing = {d.path for d in compare.differences(before, after)}
    assert differing == {"/post/2/", "/api/posts/?page=1", f"/media/{samples.names(SMALL).covers[0]}"}


def test_a_redeploy_loses_everything(small: app_writer.DemoProject, site: platform.Site) -> None:
    before = compare.crawl(site.url, compare.pages(compare.counts(site.url)))
    with platform.deploy(small.path, {}) as fresh:
        assert compare.counts(fresh.url)["posts"] == compare.counts(fresh.url)["comments"] == 0
        after = compare.crawl(fresh.url, before)
        assert not (fresh.folder / "media").exists()
        assert (fresh.folder / "render.yaml").is_file()
    assert {seen.status for path, seen in after.items() if compare.is_file(path)} == {404}
    assert len(compare.differences(before, after)) == len(before)


@pytest.mark.long
def test_forms_work_and_stay_on_the_disk(tmp_path: Path) -> None:
    demo = app_writer.prepare(tmp_path / "app", SMALL)
    with platform.serve(demo.path, {}) as site:
        left = visitor.leave(site.url, post=1)
        assert visitor.still_there(site.url, left)
    with platform.serve(demo.path, {}) as site:
        assert visitor.still_there(site.url, left)
    with platform.deploy(demo.path, {}) as site:
        assert not visitor.still_there(site.url, left)


def test_a_site_that_ended_leaves_no_process_port_or_folder(small: app_writer.DemoProject) -> None:
    with pytest.raises(ZeroDivisionError), platform.deploy(small.path, {}) as site:
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(site.pid, 0)
    assert not site.folder.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(site.url).port)) != 0


def test_an_app_that_does_not_start_says_why(tmp_path: Path) -> None:
    app_writer.write_code(tmp_path / "app")
    (tmp_path / "app/config/settings.py").write_text("raise RuntimeError('no such setting')\n")
    with pytest.raises(StepFailed, match="no such setting"), platform.deploy(tmp_path / "app", {}):
        pass
    with pytest.raises(StepFailed, match="no such setting"), platform.serve(tmp_path / "app", {}):
        pass


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError) as raised:
        app_writer.prepare(tmp_path)
    assert raised.value.code == "demo-folder-not-empty"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_the_apps_environment_is_only_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody-else")
    monkeypatch.setenv("AWS_PROFILE", "work")
    environ = platform.app_environ({"A": "b"})
    assert environ["A"] == "b"
    assert not {"DATABASE_URL", "AWS_PROFILE"} & environ.keys()
