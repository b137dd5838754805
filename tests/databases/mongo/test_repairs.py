"""Malformed Cloudinary addresses in documents: decided, confirmed by a fetch, repaired, compared, undone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.databases.mongo.kit import context, database, findings, migrate, new_process, raw
from tests.references.fake_cloudinary import FakeCloudinary, serving
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.errors import Undecided
from wizard.steps.moves.mongo import MongoKept

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]
CLOUD = "https://res.cloudinary.com/demo/image/upload/"
OUTER = CLOUD + "v1/media/"
A, B, GONE = (f"{CLOUD}v1/logos/{n}.png" for n in ("a", "b", "gone"))
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": 1, "logo": OUTER + A, "kept": OUTER + A},
    {"_id": 2, "shots": [{"url": f"logos/{B.replace('://', ':/')}"}, {"url": OUTER + GONE}], "n": 1},
    {"_id": 3, "logo": A, "shots": [{"url": f'<img src="{OUTER}{A}">'}]},
]
AFTER: list[dict[str, Any]] = [
    {"_id": 1, "logo": A, "kept": OUTER + A},
    {"_id": 2, "shots": [{"url": B}, {"url": OUTER + GONE}], "n": 1},
    {"_id": 3, "logo": A, "shots": [{"url": f'<img src="{A}">'}]},
]
DECIDED = {
    "posts.logo": {"malformed_url": "repair"},
    "posts.shots[].url": {"malformed_url": "repair"},
    "posts.kept": {"malformed_url": "keep"},
}


@pytest.fixture
def cloud() -> Iterator[FakeCloudinary]:
    with serving() as fake:
        for address in (A, B):
            fake.files[address.removeprefix("https://res.cloudinary.com")] = "image/png"
        yield fake


def repairing(
    tmp_path: Path, cloud: FakeCloudinary, source: Secret, target: Secret | None, **more: Any
) -> RunContext:
    database(source).posts.insert_many(DOCUMENTS)
    ctx = context(tmp_path, source, target, **{"decisions": DECIDED, **more})
    return dataclasses.replace(ctx, web=cloud.transport)


def posts(url: Secret) -> list[dict[str, Any]]:
    return list(database(url).posts.find(sort=[("_id", 1)]))


def test_a_database_that_stays_is_repaired_in_place(
    tmp_path: Path, mongo_url: Secret, cloud: FakeCloudinary
) -> None:
    ctx = repairing(tmp_path, cloud, mongo_url, None)
    before, way = raw(mongo_url), MongoKept()
    way.snapshot(ctx)
    with pytest.raises(Undecided) as raised:
        database_answers = dataclasses.replace(ctx.answers.database, decisions={})  # type: ignore[type-var]
        way.preflight(
            dataclasses.replace(ctx, answers=dataclasses.replace(ctx.answers, database=database_answers))
        )
    assert '"posts.shots[].url": {malformed_url: repair}' in raised.value.hint
    assert way.preflight(ctx) == "the database stays, 3 decisions, all taken"
    assert not cloud.asked
    way.provision(ctx)
    said = way.references(ctx)
    assert (
        said.startswith("3 texts with malformed addresses repaired") and "1 malformed addresses stay" in said
    )
    assert posts(mongo_url) == AFTER
    assert way.verify(ctx)[1] == 0, findings(ctx)
    way.cutover(ctx)
    assert way.undo_references(new_process(ctx)) == (3, 0)
    assert posts(mongo_url) == DOCUMENTS
    way.clean(ctx.run, mongo_url)
    assert raw(mongo_url) == before


def test_the_copy_is_repaired_and_the_source_is_not(
    tmp_path: Path, new_mongo: NewMongo, cloud: FakeCloudinary
) -> None:
    source, target = new_mongo(), new_mongo()
    ctx = repairing(tmp_path, cloud, source, target)
    assert migrate(ctx)[1] == 0, findings(ctx)
    assert posts(target) == AFTER and posts(source) == DOCUMENTS


@pytest.mark.parametrize("before", [True, False])
def test_a_kill_beside_the_write_is_taken_up(
    tmp_path: Path, mongo_url: Secret, cloud: FakeCloudinary, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    class Killed(BaseException):
        pass

    ctx, way = repairing(tmp_path, cloud, mongo_url, None), MongoKept()
    for step in ("snapshot", "preflight", "provision"):
        getattr(way, step)(ctx)
    plain = Collection.bulk_write

    def dies(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.name == "posts" and before:
            raise Killed
        result = plain(self, *arguments, **options)
        if self.name == "posts":
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "bulk_write", dies)
        with pytest.raises(Killed):
            way.references(ctx)
    assert posts(mongo_url) == (DOCUMENTS if before else AFTER)
    ctx = new_process(ctx)
    assert way.references(ctx).startswith("3 texts")
    assert posts(mongo_url) == AFTER and way.verify(ctx)[1] == 0
    assert way.undo_references(ctx) == (3, 0) and posts(mongo_url) == DOCUMENTS
