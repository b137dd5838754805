"""The step on a real target: what it finds, what it rewrites, and that undo brings back every byte."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from tests.references.kit import BASE, fill, make, rows, rule
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres.target import open_target
from wizard.references import apply as applying
from wizard.references.files import Files, store_names
from wizard.references.find import find
from wizard.references.locate import MediaUrl
from wizard.references.undo import undo
from wizard.sources.inventory import open_inventory
from wizard.steps import references

FILES = ("a.jpg", "posts/b c.png", "posts/named.txt", "lonely.bin", "ä.txt")
TABLES = """
CREATE TABLE post (id INTEGER PRIMARY KEY, title varchar(40), body TEXT, image varchar(100), data TEXT);
CREATE TABLE pair (x INT, y TEXT, html TEXT, PRIMARY KEY (x, y));
CREATE TABLE loose (note TEXT);
INSERT INTO post VALUES
  (1, 'plain', '<img src="/media/a.jpg"> and https://app.example/media/posts/b%20c.png', 'posts/named.txt',
   '{"z": 1, "a": "/media/a.jpg"}'),
  (2, '/media/a.jpg short', 'nothing', 'posts/lost.txt', '{}'),
  (3, 'dangling', '/media/gone.jpg', '', '[]'),
  (4, 'title of 40 signs /media/a.jpg 123456', NULL, NULL, NULL);
