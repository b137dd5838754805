"""What an answer decided is what is expected; without the answer it is a difference."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.verifying.conftest import Pair

# SQLite type, PostgreSQL type, source value as an SQL expression, code, choice, what the target must hold
CASES = [
    ("text", "text", "'a' || char(0) || 'b'", "nul_bytes", "strip", "ab"),
    ("text", "text", "'a' || char(0) || 'b'", "nul_bytes", "replace", "a\ufffdb"),
    ("text", "text", "CAST(x'61ff62' AS TEXT)", "invalid_utf8", "replace", "a\ufffdb"),
    ("text", "text", "CAST(x'61ff62' AS TEXT)", "invalid_utf8", "latin1", "aÿb"),
    ("decimal", "numeric(10,2)", "1.005", "beyond_scale", "round", "1.01"),
    ("decimal", "numeric(10,2)", "-2.675", "beyond_scale", "round", "-2.68"),
    ("datetime", "timestamptz(3)", "'2024-01-01 00:00:00.123500'", "beyond_scale", "round",
     "2024-01-01 00:00:00.124+00"),
    ("text", "varchar(3)", "'äbcd'", "too_long", "truncate", "äbc"),
    ("integer", "integer", "'soon'", "wrong_type", "null", None),
    ("datetime", "timestamptz", "'yesterday'", "wrong_type", "null", None),
    ("text", "uuid", "'not one'", "wrong_type", "null", None),
    ("integer", "integer", "3000000000", "out_of_range", "null", None),
    ("decimal", "numeric(4,2)", "1000", "out_of_range", "null", None),
    ("text", "jsonb", "'{\"a\": 1, \"a\": 2}'", "json_duplicate_keys", "last", '{"a": 2}'),
    ("text", "jsonb", "'{\"a\": \"x\\u0000y\"}'", "json_nul", "strip", '{"a": "xy"}'),
    ("text", "jsonb", "'[\"\\ud800!\"]'", "json_surrogates", "replace", '["\ufffd!"]'),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[3]}-{c[4]}-{c[1]}")
def test_a_decision_changes_what_is_expected(
    pair: Pair, case: tuple[str, str, str, str, str, str | None]
) -> None:
    sqlite_type, type_, expression, code, choice, after = case
    pair.source(
        f"CREATE TABLE t (id integer PRIMARY KEY, v {sqlite_type}, w text)",
        f"INSERT INTO t VALUES (1, NULL, 'a'), (2, {expression}, 'b'), (3, NULL, 'c')",
    )
    pair.target.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {type_}, w text)")
    pair.target.execute("INSERT INTO t VALUES (1, NULL, 'a'), (2, %s, 'b'), (3, NULL, 'c')", (after,))
    assert pair.named(decisions={"t.v": {code: choice}}) == []
    (undecided,) = pair.compare().differences
    assert (undecided.key, undecided.column) == ('["2"]', "v")
    assert undecided.detail
    pair.target.execute("UPDATE t SET w = 'x' WHERE id = 2")
    assert pair.named(decisions={"t.v": {code: choice}}) == [("value", "t", '["2"]', "w")]


def test_null_is_not_accepted_where_the_value_could_be_carried(pair: Pair) -> None:
    pair.source("CREATE TABLE t (id integer PRIMARY KEY, v integer)", "INSERT INTO t VALUES (1, 5)")
    pair.target.execute("CREATE TABLE t (id integer PRIMARY KEY, v integer)")
    pair.target.execute("INSERT INTO t VALUES (1, NULL)")
    decisions = {"t.v": {"wrong_type": "null", "out_of_range": "null"}}
    assert pair.named(decisions=decisions) == [("value", "t", '["1"]', "v")]


FAMILY = (
    "CREATE TABLE parent (id integer PRIMARY KEY)",
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent(id))",
    "CREATE TABLE grandchild (id integer PRIMARY KEY, child_id integer REFERENCES child)",
)


def _family(pair: Pair) -> None:
    pair.source(
        *FAMILY,
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (1, 1), (2, 99), (3, NULL)",
        "INSERT INTO grandchild VALUES (1, 1), (2, 2), (3, NULL)",
    )
    for statement in FAMILY:
        pair.target.execute(statement.encode())
    pair.target.execute("INSERT INTO parent VALUES (1)")


def test_orphans_left_out_are_not_expected_and_take_their_own_orphans_along(pair: Pair) -> None:
    _family(pair)
    decisions = {"child.parent_id": {"orphans": "leave_out"}, "grandchild": {"orphans": "leave_out"}}
    pair.target.execute("INSERT INTO child VALUES (1, 1), (3, NULL)")
    pair.target.execute("INSERT INTO grandchild VALUES (1, 1), (3, NULL)")
    assert pair.named(decisions=decisions) == []
    assert pair.named() == [("missing", "child", '["2"]', None), ("missing", "grandchild", '["2"]', None)]


def test_orphans_made_null_are_expected_as_null_and_only_they(pair: Pair) -> None:
    _family(pair)
    pair.target.execute("INSERT INTO child VALUES (1, 1), (2, NULL), (3, NULL)")
    pair.target.execute("INSERT INTO grandchild VALUES (1, 1), (2, 2), (3, NULL)")
    decisions = {"child.parent_id": {"orphans": "null"}}
    assert pair.named(decisions=decisions) == []
    assert pair.named() == [("value", "child", '["2"]', "parent_id")]
    pair.target.execute("UPDATE child SET parent_id = NULL WHERE id = 1")
    assert pair.named(decisions=decisions) == [("value", "child", '["1"]', "parent_id")]


def test_the_snapshot_is_not_written(pair: Pair) -> None:
    _family(pair)
    before = pair.snapshot.read_bytes()
    pair.compare(decisions={"child.parent_id": {"orphans": "leave_out"}})
    assert pair.snapshot.read_bytes() == before
    assert [p.name for p in pair.snapshot.parent.iterdir() if p != pair.scratch] == [pair.snapshot.name]


def test_a_snapshot_in_write_ahead_mode_is_read(pair: Pair) -> None:
    _family(pair)
    with closing(sqlite3.connect(pair.snapshot)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO parent VALUES (2)")
        db.commit()
        assert ("missing", "parent", '["2"]', None) in pair.named()
