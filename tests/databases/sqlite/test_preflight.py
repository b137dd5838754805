"""The preflight names what cannot be carried exactly, and nothing else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from wizard.context import Cancel
from wizard.databases.sqlite.preflight import examine
from wizard.decisions import undecided
from wizard.errors import Stopped
from wizard.model import Decision


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "base.sqlite3"


def fill(path: Path, *statements: str | tuple[str, list[tuple[object, ...]]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        if isinstance(statement, str):
            connection.execute(statement)
        else:
            connection.executemany(*statement)
    connection.close()


def found(path: Path, **options: bool) -> dict[tuple[str, str], Decision]:
    return {(d.subject, d.code): d for d in examine(path, {}, **options)}


def counts(path: Path, **options: bool) -> dict[tuple[str, str], tuple[int, tuple[str, ...]]]:
    return {k: (d.count, d.keys) for k, d in found(path, **options).items()}


def test_a_clean_django_like_table_needs_no_decision(path: Path) -> None:
    fill(
        path,
        """CREATE TABLE "blog_post" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "title" varchar(9) NOT NULL,
        "done" bool NOT NULL, "at" datetime NULL, "day" date NULL, "tod" time NULL, "price" decimal NULL,
        "big" bigint, "took" bigint, "uid" char(32), "raw" BLOB, "score" real,
        "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)))""",
        (
            f"INSERT INTO blog_post VALUES ({', '.join('?' * 13)})",
            [
                (None, "naïve 日本語", 1, "2024-02-29 23:59:59.123456", "2024-02-29", "12:00:00.5", 1.25,
                 2**63 - 1, -5, "0" * 32, b"\0\xff", 3, '{"a": [1, "\\u00e9", "😀"]}'),
                (None, "", 0, "2024-02-29T23:59:59Z", None, None, 7, None, None, None, None, 0.5, "null"),
                (None, "x", 0, "2024-02-29 23:59:59+00:00", None, None, None, None, None, "", b"", None, "5"),
            ],
        ),
    )  # fmt: skip
    assert counts(path) == {}


def test_text_faults_are_counted_with_keys(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT, n INT)",
        (
            "INSERT INTO t (body) VALUES (CAST(? AS TEXT))",
            [(b"fine",), (b"a\0b",), (b"caf\xe9 x",), (b"\x80",)],
        ),
        ("INSERT INTO t (body) VALUES (?)", [("grüße",), ("end\0",)]),
    )
    seen = found(path)
    assert counts(path) == {
        ("t.body", "nul_bytes"): (2, ("2", "6")),
        ("t.body", "invalid_utf8"): (2, ("3", "4")),
    }
    assert [c.name for c in seen["t.body", "nul_bytes"].choices] == ["strip", "replace"]
    assert counts(path, judge_types=False) == counts(path)


def test_values_of_the_wrong_class(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, flag bool, n integer NOT NULL, r real, d decimal(5,2),"
        " at datetime, day date, tod time, s varchar(3), b blob, u uuid, j json)",
        ("INSERT INTO t (n) VALUES (?)", [(1,), ("",), (1.5,), ("seven",), (b"1",)]),
        "INSERT INTO t (n, flag) VALUES (1, 2), (1, 'yes'), (1, 1)",
        "INSERT INTO t (n, r, d) VALUES (1, 'fast', '1,5')",
        "INSERT INTO t (n, at, day, tod) VALUES (1, '2023-02-30 10:00:00', '2023-1-1', '25:00')",
        "INSERT INTO t (n, at, day, tod) VALUES (1, 1700000000000, '0000-00-00', '')",
        "INSERT INTO t (n, s, b) VALUES (1, 'four', 'text'), (1, X'00', X'00')",
        "INSERT INTO t (n, u, j) VALUES (1, 'no uuid', '{a: 1}')",
    )
    seen = found(path)
    assert {k: d.count for k, d in seen.items()} == {
        ("t.at", "epoch"): 1,
        ("t.n", "wrong_type"): 4,
        ("t.flag", "wrong_type"): 2,
        ("t.r", "wrong_type"): 1,
        ("t.d", "wrong_type"): 1,
        ("t.at", "wrong_type"): 1,
        ("t.day", "wrong_type"): 2,
        ("t.tod", "wrong_type"): 2,
        ("t.s", "too_long"): 1,
        ("t.s", "wrong_type"): 1,
        ("t.b", "wrong_type"): 1,
        ("t.u", "wrong_type"): 1,
        ("t.j", "wrong_type"): 1,
    }
    assert seen["t.n", "wrong_type"].keys == ("2", "3", "4", "5")
    assert seen["t.n", "wrong_type"].choices == ()  # NOT NULL: no way to carry it
    assert [c.name for c in seen["t.flag", "wrong_type"].choices] == ["null"]
    assert counts(path, judge_types=False) == {}


