"""What recheck finds before the first row is written, and that decisions are carried out."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases.contexts import build, context, rows
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.errors import Undecided, UsageError
from wizard.steps import constraints, copy, provision, recheck

SOURCE = """
CREATE TABLE parent (id integer PRIMARY KEY, code text);
CREATE TABLE child (id integer PRIMARY KEY, parent integer, must integer, price decimal, name varchar(3), data text,
                    number integer, note text, at datetime);
INSERT INTO parent VALUES (1, 'a'), (2, 'a');
INSERT INTO child VALUES (1, 1, 1, 1.25, 'abc', '{}', 1, 'fine', '2024-01-01 00:00:00'),
 (2, 9, NULL, 1.255, 'abcd', '{"a":1,"a":2}', 'x', 'a' || char(0) || 'b', 5),
 (3, NULL, 1, 1.265, 'abc ', '"\\u0000"', 99999999999, CAST(x'ff' AS text), NULL);
"""
TARGET = """
CREATE TABLE parent (id integer PRIMARY KEY, code text UNIQUE);
CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent, must integer NOT NULL, price numeric(5,2),
                    name varchar(3), data jsonb, number integer, note text, at timestamptz);
"""


def ready(tmp_path: Path, url: Secret, source: str, target: str, **decisions: dict[str, str]) -> RunContext:
    ctx = context(tmp_path, url, source, decisions=decisions)
    provision.run(ctx)
    build(ctx, target)
    return ctx


def test_every_fault_is_named_with_count_and_keys_before_a_row_is_written(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = ready(tmp_path, database_url, SOURCE, TARGET)
    with pytest.raises(Undecided) as undecided:
        recheck.run(ctx)
    found = {
        (d["subject"], d["code"]): (d["count"], d["keys"], [c["name"] for c in d["choices"]])
        for d in ctx.journal.get("recheck", "decisions") or []
    }
    assert found == {
        ("child.parent", "orphans"): (1, ["2"], ["null", "leave_out"]),
        ("child.must", "null_in_not_null"): (1, ["2"], []),
        ("child.price", "beyond_scale"): (2, ["2", "3"], ["round"]),
        ("child.name", "too_long"): (2, ["2", "3"], ["truncate"]),
        ("child.data", "json_duplicate_keys"): (1, ["2"], ["last"]),
        ("child.data", "json_nul"): (1, ["3"], ["strip"]),
        ("child.number", "wrong_type"): (1, ["2"], ["null"]),
        ("child.number", "out_of_range"): (1, ["3"], ["null"]),
        ("child.note", "nul_bytes"): (1, ["2"], ["strip", "replace"]),
        ("child.note", "invalid_utf8"): (1, ["3"], ["replace", "latin1"]),
        ("child.at", "epoch"): (1, ["2"], ["milliseconds", "seconds", "null"]),
        ("parent.code", "not_unique"): (1, ["1", "2"], []),
    }
    assert undecided.value.exit_code == 2
    for subject, code in found:
        assert subject in undecided.value.message and code in undecided.value.message
    assert rows(database_url, "SELECT count(*) FROM ashore.progress") == [(0,)]


def test_decisions_are_carried_out(tmp_path: Path, database_url: Secret) -> None:
    ctx = ready(
        tmp_path,
        database_url,
        SOURCE,
        TARGET.replace("integer NOT NULL", "integer").replace("UNIQUE", ""),
        **{
            "child.parent": {"orphans": "null"},
            "child.price": {"beyond_scale": "round"},
            "child.name": {"too_long": "truncate"},
            "child.data": {"json_duplicate_keys": "last", "json_nul": "strip"},
            "child.number": {"wrong_type": "null", "out_of_range": "null"},
            "child.note": {"nul_bytes": "replace", "invalid_utf8": "latin1"},
            "child.at": {"epoch": "null"},
        },
    )
    recheck.run(ctx)
    copy.run(ctx)
    constraints.run(ctx)
    assert rows(
        database_url,
        "SELECT id, parent, price::text, name, data::text, number, note, at IS NULL FROM child ORDER BY id",
    ) == [
        (1, 1, "1.25", "abc", "{}", 1, "fine", False),
        (2, None, "1.26", "abc", '{"a": 2}', None, "a\ufffdb", True),
        (3, None, "1.27", "abc", '""', None, "ÿ", True),
    ]


def test_rows_left_out_take_their_children_into_account(tmp_path: Path, database_url: Secret) -> None:
    source = (
        "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY, a integer);"
        "CREATE TABLE c (id integer PRIMARY KEY, b integer);"
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1), (2, 7); INSERT INTO c VALUES (1, 1), (2, 2);"
    )
    target = (
        "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);"
        "CREATE TABLE c (id integer PRIMARY KEY, b integer NOT NULL REFERENCES b);"
    )
    ctx = ready(tmp_path, database_url, source, target, **{"b.a": {"orphans": "leave_out"}})
    with pytest.raises(Undecided, match=r"c\.b \[orphans\]"):
        recheck.run(ctx)
    again = context(
        tmp_path / "again",
        database_url,
        source,
        decisions={"b.a": {"orphans": "leave_out"}, "c.b": {"orphans": "leave_out"}},
        run="again",
    )
    provision.run(again)
    build(again, "SELECT 1")
    recheck.run(again)
    copy.run(again)
    constraints.run(again)
    assert rows(database_url, "SELECT (SELECT count(*) FROM b), (SELECT count(*) FROM c)") == [(1, 1)]


def test_tables_and_columns_that_do_not_match_are_named(tmp_path: Path, database_url: Secret) -> None:
    ctx = context(
        tmp_path,
        database_url,
        "CREATE TABLE one (id integer PRIMARY KEY, old text); CREATE TABLE two (id integer PRIMARY KEY);"
        "CREATE TABLE calc (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2));"
        "INSERT INTO calc VALUES (4);",
    )
    provision.run(ctx)
    with pytest.raises(UsageError) as mismatch:
        build(
            ctx,
            "CREATE TABLE one (id integer PRIMARY KEY, new text NOT NULL);"
            "CREATE TABLE calc (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED)",
        )
    assert mismatch.value.code == "schema-mismatch"
    for named in ("table two is missing", "column one.old is missing", "column one.new is required"):
        assert named in mismatch.value.message
    assert "calc" not in mismatch.value.message


def test_texts_that_only_the_target_takes_for_the_same_are_found(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = ready(
        tmp_path,
        database_url,
        "CREATE TABLE tag (id integer PRIMARY KEY, code char(4) UNIQUE, other text);"
        "INSERT INTO tag VALUES (1, 'ab', 'x'), (2, 'ab ', 'y'), (3, 'b', 'x'), (4, NULL, 'x');",
        "CREATE TABLE tag (id integer PRIMARY KEY, code char(4) UNIQUE, other text);",
        **{"tag.code": {"too_long": "truncate"}},
    )
    with pytest.raises(Undecided, match=r"(?s)tag\.code \[not_unique\].*keys: 2\n"):
        recheck.run(ctx)
    assert rows(database_url, "SELECT count(*) FROM pg_class WHERE relname = 'ashore_keys'") == [(0,)]


def test_numbers_too_wide_for_the_column_are_told_with_what_would_hold_them(
    tmp_path: Path, database_url: Secret
) -> None:
    source = "CREATE TABLE contact (id integer PRIMARY KEY, phone integer NOT NULL); INSERT INTO contact VALUES (1, 9876543210);"
    target = "CREATE TABLE contact (id integer PRIMARY KEY, phone integer NOT NULL);"
    with pytest.raises(Undecided, match="BigIntegerField"):
        recheck.run(ready(tmp_path, database_url, source, target))
