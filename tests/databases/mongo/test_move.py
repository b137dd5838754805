"""MongoDB → MongoDB on a real wire-protocol server: everything arrives byte for byte, or is named."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import gridfs
import pytest

from tests.databases.mongo.kit import codes, context, database, findings, migrate, new_process, raw
from tests.storages.kit import failure
from wizard.credentials import Secret
from wizard.databases.mongo import record
from wizard.databases.mongo.connect import connect
from wizard.errors import EXIT_REFUSED, NotAsPlanned, StepFailed, Undecided, UsageError
from wizard.steps.moves.mongo import MongoMove

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]

IDS: tuple[Any, ...] = (
    1, "text", bson.ObjectId(), {"a": 1, "b": 2}, {"b": 2, "a": 1}, None, True, b"bytes",
    bson.Binary(b"1" * 16, 4), datetime.datetime(2024, 1, 1), bson.Int64(2**40), 1.5,
)  # fmt: skip


def fill(url: Secret) -> None:
    """A database with every kind of value and identity that the server takes."""
    db = database(url)
    db.ids.insert_many([{"_id": one, "n": n} for n, one in enumerate(IDS)])
    db.values.insert_many(
        [
            {"_id": 1, "z": 1, "a": bson.Int64(1), "m": 1.0, "text": "é😀\0x", "empty": "", "none": None},
            {"_id": 2, "list": [1, "a", {"b": [1, 2]}], "sub": {"b": 1, "a": {"c": {}}}},
            {"_id": 3, "bin": bson.Binary(b"x", 128), "regex": bson.Regex("a.b", "i")},
            {"_id": 5, "ts": bson.Timestamp(1, 2)},
            {"_id": 4, "far": bson.DatetimeMS(10**15), "no": False, "": "no name"},
        ]
    )
    db.values.create_index([("z", -1), ("a", 1)], name="two fields")
    db.values.create_index("text", unique=True, sparse=True)
    db.create_collection("empty")
    db.create_collection("log", capped=True, size=100_000, max=50)
    db.log.insert_many([{"_id": n} for n in (3, 1, 2)])
    gridfs.GridFS(db).put(b"0123456789" * 60_000, filename="a.bin")


@pytest.fixture
def both(new_mongo: NewMongo) -> tuple[Secret, Secret]:
    """A filled source, an empty target."""
    source, target = new_mongo(), new_mongo()
    fill(source)
    return source, target


def test_every_document_arrives_byte_for_byte(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    source, target = both
    before = raw(source)
    ctx = context(tmp_path, *both)
    said, differences = migrate(ctx)
    assert differences == 0, findings(ctx)
    assert raw(target) == before == raw(source)
    assert [d["_id"] for d in database(target).log.find()] == [3, 1, 2]
    assert database(target).log.options() == database(source).log.options()
    ours, theirs = (database(url)["values"].index_information() for url in both)
    assert ours == theirs and "two fields" in ours
    assert gridfs.GridFS(database(target)).find_one({"filename": "a.bin"}).read() == b"0123456789" * 60_000
    assert f"{sum(map(len, before.values())):,} documents" in said
    assert "gridfs-carried" in codes(ctx) and "users-not-carried" in codes(ctx)


def _reorder(db: Any) -> None:
    found = db["values"].find_one({"_id": 2})
    db["values"].replace_one({"_id": 2}, {"_id": 2, "sub": found["sub"], "list": found["list"]})


CHANGES: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "type of a number": (
        lambda db: db["values"].update_one({"_id": 1}, {"$set": {"a": 1}}),
        ['values.a {"$numberInt": "1"}', '"$numberLong": "1"'],
    ),
    "value in an array": (
        lambda db: db["values"].update_one({"_id": 2}, {"$set": {"list.2.b.1": 3}}),
        ["values.list[2].b[1]", '"$numberInt": "2"', '"$numberInt": "3"'],
    ),
    "missing": (lambda db: db.ids.delete_one({"_id": "text"}), ['ids "text"', "not in the target"]),
    "more": (lambda db: db.ids.insert_one({"_id": "more"}), ['ids "more"', "source does not"]),
    "order of fields": (_reorder, ["another order"]),
    "index": (lambda db: db["values"].drop_index("two fields"), ["two fields"]),
    "collection": (lambda db: db.empty.drop(), ["no such collection"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_at_the_target_is_found_and_named(
    tmp_path: Path, both: tuple[Secret, Secret], name: str
) -> None:
    change, words = CHANGES[name]
    ctx = context(tmp_path, *both)
    assert migrate(ctx)[1] == 0
    change(database(both[1]))
    assert MongoMove().verify(ctx)[1] == 1
    assert all(word in findings(ctx)[0] for word in words), findings(ctx)


def test_a_server_that_stores_another_value_is_found_out(tmp_path: Path, new_mongo: NewMongo) -> None:
    source, target = new_mongo(), new_mongo()
    database(source).a.insert_one({"_id": 1, "n": 1.0})
    ctx = context(tmp_path, source, target)
    way = MongoMove()
    way.snapshot(ctx)
    part = next((ctx.folder.snapshots / "base.mongo").glob("*.bson"))
    damaged = part.read_bytes()
    part.write_bytes(damaged.replace(b"\xf0\x3f", b"\xf0\x40"))
    error = failure(lambda: way.snapshot(ctx))
    assert isinstance(error, NotAsPlanned) and error.code == "snapshot-changed"


def test_a_target_with_data_is_refused_and_stays(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    database(both[1]).theirs.insert_one({"_id": 1})
    ctx = context(tmp_path, *both)
    way = MongoMove()
    way.snapshot(ctx)
    error = failure(lambda: way.provision(ctx))
    assert isinstance(error, UsageError) and error.code == "target-not-empty" and "theirs" in error.message
    assert list(raw(both[1])) == ["theirs"]
    assert not [n for n in database(both[1]).list_collection_names() if n.startswith("ashore_")]


def test_a_target_may_hold_other_collections_by_answer(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    database(both[1]).theirs.insert_one({"_id": 1})
    ctx = context(tmp_path, *both, allow_nonempty=True)
    assert migrate(ctx)[1] == 0
    assert len(raw(both[1])["theirs"]) == 1


def test_source_and_target_must_differ(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    ctx = context(tmp_path, both[0], both[0])
    MongoMove().snapshot(ctx)
    assert failure(lambda: MongoMove().provision(ctx)).code == "same-database"


def test_what_the_target_does_not_take_must_be_decided(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    from wizard.databases.mongo import catalog, dump

    ctx = context(tmp_path, *both)
    way = MongoMove()
    way.snapshot(ctx)
    folder = ctx.folder.snapshots / "base.mongo"
    text = (folder / dump.MANIFEST).read_text()
    index = catalog.dumps({"key": {"t": 1}, "name": "gone", "expireAfterSeconds": 60})
    said = f'{{"name": "gone", "text": {json.dumps(index)}}}'
    with_index = text.replace('"indexes": []', f'"indexes": [{said}]', 1)
    assert with_index != text
    (folder / dump.MANIFEST).write_text(with_index)
    way.provision(ctx)
    error = failure(lambda: way.schema(ctx))
    assert isinstance(error, Undecided) and "gone" in error.message and "index_refused" in error.hint
    assert all(not documents for documents in raw(both[1]).values())
    subject = error.message.split("\n")[1].split(" ")[0]
    decided = context(tmp_path, *both, decisions={subject: {"index_refused": "leave"}})
    way.schema(decided)
    way.copy(decided)
    said, differences = way.verify(decided)
    assert differences == 0, said


def test_a_copy_cut_off_goes_on(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    ctx = context(tmp_path, *both)
    way = MongoMove()
    for step in ("snapshot", "preflight", "provision", "schema"):
        getattr(way, step)(ctx)
    # A part of which some documents stand, and one of them in another form, as a cut-off write leaves it.
    database(both[1])["values"].insert_one({"_id": 1, "half": True})
    database(both[1]).log.insert_one({"_id": 3})
    again = new_process(ctx)
    for step in ("snapshot", "preflight", "provision", "schema", "copy", "constraints"):
        getattr(way, step)(again)
    assert way.verify(again)[1] == 0
    assert raw(both[1]) == raw(both[0])
    assert [d["_id"] for d in database(both[1]).log.find()] == [3, 1, 2]


def test_an_older_execution_writes_no_more(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    ctx = context(tmp_path, *both)
    way = MongoMove()
    for step in ("snapshot", "preflight", "provision", "schema"):
        getattr(way, step)(ctx)
    server = connect(both[1])
    record.raise_epoch(server, ctx.run)
    error = failure(lambda: way.copy(ctx))
    server.close()
    assert isinstance(error, StepFailed) and error.code == "fenced"
    assert all(not documents for documents in raw(both[1]).values())


def test_a_run_whose_state_is_lost_is_begun_anew(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    lost = context(tmp_path / "lost" / "x", *both)
    way = MongoMove()
    for step in ("snapshot", "preflight", "provision", "schema", "copy"):
        getattr(way, step)(lost)
    database(both[0]).ids.delete_one({"_id": "text"})
    ctx = context(tmp_path / "new" / "x", *both, run="20260102-000000-abcdef")
    assert migrate(ctx)[1] == 0
    assert raw(both[1]) == raw(both[0])


def test_clean_takes_the_record_and_nothing_else(tmp_path: Path, both: tuple[Secret, Secret]) -> None:
    ctx = context(tmp_path, *both)
    migrate(ctx)
    MongoMove().cutover(ctx)
    MongoMove().clean(ctx.run, both[1])
    assert not [n for n in database(both[1]).list_collection_names() if n.startswith("ashore_")]
    assert raw(both[1]) == raw(both[0])


def test_a_server_that_does_not_answer_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wizard.databases.mongo import connect as module

    monkeypatch.setattr(module, "SELECT_MS", 300)
    error = failure(lambda: connect(Secret("mongodb://user:tiger99@127.0.0.1:9/app")))
    assert error.exit_code == EXIT_REFUSED and error.code == "mongodb-unreachable"
    assert "tiger99" not in str(error)
