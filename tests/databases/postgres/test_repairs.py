"""Malformed Cloudinary addresses in a PostgreSQL that moves: seen in the dump, repaired in the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.references.fake_cloudinary import serving
from tests.references.kit import make, rows
from wizard.answers import DatabaseAnswers
from wizard.credentials import Redactor, Secret, Vault
from wizard.errors import Undecided
from wizard.steps.moves.postgres import PostgresMove

pytestmark = pytest.mark.long
CLOUD = "https://res.cloudinary.com/demo/image/upload/"
OUTER, A = CLOUD + "v1/media/", CLOUD + "v1/logos/a.png"
STEPS = ("provision", "schema", "recheck", "copy", "references", "constraints")


def test_the_copy_is_repaired_and_a_sync_repairs_what_is_new(
    tmp_path: Path, new_database: Callable[[], Secret]
) -> None:
    source, target = new_database(), new_database()
    ctx, _ = make(tmp_path, (), "")
    with closing(psycopg.connect(source.reveal(), autocommit=True)) as app:
        app.execute(
            "CREATE TABLE item (id int PRIMARY KEY, photo text, n int GENERATED ALWAYS AS (id + 1) STORED)"
        )
        app.execute("CREATE SCHEMA shop; CREATE TABLE shop.item (id int PRIMARY KEY, facts jsonb)")
        app.execute("INSERT INTO item VALUES (1, %s), (2, %s)", (OUTER + A, f"tab\t{OUTER}{A}\nnext"))
        app.execute("INSERT INTO shop.item VALUES (1, jsonb_build_object('u', %s::text))", (OUTER + A,))
    chosen = {"item.photo": {"malformed_url": "repair"}, "shop.item.facts": {"malformed_url": "repair"}}
    database = DatabaseAnswers(source="env:SOURCE", url="env:TARGET")
    environ = {"SOURCE": source.reveal(), "TARGET": target.reveal()}
    answers = dataclasses.replace(ctx.answers, database=database, storage=())
    plan = dataclasses.replace(ctx.plan, source_fingerprint="")
    vault = Vault(Redactor(), environ=environ)
    way = PostgresMove()
    with serving() as cloud:
        cloud.files[A.removeprefix("https://res.cloudinary.com")] = "image/png"
        ctx = dataclasses.replace(ctx, answers=answers, vault=vault, plan=plan, web=cloud.transport)
        way.snapshot(ctx)
        with pytest.raises(Undecided) as raised:
            way.preflight(ctx)
        assert '"shop.item.facts": {malformed_url: repair}' in raised.value.hint
        assert "keys: 1; 2" in raised.value.message
        decided = dataclasses.replace(answers, database=dataclasses.replace(database, decisions=chosen))
        ctx = dataclasses.replace(ctx, answers=decided)
        assert way.preflight(ctx) == "2 decisions, all taken"
        for step in STEPS:
            getattr(way, step)(ctx)
        assert rows(target, "SELECT photo, n FROM item ORDER BY id") == [(A, 2), (f"tab\t{A}\nnext", 3)]
        assert rows(target, "SELECT facts FROM shop.item") == [({"u": A},)]
        assert way.verify(ctx)[1] == 0
        with closing(psycopg.connect(source.reveal(), autocommit=True)) as app:
            app.execute("INSERT INTO item VALUES (3, %s)", (OUTER + A,))
        way.cutover(ctx)
        assert rows(target, "SELECT photo FROM item WHERE id = 3") == [(A,)]
        assert rows(source, "SELECT photo FROM item WHERE id = 1") == [(OUTER + A,)]
        assert way.verify(ctx)[1] == 0
        assert way.undo_references(ctx) == (4, 0)
        assert rows(target, "SELECT photo FROM item ORDER BY id") == rows(
            source, "SELECT photo FROM item ORDER BY id"
        )
