"""Values with a before-image: the source's before, the target's after, and nothing changed but links."""

from __future__ import annotations

import json

import pytest

from tests.verifying.conftest import Pair
from wizard.databases.postgres import record
from wizard.verifying.rewrites import is_rewrite

BASE = "https://cdn.example.org/m"
BEFORE = 'See <img src="/media/a b/é.png"> and https://app.example.org/media/x.pdf, 100% sure'
AFTER = f'See <img src="{BASE}/a%20b/%C3%A9.png"> and {BASE}/x.pdf, 100% sure'


@pytest.fixture
def rewritten(pair: Pair) -> Pair:
    rows = [(1, "plain"), (2, BEFORE), (3, "other")]
    pair.source("CREATE TABLE t (id integer PRIMARY KEY, body text)", rows={"t": rows})
    with pair.target.cursor() as cursor:
        record.create_schema(cursor)
        cursor.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
        cursor.executemany("INSERT INTO t VALUES (%s, %s)", rows)
        cursor.execute("UPDATE t SET body = %s WHERE id = 2", (AFTER,))
        cursor.execute(
            "INSERT INTO ashore.before_image VALUES ('r', 't', 'body', %s, %s, %s)",
            (json.dumps([2]), BEFORE, AFTER),
        )
    return pair


def test_a_recorded_rewrite_is_no_difference(rewritten: Pair) -> None:
    assert rewritten.named(run="r", bases=(BASE + "/",)) == []


def test_without_the_record_it_is_one(rewritten: Pair) -> None:
    assert rewritten.named(run="another", bases=(BASE + "/",)) == [("value", "t", '["2"]', "body")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET body = body || '.' WHERE id = 2",
        f"UPDATE t SET body = '{BEFORE}' WHERE id = 2",
        "UPDATE t SET body = NULL WHERE id = 2",
        "UPDATE ashore.before_image SET before = before || '.'",
        "UPDATE ashore.before_image SET after = after || '.'",
    ],
)
def test_what_is_not_as_recorded_is_named(rewritten: Pair, statement: str) -> None:
    rewritten.target.execute(statement.encode())
    assert rewritten.named(run="r", bases=(BASE + "/",)) == [("rewrite", "t", '["2"]', "body")]


def test_a_rewrite_that_changed_more_than_links_is_named(rewritten: Pair) -> None:
    wrong = AFTER.replace("100%", "99%")
    rewritten.target.execute("UPDATE t SET body = %s WHERE id = 2", (wrong,))
    rewritten.target.execute("UPDATE ashore.before_image SET after = %s", (wrong,))
    (difference,) = rewritten.compare(run="r", bases=(BASE + "/",)).differences
    assert difference.detail == "more than links to stored files was changed"


def test_a_record_for_a_row_that_is_not_there_is_named(rewritten: Pair) -> None:
    rewritten.target.execute("UPDATE ashore.before_image SET key = '[\"77\"]'")
    assert sorted(rewritten.named(run="r", bases=(BASE + "/",))) == [
        ("rewrite", "t", '["77"]', "body"),
        ("value", "t", '["2"]', "body"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "right"),
    [
        ("/media/a.png", f"{BASE}/a.png", True),
        ("media/a.png", f"{BASE}/a.png", True),
        ("//host.example/media/a.png", f"{BASE}/a.png", True),
        ("/media/a b.png", f"{BASE}/a%20b.png", True),
        ("![x](/media/a.png) ![y](/media/b.png)", f"![x]({BASE}/a.png) ![y]({BASE}/b.png)", True),
        ("/media/a&amp;b.png", f"{BASE}/a%26b.png", True),
        ('{"u": "\\/media\\/caf\\u00e9.png"}', f'{{"u": "{BASE}/caf%C3%A9.png"}}'.replace("/", "\\/"), True),
        ("/media/cafe\u0301.png", f"{BASE}/caf%C3%A9.png", True),
        (f"{BASE}/old.png /media/a.png", f"{BASE}/old.png {BASE}/a.png", True),
        ("x=/media/a.png," * 300, f"x={BASE}/a.png," * 300, True),
        ("x=/media/a.png," * 300, f"x={BASE}/a.png," * 299, False),
        ("/media/a.png", f"{BASE}/b.png", False),
        ("/media/a.png", f"{BASE}/a.png?x", False),
        ("/media/a.png", "/media/a.png", False),
        ("/media/a.png /media/b.png", f"{BASE}/b.png {BASE}/a.png", False),
        ("text /media/a.png", f"{BASE}/a.png", False),
        ("/media/a.png", "https://elsewhere.example/a.png", False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_rewrite_is_judged_by_undoing_it(before: str, after: str, right: bool) -> None:
    assert is_rewrite(before, after, (BASE + "/",)) is right
