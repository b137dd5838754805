"""The final sync, table by table: every shape of key, decisions, cascades, and a kill at each phase."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.databases.contexts import context, execute, new_process, rows
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.sqlite import schema as sqlite_schema
from wizard.errors import NotAsPlanned, Undecided
from wizard.steps import constraints, copy, cutover, provision, recheck, schema, verify

TABLES = """
CREATE TABLE author (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE book (id INTEGER PRIMARY KEY, title VARCHAR(40),
    author_id INTEGER NOT NULL REFERENCES author (id) ON DELETE CASCADE);
CREATE TABLE "Tag Map" (book TEXT, "tag name" TEXT, weight REAL,
    PRIMARY KEY (book, "tag name")) WITHOUT ROWID;
CREATE TABLE log (line TEXT, at INTEGER);
CREATE TABLE untouched (id INTEGER PRIMARY KEY, x TEXT);
INSERT INTO author (name) VALUES ('Ann'), ('Bob'), ('Cid');
INSERT INTO book VALUES (1, 'one', 1), (2, 'two', 1), (3, 'three', 2), (4, 'four', 3);
INSERT INTO "Tag Map" VALUES ('a', 'x', 0.5), ('a', 'y', 1), ('b', 'x', NULL);
INSERT INTO log VALUES ('same', 1), ('same', 1), ('other', 2);
INSERT INTO untouched VALUES (1, 'stays');
"""
CHANGES = """
UPDATE author SET name = 'Zoë' WHERE id = 1;
DELETE FROM book WHERE author_id = 3;
DELETE FROM author WHERE id = 3;
INSERT INTO author (name) VALUES ('Cid');
INSERT INTO book VALUES (9, 'nine', 4);
UPDATE book SET title = NULL WHERE id = 2;
UPDATE "Tag Map" SET weight = 0.1 WHERE book = 'b';
DELETE FROM "Tag Map" WHERE "tag name" = 'y';
INSERT INTO "Tag Map" VALUES ('ä', 'x y', 2);
DELETE FROM log WHERE rowid = 1;
INSERT INTO log VALUES ('new', NULL);
"""
ALL = {
    "author": "SELECT id, name FROM author ORDER BY id",
    "book": "SELECT id, author_id, title FROM book ORDER BY id",
    "map": 'SELECT book, "tag name", weight FROM "Tag Map" ORDER BY 1, 2',
    "log": "SELECT line, at FROM log ORDER BY 1, 2",
    "untouched": "SELECT id, x FROM untouched",
}


def source(ctx: RunContext) -> Path:
    path = ctx.source_path
    assert path is not None
    return path


def change(ctx: RunContext, script: str) -> None:
    with closing(sqlite3.connect(source(ctx))) as connection:
        connection.executescript(script)
        connection.commit()


def migrated(tmp_path: Path, url: Secret) -> RunContext:
    """A run whose rows stand in the target, verified, with the live source equal to its snapshot."""
    ctx = context(tmp_path, url, TABLES)
    source(ctx).write_bytes(ctx.snapshot_path.read_bytes())
    with closing(sqlite_schema.open_readonly(source(ctx))) as connection:
        fingerprint = sqlite_schema.fingerprint(connection)
    ctx = replace(ctx, plan=replace(ctx.plan, source_fingerprint=fingerprint))
    for step in (provision, schema, recheck, copy, constraints, verify):
        step.run(ctx)
    return ctx


def same(ctx: RunContext, url: Secret) -> None:
    with closing(sqlite3.connect(source(ctx))) as connection:
        for name, query in ALL.items():
            plain = query.replace(" ORDER BY 1, 2", "").replace(" ORDER BY id", "")
            ours = sorted(connection.execute(plain).fetchall(), key=repr)
            assert sorted(rows(url, plain), key=repr) == ours, name


def test_every_shape_of_key_is_carried_and_nothing_cascades(tmp_path: Path, database_url: Secret) -> None:
    ctx = migrated(tmp_path, database_url)
    assert cutover.run(ctx) == "no row changed meanwhile"
    change(ctx, CHANGES)
    said = cutover.run(new_process(ctx))
    assert "4 tables" in said
    same(ctx, database_url)
    assert cutover.run(new_process(ctx)) == "no row changed meanwhile"
    # The app goes on with numbers that were never given out.
    execute(database_url, "INSERT INTO author (name) VALUES ('next')")
    assert rows(database_url, "SELECT id FROM author WHERE name = 'next'") == [(5,)]


@pytest.mark.parametrize("where", ["put_aside", "applied", "references", "constraints", "verify"])
def test_killed_in_any_phase_it_ends_the_same(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> Any:
        raise Killed

    def after(function: Callable[..., Any]) -> Callable[..., Any]:
        def work(*arguments: Any, **named: Any) -> Any:
            function(*arguments, **named)
            raise Killed

        return work

    ctx = migrated(tmp_path, database_url)
    change(ctx, CHANGES)
    with monkeypatch.context() as patch:
        if where == "put_aside":
            patch.setattr(cutover, "put_aside", after(cutover.put_aside))
        elif where == "applied":
            patch.setattr(cutover, "_adopt", killed)
        else:
            patch.setattr(getattr(cutover, where), "run", killed)
        with pytest.raises(Killed):
            cutover.run(new_process(ctx))
    change(ctx, "INSERT INTO log VALUES ('after the kill', 7)")
    cutover.run(new_process(ctx))
    same(ctx, database_url)


def test_a_target_that_someone_else_wrote_to_is_left_alone(tmp_path: Path, database_url: Secret) -> None:
    ctx = migrated(tmp_path, database_url)
    change(ctx, CHANGES)
    execute(database_url, "UPDATE book SET title = 'by the new app' WHERE id = 1")
    with pytest.raises(NotAsPlanned) as caught:
        cutover.run(new_process(ctx))
    assert caught.value.code == "target-changed"
    assert rows(database_url, "SELECT count(*) FROM book") == [(4,)]


@pytest.mark.parametrize(
    "written",
    [
        "UPDATE book SET title = 'by the new app' WHERE id = 1",
        "INSERT INTO log VALUES ('by the new app', 3)",
        'DELETE FROM "Tag Map" WHERE weight IS NULL',
    ],
)
def test_it_refuses_also_where_nothing_changed_at_the_source(
    tmp_path: Path, database_url: Secret, written: str
) -> None:
    ctx = migrated(tmp_path, database_url)
    execute(database_url, "UPDATE untouched SET x = x")  # written, and yet what was proven
    assert cutover.run(new_process(ctx)) == "no row changed meanwhile"
    execute(database_url, written)
    with pytest.raises(NotAsPlanned) as caught:
        cutover.run(new_process(ctx))
    assert caught.value.code == "target-changed"


def test_a_new_row_that_cannot_be_carried_stops_before_anything_is_written(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = migrated(tmp_path, database_url)
    change(ctx, "UPDATE book SET title = 'a' || char(0) || 'b' WHERE id = 1; DELETE FROM log;")
    with pytest.raises(Undecided) as caught:
        cutover.run(new_process(ctx))
    assert "book.title" in caught.value.message
    assert rows(database_url, "SELECT count(*) FROM log") == [(3,)]


def test_a_source_whose_tables_changed_is_refused(tmp_path: Path, database_url: Secret) -> None:
    ctx = migrated(tmp_path, database_url)
    change(ctx, "ALTER TABLE book ADD COLUMN isbn TEXT")
    with pytest.raises(NotAsPlanned) as caught:
        cutover.run(new_process(ctx))
    assert caught.value.code == "source-changed"