INSERT INTO pair VALUES (1, 'quo"te', '/media/ä.txt'), (2, 'b', 'x /media/a.jpg y');
INSERT INTO loose VALUES ('/media/a.jpg');
"""
DDL = """
CREATE TABLE post (id bigint PRIMARY KEY, title varchar(40), body text, image varchar(100), data jsonb);
CREATE TABLE pair (x int, y text, html text, PRIMARY KEY (x, y));
CREATE TABLE loose (note text);
"""
EVERYTHING = "SELECT 'p', id::text, title, body, image, data::text FROM post UNION ALL " \
    "SELECT 'q', x::text, y, html, NULL, NULL FROM pair UNION ALL " \
    "SELECT 'l', note, NULL, NULL, NULL, NULL FROM loose ORDER BY 1, 2"  # fmt: skip


@pytest.fixture
def ready(tmp_path: Path, database_url: Secret) -> tuple[RunContext, Secret, list[object]]:
    ctx, events = make(tmp_path, FILES, TABLES, database_url)
    fill(ctx, database_url, DDL, ("post", "pair", "loose"))
    return ctx, database_url, events  # type: ignore[return-value]


def test_the_snapshot_is_searched(tmp_path: Path) -> None:
    ctx, _ = make(tmp_path, FILES, TABLES)
    with open_inventory(ctx) as inventory:
        files = Files(inventory, store_names(["media"], ctx.project.root, None), ctx.answers.storage)
        found = find(ctx.snapshot_path, files, MediaUrl("/media/"))
        only_names = find(ctx.snapshot_path, files, None)
    assert found.columns == {
        ("post", "body"), ("post", "data"), ("post", "title"), ("pair", "html"), ("loose", "note"),
    }  # fmt: skip
    assert (found.addresses, found.relative) == (8, 1)
    assert found.hosts == {"": 7, "app.example": 1}
    assert {(e.table, e.column, e.key, e.name) for e in found.dangling_examples} == {
        ("post", "body", "3", "gone.jpg"),
        ("post", "image", "2", "posts/lost.txt"),
    }
    assert (found.unnamed, found.unnamed_examples) == (1, ["lonely.bin"])
    assert (only_names.addresses, only_names.relative, only_names.unnamed) == (0, 1, 4)


def test_public_access_rewrites_and_undo_restores(
    ready: tuple[RunContext, Secret, list[object]],
) -> None:
    ctx, url, events = ready
    before = rows(url, EVERYTHING)
    summary = references.run(ctx)
    assert "5 values rewritten" in summary
    assert rows(url, "SELECT body, image, data::text FROM post WHERE id = 1") == [
        (
            f'<img src="{BASE}a.jpg"> and {BASE}posts/b%20c.png',
            "posts/named.txt",
            f'{{"a": "{BASE}a.jpg", "z": 1}}',
        )
    ]
    assert rows(url, "SELECT html FROM pair ORDER BY x") == [(f"{BASE}%C3%A4.txt",), (f"x {BASE}a.jpg y",)]
    assert rows(url, "SELECT title FROM post WHERE id = 4") == [("title of 40 signs /media/a.jpg 123456",)]
    assert rows(url, "SELECT note FROM loose") == [("/media/a.jpg",)]
    facts = ctx.journal.get("references", "summary")
    assert facts is not None
    assert (facts["rewritten"], facts["too_long"], facts["dangling"], facts["unnamed"]) == (5, 1, 2, 1)
    assert {getattr(e, "code", "") for e in events} >= {"references-too-long", "references-not-rewritten"}

    images = rows(
        url, "SELECT key, before, after FROM ashore.before_image WHERE table_name = 'pair' ORDER BY 1"
    )
    assert images[0] == ('["1", "quo\\"te"]', "/media/ä.txt", f"{BASE}%C3%A4.txt")
    after = rows(url, EVERYTHING)
    assert references.run(ctx) == summary  # a second run finds its work done
    assert rows(url, EVERYTHING) == after
    with psycopg.connect(url.reveal()) as other:
        other.execute("UPDATE pair SET html = 'edited' WHERE x = 2")
    with open_target(ctx) as target:
        assert undo(target, ctx.run) == (4, 1)
        assert undo(target, ctx.run) == (0, 1)
    expected = [("q", "2", "b", "edited", None, None) if r[:2] == ("q", "2") else r for r in before]
    assert rows(url, EVERYTHING) == expected


def test_a_kill_between_batches_is_taken_up(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);" + "".join(
        f"INSERT INTO t VALUES ({n}, 'row {n} /media/a.jpg');" for n in range(25)
    )
    # The new addresses hold the old prefix, too: what is rewritten must not be rewritten again.
    ctx, _ = make(tmp_path, FILES, many, database_url, (rule(public_url=BASE + "bucket", prefix="media/"),))
    fill(ctx, database_url, "CREATE TABLE t (id bigint PRIMARY KEY, body text)", ("t",))
    monkeypatch.setattr(applying, "BATCH_ROWS", 4)

    class Killed(Exception):
        pass

    plain, calls = applying._one, []

    def dies(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 11:
            raise Killed
        plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(applying, "_one", dies)
    with pytest.raises(Killed):
        references.run(ctx)
    half = "SELECT count(*) FROM t WHERE body LIKE '%example%'"
    assert rows(database_url, half) == [(8,)]  # whole batches only
    assert rows(database_url, "SELECT count(*) FROM ashore.before_image") == [(8,)]
    monkeypatch.setattr(applying, "_one", plain)
    assert "25 values rewritten" in references.run(ctx)
    assert rows(database_url, "SELECT DISTINCT split_part(body, ' ', 3) FROM t") == [
        (BASE + "bucket/media/a.jpg",)
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [("signed", "redirects them to signed"), ("report", "none changed"), ("keep", "stay as they are")],
)
def test_nothing_is_rewritten_without_public_access_or_the_answer(
    ready: tuple[RunContext, Secret, list[object]], change: str, said: str
) -> None:
    ctx, url, _ = ready
    answers = (
        dataclasses.replace(ctx.answers, storage=(rule(access="signed"),))
        if change == "signed"
        else dataclasses.replace(ctx.answers, references=change)  # type: ignore[arg-type]
    )
    before = rows(url, EVERYTHING)
    assert said in references.run(dataclasses.replace(ctx, answers=answers))
    assert rows(url, EVERYTHING) == before


def test_only_files_of_public_rules_get_new_addresses(tmp_path: Path) -> None:
    rules = (rule(match="posts/**", prefix="p/"), rule(access="signed"))
    ctx, _ = make(tmp_path, FILES, "CREATE TABLE t (a)", rules=rules)
    with open_inventory(ctx) as inventory:
        files = Files(inventory, store_names(["media"], ctx.project.root, None), rules)
        assert files.address("posts/b c.png") == BASE + "p/posts/b%20c.png"
        assert files.address("a.jpg") is None
        assert files.known("a.jpg")
        assert not files.known("posts/../a.jpg")
        assert not files.known("../app/media/a.jpg")


def test_stores_below_and_above_the_media_folder(tmp_path: Path) -> None:
    root = tmp_path
    below, above, same = store_names(["m/posts", ".", "m"], root, root / "m")
    assert (below.name("x"), below.path("posts/x"), below.path("x")) == ("posts/x", "x", None)
    assert (above.name("m/x"), above.name("y"), above.path("x")) == ("x", None, "m/x")
    assert (same.name("x"), same.path("x")) == ("x", "x")
    assert store_names(["elsewhere"], root, root / "m") == ()


def test_what_someone_wrote_over_a_rewritten_value_is_not_rewritten_again(
    ready: tuple[RunContext, Secret, list[object]],
) -> None:
    """A repetition keeps the first before-image, and leaves the newer value as it is."""
    ctx, url, _ = ready
    references.run(ctx)
    images = rows(url, "SELECT * FROM ashore.before_image ORDER BY table_name, column_name, key")
    with psycopg.connect(url.reveal()) as target:
        target.execute("UPDATE post SET body = 'now /media/a.jpg' WHERE id = 1")
    references.run(ctx)
    assert rows(url, "SELECT body FROM post WHERE id = 1") == [("now /media/a.jpg",)]
    assert rows(url, "SELECT * FROM ashore.before_image ORDER BY table_name, column_name, key") == images
