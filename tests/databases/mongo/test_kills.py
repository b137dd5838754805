"""A run cut off at any write to the target, before or after the server did it, ends as an undisturbed one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.databases.mongo.kit import STEPS, database, findings, new_process, raw
from tests.databases.mongo.linked import AFTER, fill, linked
from wizard.credentials import Secret
from wizard.databases.mongo import dump
from wizard.steps.moves.mongo import MongoMove

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]
WRITES = ("bulk_write", "update_one", "update_many", "delete_many", "find_one_and_update", "create_index")
SEED = 20261120
POINTS = 30  # a run makes more writes than that


class Killed(BaseException):
    """Stands for the end of the process."""


def _cut(patch: pytest.MonkeyPatch, left: list[int], after: bool) -> None:
    """End the process at the write at which `left` has been counted down."""

    def wrap(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 and not after:
                raise Killed
            result = real(*arguments, **options)
            if left[0] == 0:
                raise Killed
            return result

        return call

    for name in WRITES:
        patch.setattr(Collection, name, wrap(getattr(Collection, name)))


@pytest.mark.parametrize("point", random.Random(SEED).sample(range(1, POINTS), 6))
def test_a_run_cut_off_ends_as_an_undisturbed_one(
    tmp_path: Path, new_mongo: NewMongo, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    monkeypatch.setattr(dump, "PART_BYTES", 400)
    source, target = new_mongo(), new_mongo()
    fill(source, 12)
    database(source).other.insert_many([{"_id": n} for n in range(30)])
    database(source).other.create_index("n")
    ctx = linked(tmp_path, source, target)
    way = MongoMove()
    killed, left = False, [point]
    for step in (*STEPS, "verify", "change", "cutover", "finish"):
        if step == "change":
            database(source).posts.delete_one({"_id": "n3"})
            database(source).posts.update_one({"_id": 1}, {"$set": {"text": "/uploads/a.png"}})
            continue
        with monkeypatch.context() as patch:
            _cut(patch, left, after=point % 2 == 0)
            try:
                getattr(way, step)(ctx)
                continue
            except Killed:
                killed = True
        ctx = new_process(ctx)
        getattr(way, step)(ctx)
    assert way.verify(ctx)[1] == 0, findings(ctx)
    found = {d["_id"]: d for d in database(target).posts.find()}
    assert {key: found[key] for key in AFTER if key != 1} == {k: v for k, v in AFTER.items() if k != 1}
    assert found[1]["text"] == "https://files.example.com/a.png" and "n3" not in found
    way.undo_references(new_process(ctx))
    assert raw(target) == raw(source)
    assert killed
