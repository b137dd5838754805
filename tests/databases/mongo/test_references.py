"""Documents that name uploaded files: found at any depth, rewritten with undo, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.databases.mongo.kit import codes, database, findings, migrate, new_process, raw
from tests.databases.mongo.linked import AFTER, BASE, REWRITTEN, fill, linked
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.mongo.record import IMAGES
from wizard.references import documents_write
from wizard.steps.moves.mongo import MongoKept, MongoMove

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]


def start(ctx: RunContext) -> MongoKept:
    way = MongoKept()
    for step in ("snapshot", "preflight", "provision"):
        getattr(way, step)(ctx)
    return way


def posts(url: Secret) -> dict[Any, Any]:
    return {d["_id"]: d for d in database(url).posts.find()}


def test_links_are_rewritten_where_the_database_stays(tmp_path: Path, mongo_url: Secret) -> None:
    fill(mongo_url, 20)
    before = posts(mongo_url)
    ctx = linked(tmp_path, mongo_url, None)
    way = start(ctx)
    way.references(ctx)
    after = posts(mongo_url)
    assert {key: after[key] for key in AFTER} == AFTER
    assert [list(after[key]) for key in after] == [list(before[key]) for key in after]
    assert all(after[key] == before[key] for key in (5, "/uploads/a.png", 7, 8))
    assert after["n7"]["list"] == [{"url": BASE + "a.png", "n": 7}, {"url": "none"}]
    facts = ctx.journal.get("references", "summary")
    assert facts["rewritten"] == REWRITTEN + 20 and facts["addresses"] == REWRITTEN + 21
    # "gone.png" in the text of 3 and the name in 5; the field `name` holds a file's name elsewhere.
    assert facts["dangling"] == 2 and facts["relative"] == 1
    assert facts["unnamed_examples"] == ["unnamed.png"]
    assert "dangling-reference" in codes(ctx)
    assert facts["malformed"] == 0  # two addresses in a row are no wrapped one
    said, differences = way.verify(ctx)
    assert differences == 0 and f"{REWRITTEN + 20} rewritten texts" in said
    assert way.references(new_process(ctx)) and posts(mongo_url) == after
    assert way.undo_references(new_process(ctx)) == (REWRITTEN + 20, 0)
    assert posts(mongo_url) == before
    assert way.undo_references(new_process(ctx)) == (0, 0)
    way.clean(ctx.run, mongo_url)
    assert database(mongo_url).list_collection_names() == ["posts"]


def test_with_signed_links_nothing_is_written(tmp_path: Path, mongo_url: Secret) -> None:
    fill(mongo_url)
    before = raw(mongo_url)
    ctx = linked(tmp_path, mongo_url, None, access="signed")
    way = start(ctx)
    assert "the app redirects them" in way.references(ctx)
    assert way.verify(ctx)[1] == 0
    assert raw(mongo_url) == before and database(mongo_url).list_collection_names() == ["posts"]


def test_the_copy_is_rewritten_and_the_source_is_not(tmp_path: Path, new_mongo: NewMongo) -> None:
    source, target = new_mongo(), new_mongo()
    fill(source, 5)
    before = raw(source)
    ctx = linked(tmp_path, source, target)
    said, differences = migrate(ctx)
    assert differences == 0, findings(ctx)
    assert f"{REWRITTEN + 5} rewritten texts" in said
    assert {key: posts(target)[key] for key in AFTER} == AFTER and raw(source) == before
    database(source).posts.update_one({"_id": 1}, {"$set": {"link": "/uploads/logos/b c.png"}})
    database(source).posts.insert_one({"_id": "late", "link": "see /uploads/a.png."})
    MongoMove().cutover(ctx)
    assert posts(target)[1]["link"] == BASE + "logos/b%20c.png"
    assert posts(target)["late"]["link"] == f"see {BASE}a.png."
    assert MongoMove().undo_references(ctx) == (REWRITTEN + 6, 0)
    assert raw(target) == raw(source)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"$set": {"gallery.0.url": "/uploads/a.png"}}, "that the target does not show"),
        ({"$set": {"gallery.0.url": BASE + "logos/b%20c.png"}}, "expected '\"/uploads/a.png\"'"),
        ({"$set": {"gallery.0.n": 9}}, "posts.gallery[0].n"),
    ],
)
def test_a_wrong_rewrite_is_found(
    tmp_path: Path, new_mongo: NewMongo, change: dict[str, Any], said: str
) -> None:
    source, target = new_mongo(), new_mongo()
    fill(source)
    ctx = linked(tmp_path, source, target)
    assert migrate(ctx)[1] == 0
    database(target).posts.update_one({"_id": 2}, change)
    assert MongoMove().verify(ctx)[1] == 1
    assert said in findings(ctx)[0], findings(ctx)


def test_a_wrong_rewrite_in_a_kept_database_is_found(tmp_path: Path, mongo_url: Secret) -> None:
    fill(mongo_url)
    ctx = linked(tmp_path, mongo_url, None)
    way = start(ctx)
    way.references(ctx)
    database(mongo_url).posts.update_one({"_id": 1}, {"$set": {"link": "/uploads/a.png"}})
    database(mongo_url)[IMAGES].update_one(
        {"before": "![x](/uploads/a.png)"}, {"$set": {"after": "![x](no)"}}
    )
    database(mongo_url).posts.update_one({"_id": 2}, {"$set": {"gallery.0.url": "the app's own"}})
    assert way.verify(ctx)[1] == 2
    assert "references-newer" in codes(ctx)


def test_undo_leaves_what_the_app_wrote_since(tmp_path: Path, mongo_url: Secret) -> None:
    fill(mongo_url)
    ctx = linked(tmp_path, mongo_url, None)
    way = start(ctx)
    way.references(ctx)
    db = database(mongo_url)
    db.posts.update_one({"_id": 1}, {"$set": {"link": "newer"}})
    # The first picture moved to the end: it is found there, since no other holds its address.
    moved = [posts(mongo_url)[2]["gallery"][1], {"n": 3, "url": "x"}, posts(mongo_url)[2]["gallery"][0]]
    db.posts.update_one({"_id": 2}, {"$set": {"gallery": moved}})
    db.posts.delete_one({"_id": 4})
    assert way.undo_references(ctx) == (3, 3)
    assert posts(mongo_url)[1]["link"] == "newer"
    assert [p["url"] for p in posts(mongo_url)[2]["gallery"]] == [
        "http://x.de/uploads/logos/b%20c.png", "x", "/uploads/a.png",
    ]  # fmt: skip


def test_an_array_that_changes_meanwhile_keeps_what_the_app_wrote(
    tmp_path: Path, mongo_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(mongo_url)
    ctx = linked(tmp_path, mongo_url, None)
    way = start(ctx)
    real = documents_write._update
    raced = []

    def race(collection: Any, document: Any) -> Any:
        if document.key == b"\x10\x02\0\0\0" and not raced:
            raced.append(1)
            new = {
                "$set": {
                    "gallery": [{"n": 0, "url": "/uploads/docs/ä.pdf"}, {"n": 1, "url": "/uploads/a.png"}]
                }
            }
            database(mongo_url).posts.update_one({"_id": 2}, new)
        return real(collection, document)

    monkeypatch.setattr(documents_write, "_update", race)
    way.references(ctx)
    assert posts(mongo_url)[2]["gallery"] == [
        {"n": 0, "url": BASE + "docs/%C3%A4.pdf"}, {"n": 1, "url": BASE + "a.png"},
    ]  # fmt: skip
    assert raced and way.verify(ctx)[1] == 0
    assert way.undo_references(ctx) == (REWRITTEN, 0)
    assert posts(mongo_url)[2]["gallery"][0]["url"] == "/uploads/docs/ä.pdf"


CALLS = ("bulk_write", "update_many", "update_one", "delete_many")


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize("kept", [True, False])
def test_a_rewrite_cut_off_at_any_write_is_finished(
    tmp_path: Path, new_mongo: NewMongo, monkeypatch: pytest.MonkeyPatch, after: int, kept: bool
) -> None:
    from pymongo.collection import Collection

    monkeypatch.setattr("wizard.steps.moves.mongo_references.BATCH", 3)
    source, target = new_mongo(), None if kept else new_mongo()
    fill(source, 5)
    way: Any = MongoKept() if kept else MongoMove()
    ctx = linked(tmp_path, source, target)
    steps = ("snapshot", "preflight", "provision", "schema", "recheck", "copy")
    for step in steps[: 3 if kept else 6]:
        getattr(way, step)(ctx)
    left = [after]

    def cut(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(Collection, name, cut(getattr(Collection, name)))
        with pytest.raises(KeyboardInterrupt):
            way.references(ctx)
    again = new_process(ctx)
    way.references(again)
    written = target or source
    assert way.verify(again)[1] == 0, findings(again)
    assert {key: posts(written)[key] for key in AFTER} == AFTER
    assert database(written)[IMAGES].count_documents({"done": False}) == 0
    assert way.undo_references(again) == (REWRITTEN + 5, 0)
