"""What changed at a MongoDB source since the copy is carried over, proven, and safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.databases.mongo.kit import context, database, migrate, new_process, raw
from tests.storages.kit import failure
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.mongo import load
from wizard.errors import NotAsPlanned
from wizard.steps.moves.mongo import MongoMove

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]
Moved = tuple[RunContext, Secret, Secret]


@pytest.fixture
def moved(tmp_path: Path, new_mongo: NewMongo) -> Moved:
    """A source of many posts and its verified copy."""
    source, target = new_mongo(), new_mongo()
    posts = [{"_id": n, "slug": f"s{n}", "tags": ["a"] * (n % 3)} for n in range(700)]
    database(source).posts.insert_many(posts)
    database(source).posts.create_index("slug", unique=True)
    database(source).gone.insert_one({"_id": 1})
    ctx = context(tmp_path, source, target)
    assert migrate(ctx)[1] == 0
    return ctx, source, target


def change(url: Secret) -> None:
    """Additions, deletions, changes, two values of a unique index swapped, a new and a dropped collection."""
    db = database(url)
    db.posts.delete_many({"_id": {"$lt": 20}})
    db.posts.insert_one({"_id": "new", "slug": "s3"})
    db.posts.update_one({"_id": 500}, {"$set": {"tags": ["b"]}})
    db.posts.update_one({"_id": 600}, {"$set": {"slug": "x"}})
    db.posts.update_one({"_id": 601}, {"$set": {"slug": "s600"}})
    db.posts.update_one({"_id": 600}, {"$set": {"slug": "s601"}})
    db.later.insert_one({"_id": 1})
    db.later.create_index("n")
    db.gone.drop()


def test_changes_are_carried_and_verified(moved: Moved) -> None:
    ctx, source, target = moved
    change(source)
    assert not MongoMove().require_settled(ctx)
    said = MongoMove().cutover(ctx)
    assert "5 documents written and 20 taken out" in said
    assert raw(target) == raw(source)
    assert "n_1" in database(target).later.index_information()
    assert MongoMove().require_settled(ctx)
    assert MongoMove().cutover(new_process(ctx)).startswith("no document changed meanwhile")


def test_nothing_changed_is_said(moved: Moved) -> None:
    assert MongoMove().cutover(moved[0]).startswith("no document changed meanwhile")


def test_who_writes_to_the_target_is_not_overwritten(moved: Moved) -> None:
    ctx, source, target = moved
    change(source)
    database(target).posts.update_one({"_id": 7}, {"$set": {"tags": "theirs"}})
    before = raw(target)
    error = failure(lambda: MongoMove().cutover(ctx))
    assert isinstance(error, NotAsPlanned) and error.code == "target-changed"
    assert "posts.tags" in error.message
    assert raw(target) == before


@pytest.mark.parametrize("writes", range(1, 4))
def test_a_sync_cut_off_after_any_write_is_finished(
    moved: Moved, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, source, target = moved
    change(source)
    real: Any = load.write
    left = [writes]

    def cut(*arguments: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(load, "write", cut)
    try:
        MongoMove().cutover(ctx)
        interrupted = False
    except KeyboardInterrupt:
        interrupted = True
    monkeypatch.undo()
    MongoMove().cutover(new_process(ctx))
    assert raw(target) == raw(source)
    assert interrupted
    assert MongoMove().verify(new_process(ctx))[1] == 0