def test_json_that_jsonb_would_change(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, j text CHECK (json_valid(j)))",
        (
            "INSERT INTO t (j) VALUES (?)",
            [
                ('{"a": 1, "a": 2}',),
                ('[{"b": {"c": 1, "c": 1}}]',),
                ('"\\u0000"',),
                ('{"\\ud800": 1}',),
                ('"\\ud83d\\ude00 \\\\u0000"',),
            ],
        ),
    )
    assert counts(path) == {
        ("t.j", "json_duplicate_keys"): (2, ("1", "2")),
        ("t.j", "json_nul"): (1, ("3",)),
        ("t.j", "json_surrogates"): (1, ("4",)),
    }


def test_orphans_and_what_may_be_done_with_them(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE author (id INTEGER PRIMARY KEY)",
        "CREATE TABLE post (id INTEGER PRIMARY KEY, author_id INT NOT NULL REFERENCES author,"
        " up INT REFERENCES post)",
        "CREATE TABLE tag (post_id INT NOT NULL REFERENCES post (id), x REFERENCES nowhere (id))",
        "INSERT INTO author VALUES (1)",
        "INSERT INTO post VALUES (1, 1, NULL), (2, 9, NULL), (3, 1, 77)",
        "INSERT INTO tag VALUES (1, NULL), (55, NULL)",
    )
    seen = found(path)
    assert {k: (d.count, d.keys, [c.name for c in d.choices]) for k, d in seen.items()} == {
        ("post.author_id", "orphans"): (1, ("2",), ["leave_out"]),
        ("post.up", "orphans"): (1, ("3",), ["null", "leave_out"]),
        ("tag.post_id", "orphans"): (1, ("rowid 2",), ["leave_out"]),
    }
    fill(path, "INSERT INTO tag VALUES (2, NULL)")
    assert "Rows of tag refer to them" in found(path)["post.author_id", "orphans"].message


def test_what_does_not_move_is_named(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, body)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE search USING fts5(body)",
    )
    assert set(counts(path)) == {("view:v", "view"), ("trigger:g", "trigger"), ("search", "virtual_table")}


def test_answers_decide_and_wrong_ones_do_not(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (a TEXT, b TEXT)",
        ("INSERT INTO t VALUES (?, ?)", [("\0", "\0")]),
    )
    decisions = examine(path, {"t.a": {"nul_bytes": "strip"}, "t.b": {"nul_bytes": "ignore"}})
    assert [d.chosen for d in decisions] == ["strip", "ignore"]
    assert [d.subject for d in undecided(decisions)] == ["t.b"]
    assert examine(path, {}, skip_tables=("t",)) == ()


def test_a_null_where_none_may_be_is_found_although_sqlite_denies_it(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "INSERT INTO t (a) VALUES (NULL), ('x')",
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL)'",
    )
    assert counts(path) == {("t.a", "null_in_not_null"): (1, ("1",))}


def test_a_stop_is_obeyed(path: Path) -> None:
    fill(path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('é')")
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Stopped):
        examine(path, {}, cancel=cancel)


def test_a_key_on_columns_that_do_not_exist_makes_no_orphans(path: Path) -> None:
    fill(
        path,
        "CREATE TABLE category (id integer PRIMARY KEY)",
        "CREATE TABLE product (id integer PRIMARY KEY, kind integer REFERENCES category (category_id))",
        "INSERT INTO product VALUES (1, 7)",
    )
    assert examine(path, {}, judge_types=False) == ()
