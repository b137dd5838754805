"""Rows that are missing, extra or doubled, in tables with every sort of key and with none."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.verifying.conftest import Pair
from wizard.context import Cancel
from wizard.errors import NotAsPlanned, Stopped
from wizard.events import Progress
from wizard.verifying import source_reader

WORDS = ["", " ", "A", "Z", "a", "ab", "a b", "aB", "z", "~", "é", "ß", "ü", "日本", "\U0001f642", "\uffee"]


def _fill(pair: Pair, ddl: str, rows: list[tuple[object, ...]], target_ddl: str | None = None) -> None:
    pair.source(ddl, rows={"t": rows})
    pair.target.execute(target_ddl or ddl)
    marks = ", ".join(["%s"] * len(rows[0]))
    with pair.target.cursor() as cursor:
        cursor.executemany(f"INSERT INTO t VALUES ({marks})", rows)


def test_missing_and_extra_rows_are_named_by_their_keys(pair: Pair) -> None:
    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v text)", [(n, f"v{n}") for n in range(1, 5001)])
    assert pair.named() == []
    pair.target.execute("DELETE FROM t WHERE id IN (1, 2500, 5000)")
    pair.target.execute("INSERT INTO t VALUES (0, 'x'), (-7, 'y'), (9000, 'z')")
    assert sorted(pair.named()) == [
        ("extra", "t", '["-7"]', None),
        ("extra", "t", '["0"]', None),
        ("extra", "t", '["9000"]', None),
        ("missing", "t", '["1"]', None),
        ("missing", "t", '["2500"]', None),
        ("missing", "t", '["5000"]', None),
    ]


def test_a_shifted_column_is_counted_in_full_and_kept_in_part(pair: Pair) -> None:
    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v integer)", [(n, n) for n in range(3000)])
    pair.target.execute("UPDATE t SET v = v + 1")
    found = pair.compare()
    assert (found.total, len(found.differences)) == (3000, 1000)


@pytest.mark.parametrize("change", ["value", "missing", "extra"])
def test_text_keys_are_joined_by_their_bytes(pair: Pair, change: str) -> None:
    _fill(pair, "CREATE TABLE t (k text PRIMARY KEY, v integer)", [(w, i) for i, w in enumerate(WORDS)])
    assert pair.named() == []
    if change == "value":
        pair.target.execute("UPDATE t SET v = 99 WHERE k = 'é'")
        assert pair.named() == [("value", "t", '["é"]', "v")]
    elif change == "missing":
        pair.target.execute("DELETE FROM t WHERE k = 'aB'")
        assert pair.named() == [("missing", "t", '["aB"]', None)]
    else:
        pair.target.execute("INSERT INTO t VALUES ('ab ', 5)")
        assert pair.named() == [("extra", "t", '["ab "]', None)]


def test_uuid_keys_in_mixed_spelling_and_composite_keys_are_joined(pair: Pair) -> None:
    ids = [uuid.UUID(int=n * 7919 << 96) for n in range(50)]
    rows = [(u.hex.upper() if n % 3 else str(u), n % 4, f"v{n}") for n, u in enumerate(ids)]
    pair.source("CREATE TABLE t (u char(36), n integer, v text, PRIMARY KEY (u, n))", rows={"t": rows})
    pair.target.execute("CREATE TABLE t (u uuid, n integer, v text, PRIMARY KEY (u, n))")
    for n, u in enumerate(ids):
        pair.target.execute("INSERT INTO t VALUES (%s, %s, %s)", (u, n % 4, f"v{n}"))
    assert pair.named() == []
    pair.target.execute("UPDATE t SET v = 'other' WHERE u = %s", (ids[9],))
    pair.target.execute("DELETE FROM t WHERE u = %s", (ids[11],))
    assert sorted(pair.named()) == [
        ("missing", "t", f'["{ids[11]}","3"]', None),
        ("value", "t", f'["{ids[9]}","1"]', "v"),
    ]


def test_a_key_that_the_two_sides_sort_differently_is_still_joined(pair: Pair) -> None:
    ddl = "CREATE TABLE t (k {} PRIMARY KEY, v text)"
    rows = [("10.50", "a"), ("9.25", "b"), ("100.00", "c"), ("-1.00", "d")]
    _fill(pair, ddl.format("text"), rows, ddl.format("numeric(8,2)"))
    assert pair.named() == []
    pair.target.execute("UPDATE t SET v = 'x' WHERE k = 9.25")
    pair.target.execute("DELETE FROM t WHERE k = 100")
    pair.target.execute("INSERT INTO t VALUES (7, 'e')")
    assert sorted(pair.named()) == [
        ("extra", "t", '["7.00"]', None),
        ("missing", "t", '["100.00"]', None),
        ("value", "t", '["9.25"]', "v"),
    ]


def test_a_table_without_a_key_is_a_multiset(pair: Pair) -> None:
    _fill(pair, "CREATE TABLE t (a text, b integer)", [("x", 1), ("x", 1), ("y", 2), ("z", None)])
    assert pair.named() == []
    pair.target.execute("INSERT INTO t VALUES ('y', 2)")
    (difference,) = pair.compare().differences
    assert (difference.kind, difference.target) == ("doubled", '["y","2"]')
    assert difference.detail == "1 times in the source, 2 times in the target"
    pair.target.execute("DELETE FROM t WHERE a = 'y'")
    (difference,) = pair.compare().differences
    assert (difference.kind, difference.source) == ("missing", '["y","2"]')
    pair.target.execute("INSERT INTO t VALUES ('y', 2)")
    pair.target.execute("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 'x')")
    (difference,) = pair.compare().differences
    assert difference.detail == "2 times in the source, 1 times in the target"
    pair.target.execute("INSERT INTO t VALUES ('x', 1), ('z', 0)")
    pair.target.execute("DELETE FROM t WHERE b IS NULL")
    assert [(d.kind, d.source or d.target) for d in pair.compare().differences] == [
        ("missing", '["z",null]'),
        ("extra", '["z","0"]'),
    ]


def test_a_row_doubled_where_the_target_lost_its_key_is_named(pair: Pair) -> None:
    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v text)", [(1, "a"), (2, "b"), (3, "c")])
    pair.target.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    pair.target.execute("INSERT INTO t VALUES (2, 'b')")
    assert pair.named() == [("doubled", "t", '["2"]', None)]


def test_tables_and_columns_that_one_side_lacks_are_told(pair: Pair) -> None:
    pair.source(
        "CREATE TABLE only_source (id integer PRIMARY KEY)",
        "CREATE TABLE t (id integer PRIMARY KEY, a text, b text, c text GENERATED ALWAYS AS (a || b) STORED)",
        "INSERT INTO t (id, a, b) VALUES (1, 'x', 'y')",
        "CREATE TABLE django_migrations (id integer PRIMARY KEY, name text)",
        "INSERT INTO django_migrations VALUES (1, 'differs')",
    )
    pair.source(
        "CREATE VIRTUAL TABLE words USING fts5(body)", "INSERT INTO words VALUES ('left where it is')"
    )
    pair.target.execute("CREATE TABLE t (id integer PRIMARY KEY, a text, c text, d text)")
    pair.target.execute("INSERT INTO t VALUES (1, 'x', 'wrong', 'd')")
    pair.target.execute("CREATE TABLE only_target (id integer)")
    pair.target.execute("INSERT INTO only_target VALUES (1)")
    assert sorted(pair.named(skip=("django_migrations",))) == [
        ("column", "t", "", "b"),
        ("table", "only_source", "", None),
        ("value", "t", '["1"]', "c"),
    ]
    assert pair.compare(skip=("django_migrations",)).notes == (
        "t: only the target has d",
        "only_target: a table of the target with 1 rows that the source does not have",
    )


def test_wide_rows_are_read_in_small_batches(pair: Pair) -> None:
    rows = [(n, "x" * 300_000) for n in range(40)]
    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v text)", rows)
    with source_reader.open_snapshot(pair.snapshot) as source:
        (table,) = source_reader.tables(source)
        sizes = [
            len(b)
            for b in source_reader.read_rows(
                source, table, ("id", "v"), ("id",), source_reader.Orphans(), False
            )
        ]
    assert max(sizes) * 300_000 <= source_reader.BATCH_BYTES
    assert pair.named() == []


def test_a_stop_is_obeyed_and_the_connection_stays_usable(pair: Pair) -> None:
    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v text)", [(n, "v" * 500) for n in range(20_000)])
    cancel = Cancel()
    told: list[int] = []
    with source_reader.open_snapshot(pair.snapshot):
        cancel.ask()
        with pytest.raises(Stopped):
            pair.compare(cancel=cancel)
    assert pair.target.execute("SELECT count(*) FROM t").fetchone() == (20_000,)
    assert pair.named() == []
    told = [e.done for e in pair.events if isinstance(e, Progress) and e.unit == "rows"]
    assert told[-1] == 20_000
    assert not list(pair.scratch.iterdir())


def test_a_damaged_snapshot_is_an_error_that_says_so(pair: Pair) -> None:
    pair.snapshot.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    with pytest.raises(NotAsPlanned, match="cannot be read"):
        pair.compare()


@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_random_changes_are_exactly_what_is_found(pair: Pair, data: st.DataObject) -> None:
    """Any set of changed, deleted and added rows is reported, and nothing else."""
    kind, keys = data.draw(
        st.sampled_from(
            [
                ("integer", st.integers(-(2**31), 2**31 - 1)),
                ("text", st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)),
                ("date", st.dates().map(str)),
            ]
        )
    )
    every = data.draw(st.lists(keys, unique=True, min_size=3, max_size=12))
    values = st.one_of(
        st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
    )
    rows = [(k, data.draw(values)) for k in every[: len(every) // 3 * 2]]
    pair.source("DROP TABLE IF EXISTS t", f"CREATE TABLE t (k {kind} PRIMARY KEY, v text)", rows={"t": rows})
    pair.target.execute("DROP TABLE IF EXISTS t")
    pair.target.execute(f"CREATE TABLE t (k {kind} PRIMARY KEY, v text)")
    expected = set()
    for key, value in rows:
        fate = data.draw(st.sampled_from(["same", "same", "missing", "changed"]))
        name = pair.target.execute(f"SELECT %s::{kind}::text", (key,)).fetchone()
        assert name is not None
        if fate == "missing":
            expected.add(("missing", name[0], None))
            continue
        if fate == "changed":
            value = (value or "") + "!"
            expected.add(("value", name[0], "v"))
        pair.target.execute("INSERT INTO t VALUES (%s, %s)", (key, value))
    for key in every[len(every) // 3 * 2 :]:
        pair.target.execute("INSERT INTO t VALUES (%s, 'new')", (key,))
        name = pair.target.execute(f"SELECT %s::{kind}::text", (key,)).fetchone()
        assert name is not None
        expected.add(("extra", name[0], None))
    found = {(kind, json.loads(key)[0], column) for kind, _, key, column in pair.named()}
    assert found == expected


def test_a_lost_connection_is_told_as_such(pair: Pair, database_url: object) -> None:
    from wizard.errors import ConnectionLost

    _fill(pair, "CREATE TABLE t (id integer PRIMARY KEY, v text)", [(1, "a")])
    pid = pair.target.info.backend_pid
    with psycopg.connect(database_url.reveal(), autocommit=True) as other:  # type: ignore[attr-defined]
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(ConnectionLost):
        pair.compare()


def test_nothing_is_passed_over_but_what_the_caller_names(pair: Pair) -> None:
    """A history of migrations is copied where the schema is derived, and a table may be named like the
    inside of a search index that it does not belong to."""
    pair.source(
        "CREATE TABLE django_migrations (id integer PRIMARY KEY, name text)",
        "CREATE VIRTUAL TABLE post USING fts4(body)",
        "CREATE TABLE post_data (id integer PRIMARY KEY, name text)",
        "CREATE TABLE gone (id integer PRIMARY KEY)",
        "CREATE TABLE search (id integer PRIMARY KEY, body text)",
        rows={
            "search": [(1, "a")],
            "django_migrations": [(1, "a")],
            "post_data": [(1, "a")],
            "gone": [(1,), (2,)],
        },
    )
    for table in ("django_migrations", "post_data"):
        pair.target.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, name text)")
        pair.target.execute(f"INSERT INTO {table} VALUES (1, 'b')")
    pair.target.execute("CREATE TABLE search (id integer PRIMARY KEY, vector tsvector)")
    left = {"gone": {"missing_table": "leave"}, "search": {"other_columns": "leave"}}
    assert pair.named(decisions=left) == [
        ("value", "django_migrations", '["1"]', "name"),
        ("value", "post_data", '["1"]', "name"),
    ]
    found = pair.compare(decisions=left)
    assert found.tables == 3
    assert found.notes == (
        "gone: stays at the source with its 2 rows, as decided",
        "search: not carried over, as decided; the app must build it again",
    )
    assert ("table", "gone", "", None) in pair.named()


def test_the_target_numbers_its_own_bookkeeping(pair: Pair) -> None:
    pair.source(
        "CREATE TABLE django_migrations (id integer PRIMARY KEY AUTOINCREMENT, name text)",
        rows={"django_migrations": [(34, "of an app that is gone")]},
    )
    pair.target.execute("CREATE TABLE django_migrations (id serial PRIMARY KEY, name text)")
    pair.target.execute("INSERT INTO django_migrations (name) VALUES ('a')")
    assert pair.named(skip=("django_migrations",)) == []
