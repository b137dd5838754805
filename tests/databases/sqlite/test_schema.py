"""The schema reader knows what SQLite allows, under any name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from wizard.databases.sqlite.schema import ForeignKey, fingerprint, read_schema, row_counts


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_any_name_survives(db: sqlite3.Connection) -> None:
    name = 'Order "of" the [day]; -- `x`'
    quoted = '"' + name.replace('"', '""') + '"'
    db.execute(f"CREATE TABLE {quoted} ({quoted} INTEGER PRIMARY KEY, \"select\" text DEFAULT 'a, b)')")
    db.execute(f'CREATE UNIQUE INDEX "Größe ""1""" ON {quoted} ("select" DESC)')
    db.execute(f'CREATE TABLE "GROUP" (a REFERENCES {quoted})')
    table, group = read_schema(db).tables
    assert (table.name, table.rowid_alias, table.primary_key) == (name, name, (name,))
    assert [(c.name, c.type.lower(), c.default) for c in table.columns][1] == ("select", "text", "'a, b)'")
    index = table.indexes[0]
    assert (index.name, index.unique, index.columns, index.descending) == (
        'Größe "1"',
        True,
        ("select",),
        (True,),
    )
    assert group.foreign_keys[0].target == name
    assert group.foreign_keys[0].target_columns == (name,)


def test_keys_rowids_and_table_options(db: sqlite3.Connection) -> None:
    for sql in (
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY DESC)",
        "CREATE TABLE c (id INT PRIMARY KEY)",
        "CREATE TABLE d (y TEXT, x TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID",
        "CREATE TABLE e (id integer primary key, note TEXT DEFAULT 'AUTOINCREMENT', n ANY) STRICT",
        "CREATE TABLE f (a)",
    ):
        db.execute(sql)
    seen = {
        t.name: (t.rowid_alias, t.primary_key, t.has_rowid, t.strict, t.autoincrement)
        for t in read_schema(db).tables
    }
    assert seen == {
        "a": ("id", ("id",), True, False, True),
        "b": (None, ("id",), True, False, False),
        "c": (None, ("id",), True, False, False),
        "d": (None, ("x", "y"), False, False, False),
        "e": ("id", ("id",), True, True, False),
        "f": (None, (), True, False, False),
    }


def test_foreign_keys_in_order_with_timing(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE Parent (a, b, PRIMARY KEY (a, b))")
    db.execute(
        """CREATE TABLE child (
            id INTEGER PRIMARY KEY REFERENCES Missing (x),  -- REFERENCES nothing DEFERRABLE
            p INTEGER REFERENCES child DEFERRABLE INITIALLY DEFERRED,
            q NOT NULL REFERENCES child (id) ON DELETE CASCADE NOT DEFERRABLE,
            a, b,
            FOREIGN KEY (A, B) REFERENCES parent ON UPDATE SET NULL DEFERRABLE
        )"""
    )
    child = read_schema(db).table("child")
    assert child.foreign_keys == (
        ForeignKey(("id",), "Missing", ("x",)),
        ForeignKey(("p",), "child", ("id",), deferrable="deferred"),
        ForeignKey(("q",), "child", ("id",), on_delete="CASCADE"),
        ForeignKey(("a", "b"), "Parent", ("a", "b"), on_update="SET NULL", deferrable="immediate"),
    )


def test_indexes_and_generated_columns(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE t (a TEXT COLLATE NOCASE UNIQUE, b INT, v AS (b + 1), s AS (b * 2) STORED,"
        " UNIQUE (b, a))"
    )
    db.execute("CREATE INDEX low ON t (lower(a)) WHERE b > 3")
    table = read_schema(db).table("t")
    assert [(c.name, c.generated) for c in table.columns][2:] == [("v", "virtual"), ("s", "stored")]
    assert [(i.origin, i.unique, i.partial, i.columns, i.collations) for i in table.indexes] == [
        ("u", True, False, ("a",), ("NOCASE",)),
        ("u", True, False, ("b", "a"), ("BINARY", "NOCASE")),
        ("c", False, True, (None,), ("BINARY",)),
    ]
    assert table.indexes[2].sql == "CREATE INDEX low ON t (lower(a)) WHERE b > 3"


def test_views_triggers_and_search_tables_stand_apart(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, body)")
    db.execute("INSERT INTO t (body) VALUES (1), (2)")
    db.execute("CREATE VIEW v AS SELECT * FROM gone")
    db.execute("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END")
    db.execute("CREATE VIRTUAL TABLE search USING fts5(body)")
    db.execute("CREATE TABLE search_notes (a)")
    schema = read_schema(db)
    assert [t.name for t in schema.tables] == ["t", "search_notes"]
    assert [v.name for v in schema.views] == ["v"]
    assert [(t.name, t.table) for t in schema.triggers] == [("g", "t")]
    assert [v.name for v in schema.virtual_tables] == ["search"]
    assert set(schema.shadow_tables) == {
        f"search_{s}" for s in ("data", "idx", "content", "docsize", "config")
    }
    assert row_counts(db) == (("t", 2), ("search_notes", 0))


def test_the_fingerprint_follows_schema_and_migrations_not_rows(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE t (a)")
    db.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)")
    first = fingerprint(db)
    db.execute("INSERT INTO t VALUES (1)")
    assert fingerprint(db) == first
    db.execute("INSERT INTO django_migrations (app, name) VALUES ('blog', '0001_initial')")
    second = fingerprint(db)
    assert second != first
    db.execute("ALTER TABLE t ADD COLUMN b")
    assert fingerprint(db) != second
    db.text_factory = bytes
    assert read_schema(db).tables[0].name == "t"


def test_a_table_named_like_another_modules_shadow_is_the_apps_own(db: sqlite3.Connection) -> None:
    for sql in (
        "CREATE VIRTUAL TABLE post USING fts4(body)",
        'CREATE VIRTUAL TABLE "q" USING "fts5"(body)',
        "CREATE TABLE post_data (a)",
        "CREATE TABLE post_config (a)",
        "CREATE TABLE q_node (a)",
    ):
        db.execute(sql)
    schema = read_schema(db)
    assert {t.name for t in schema.tables} == {"post_data", "post_config", "q_node"}
    assert {"post_content", "q_config"} <= set(schema.shadow_tables)
