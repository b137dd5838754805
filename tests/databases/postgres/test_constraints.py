"""Foreign keys, indexes, triggers and sequences: out of the way for the load, and back as they were."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases.contexts import build, context, execute, new_process, rows
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres import constraints as objects
from wizard.errors import Refused, StepFailed
from wizard.steps import constraints, copy, provision, recheck

SOURCE = """
CREATE TABLE author (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, boss integer REFERENCES author, fav integer REFERENCES post);
CREATE TABLE post (id integer PRIMARY KEY, author integer NOT NULL REFERENCES author, slug text UNIQUE, live bool);
CREATE TABLE gone (id integer PRIMARY KEY AUTOINCREMENT);
INSERT INTO author VALUES (1, 'a', 2, 10), (2, 'b', 1, NULL), (3, 'c', 3, 11);
INSERT INTO post VALUES (10, 1, 'x', 1), (11, 2, 'y', 0);
INSERT INTO gone VALUES (41); DELETE FROM gone;
"""
TARGET = """
CREATE TABLE author (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(9) NOT NULL, boss integer, fav integer);
CREATE TABLE post (id serial PRIMARY KEY, author integer NOT NULL, slug text UNIQUE, live boolean);
CREATE TABLE gone (id bigserial PRIMARY KEY);
CREATE TABLE "Other Table" (post integer REFERENCES post ON DELETE CASCADE);
ALTER TABLE author ADD CONSTRAINT boss_fk FOREIGN KEY (boss) REFERENCES author (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE author ADD CONSTRAINT fav_fk FOREIGN KEY (fav) REFERENCES post DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE post ADD CONSTRAINT "Author Fk" FOREIGN KEY (author) REFERENCES author (id) ON DELETE CASCADE NOT VALID;
CREATE INDEX "Low" ON author (lower(name) text_pattern_ops, id DESC NULLS LAST);
CREATE UNIQUE INDEX live_once ON post (author) INCLUDE (slug) WHERE live;
COMMENT ON INDEX live_once IS 'it''s one';
CREATE INDEX brin_id ON post USING brin (id) WITH (pages_per_range = 32);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trigger fired'; END$$;
CREATE TRIGGER normal BEFORE INSERT OR DELETE ON post FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER always BEFORE INSERT ON author FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER off BEFORE INSERT ON author FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE author ENABLE ALWAYS TRIGGER always; ALTER TABLE author DISABLE TRIGGER off;
"""
OBJECTS = """
SELECT 'fk', conrelid::regclass::text, conname, pg_get_constraintdef(oid) || convalidated || condeferrable || condeferred,
       obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE contype = 'f'
UNION ALL SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid,
       obj_description(indexrelid, 'pg_class')
  FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text, NULL FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1, 2, 3
"""


def started(tmp_path: Path, url: Secret, source: str = SOURCE) -> RunContext:
    ctx = context(tmp_path, url, source)
    provision.run(ctx)
    build(ctx, TARGET)
    recheck.run(ctx)
    return ctx


def test_everything_comes_back_as_it_was(tmp_path: Path, database_url: Secret) -> None:
    ctx = started(tmp_path, database_url)
    before = rows(database_url, OBJECTS)
    copy.run(ctx)
    during = rows(database_url, OBJECTS)
    assert [r[0] for r in during].count("fk") == 0
    assert {r[3] for r in during if r[0] == "trigger"} == {"D"}
    assert "10 constraints" in constraints.run(new_process(ctx))
    assert rows(database_url, OBJECTS) == before
    assert rows(database_url, "SELECT id, boss, fav FROM author ORDER BY id") == [
        (1, 2, 10),
        (2, 1, None),
        (3, 3, 11),
    ]
    constraints.run(new_process(ctx))
    assert rows(database_url, OBJECTS) == before


@pytest.mark.parametrize("nth", range(0, 10, 2))
def test_a_kill_while_restoring_ends_the_same(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    ctx = started(tmp_path, database_url)
    before = rows(database_url, OBJECTS)
    copy.run(ctx)
    marked = 0
    mark = objects._mark

    def dying(*args):  # type: ignore[no-untyped-def]
        nonlocal marked
        if marked == nth:
            raise KeyboardInterrupt
        marked += 1
        mark(*args)

    with monkeypatch.context() as patch:
        patch.setattr(objects, "_mark", dying)
        with pytest.raises(KeyboardInterrupt):
            constraints.run(ctx)
    copy.run(new_process(ctx))  # even a second load pass must not lose what is saved
    constraints.run(new_process(ctx))
    assert rows(database_url, OBJECTS) == before


def test_sequences_follow_rows_and_autoincrement_and_are_never_lowered(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = started(tmp_path, database_url)
    execute(database_url, "SELECT setval('post_id_seq', 500), setval('author_id_seq', 1)")
    copy.run(ctx)
    constraints.run(ctx)
    assert rows(
        database_url, "SELECT nextval('author_id_seq'), nextval('post_id_seq'), nextval('gone_id_seq')"
    ) == [(4, 501, 42)]


def test_rows_that_break_a_foreign_key_are_named(tmp_path: Path, database_url: Secret) -> None:
    ctx = started(tmp_path, database_url)
    copy.run(ctx)
    execute(database_url, "UPDATE author SET fav = 99 WHERE id = 2")
    with pytest.raises(StepFailed) as broken:
        constraints.run(ctx)
    assert broken.value.code == "constraint-broken" and "fav_fk" in broken.value.message
    execute(database_url, "UPDATE author SET fav = NULL WHERE id = 2")
    constraints.run(new_process(ctx))


def test_another_object_of_the_same_name_is_not_taken_for_ours(tmp_path: Path, database_url: Secret) -> None:
    ctx = started(tmp_path, database_url)
    copy.run(ctx)
    execute(database_url, 'CREATE INDEX "Low" ON author (name)')
    with pytest.raises(StepFailed) as differs:
        constraints.run(ctx)
    assert differs.value.code == "object-differs"


def test_a_table_of_another_owner_is_refused_before_anything_is_dropped(
    tmp_path: Path, database_url: Secret, postgres_server
) -> None:  # type: ignore[no-untyped-def]
    ctx = started(tmp_path, database_url)
    before = rows(database_url, OBJECTS)
    name = database_url.reveal().rpartition("/")[2]
    admin = Secret(postgres_server.admin.reveal().rpartition("/")[0] + "/" + name)
    execute(admin, f"ALTER TABLE gone OWNER TO postgres; GRANT ALL ON gone TO {name}")
    with pytest.raises(Refused) as refused:
        copy.run(ctx)
    assert refused.value.code == "not-owner" and "gone" in refused.value.message
    assert rows(database_url, OBJECTS) == before
