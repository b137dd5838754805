"""Random expressions: where one is translated, PostgreSQL says of every row what SQLite says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wizard.credentials import Secret
from wizard.databases import derive_types as types
from wizard.databases.derive_expressions import computed, expression
from wizard.databases.sqlite.sqltext import tokens
from wizard.demo import embedded

pytestmark = pytest.mark.xdist_group("torture")
COLUMNS = {"a": types.BIGINT, "b": types.BIGINT, "s": types.TEXT, "u": types.TEXT, "f": types.BOOLEAN}
NUMBERS, WORDS = [None, -7, 0, 1, 5], [None, "", "a", "B", "é", "É", "zz ", "A_b"]
ROWS = [
    (a, b, s, u, f)
    for place, (a, s) in enumerate((a, s) for a in NUMBERS for s in WORDS)
    for b, u, f in [(NUMBERS[place * 3 % 5], WORDS[place * 5 % 8], [None, 0, 1][place % 3])]
]

number = st.deferred(
    lambda: (
        st.sampled_from(["a", "b", "0", "1", "5", "-2", "length(s)"])
        | st.builds("{} {} {}".format, number, st.sampled_from("+-*"), number)
        | st.builds("abs({})".format, number)
        | st.builds("({})".format, number)
    )
)
text = st.deferred(
    lambda: (
        st.sampled_from(["s", '"U"', "'a'", "'É'", "''"])
        | st.builds("{}({})".format, st.sampled_from(["lower", "UPPER"]), text)
        | st.builds("{} || {}".format, text, text)
    )
)
sign = st.sampled_from(["=", "==", "<>", "!=", "<", "<=", ">", ">="])
either = number | text
test = (
    st.builds("{} {} {}".format, either, sign, either)
    | st.builds("{} {} {}".format, text, sign, text)
    | st.builds("{} {}BETWEEN {} AND {}".format, either, st.sampled_from(["", "NOT "]), either, either)
    | st.builds("{} {}IN ({}, {})".format, either, st.sampled_from(["", "NOT "]), either, either)
    | st.builds("{} {}".format, st.sampled_from(["a", "s", "f"]), st.sampled_from(["IS NULL", "NOTNULL"]))
    | st.sampled_from(["f", "f = 1", "f IS 0", "f <> 1", "f IN (0, 1)", "NOT f"])
)
condition = st.deferred(
    lambda: (
        test
        | st.builds("{} {} {}".format, condition, st.sampled_from(["AND", "OR"]), condition)
        | st.builds("{}({})".format, st.sampled_from(["", "NOT "]), condition)
    )
)
many = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def both(postgres_server: embedded.Postgres) -> Iterator[tuple[sqlite3.Connection, psycopg.Connection]]:
    url: Secret = postgres_server.database("expressions")
    with (
        closing(sqlite3.connect(":memory:")) as source,
        psycopg.connect(url.reveal(), autocommit=True) as there,
    ):
        source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT, s TEXT, u TEXT, f BOOLEAN)")
        there.execute("CREATE TABLE t (id bigint, a bigint, b bigint, s text, u text, f boolean)")
        for place, row in enumerate(ROWS):
            source.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", (place, *row))
            flag = None if row[4] is None else bool(row[4])
            there.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)", (place, *row[:4], flag))
        yield source, there


def here(source: sqlite3.Connection, words: str) -> list[Any]:
    return [v for (v,) in source.execute(f"SELECT {words} FROM t ORDER BY id")]


def there(target: psycopg.Connection, words: str) -> list[Any] | None:
    """None where the server does not take it: then it is named as left behind."""
    try:
        return [v for (v,) in target.execute(f"SELECT {words} FROM t ORDER BY id".encode())]
    except (psycopg.ProgrammingError, psycopg.DataError):
        return None


@many
@given(words=condition)
def test_conditions(both: tuple[sqlite3.Connection, psycopg.Connection], words: str) -> None:
    translated = expression(list(tokens(words)), COLUMNS, exact=True)
    if translated is not None and (found := there(both[1], translated)) is not None:
        assert found == [None if v is None else bool(v) for v in here(both[0], words)], translated


@many
@given(words=either)
def test_computed_values(both: tuple[sqlite3.Connection, psycopg.Connection], words: str) -> None:
    for type_ in (types.BIGINT, types.TEXT):
        translated = computed(list(tokens(words)), COLUMNS, type_)
        if translated is not None and (found := there(both[1], translated)) is not None:
            assert found == here(both[0], words), translated


def test_what_is_usual_is_translated() -> None:
    for words in (
        "a > 0 AND b <> 5",
        "length(s) BETWEEN 1 AND 5",
        "s IN ('a', 'b') OR s IS NULL",
        "f IN (0, 1)",
    ):
        assert expression(list(tokens(words)), COLUMNS, exact=True) is not None
    assert computed(list(tokens("a * b + 1")), COLUMNS, types.BIGINT) is not None
    assert computed(list(tokens("lower(s) || '!'")), COLUMNS, types.TEXT) is not None
