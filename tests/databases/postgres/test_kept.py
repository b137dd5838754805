"""A PostgreSQL database that stays: its references to files are rewritten in place, and put back by undo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.databases.postgres.moving import World, execute, rows
from wizard.answers_file import load
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.engine import resolved
from wizard.model import Project, Store
from wizard.steps import moves

pytestmark = pytest.mark.long

TABLES = """
CREATE TABLE item (id serial PRIMARY KEY, photo text, body text, facts jsonb, gallery text[], raw json);
INSERT INTO item (photo, body, facts, gallery, raw) VALUES
    ('uploads/12/a.png', '<img src="/uploads/12/a.png"> and /uploads/none.png',
     '{"cover": "/uploads/b c.png", "n": 1}',
     ARRAY['/uploads/12/a.png', 'other, text', '/uploads/b c.png'], '{"u":  "\\/uploads\\/12\\/a.png"}'),
    ('/srv/app/uploads/b c.png', 'see https://my.app/uploads/12/a.png.', NULL, '{}', NULL),
    ('notes/uploads.txt', 'uploads/12/a.png is only a word here', '{}', NULL, '[]');
CREATE SCHEMA shop; CREATE TABLE shop.item (id uuid PRIMARY KEY, photo varchar(20));
INSERT INTO shop.item VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '/uploads/12/a.png');
"""
ALL = "SELECT t::text FROM item t UNION ALL SELECT t::text FROM shop.item t ORDER BY 1"


@pytest.fixture
def world(
    tmp_path: Path, database_url: Secret, s3_server: embedded.S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> World:
    here = World(tmp_path, database_url, database_url)
    monkeypatch.setenv("S3_KEY", s3_server.access_key.reveal())
    monkeypatch.setenv("S3_SECRET", s3_server.secret_key.reveal())
    answer(here, s3_server, bucket, "public")
    folder = here.root / "project" / "uploads"
    (folder / "12").mkdir(parents=True)
    (folder / "12" / "a.png").write_bytes(b"a")
    (folder / "b c.png").write_bytes(b"b")
    execute(database_url, TABLES)
    return here


def answer(here: World, s3: embedded.S3, bucket: str, access: str) -> None:
    (here.root / "project").mkdir(exist_ok=True)
    rule = {
        "source": "uploads", "provider": "s3-compatible", "bucket": bucket, "endpoint": s3.endpoint,
        "access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET", "access": access,
        "public_url": f"{s3.endpoint}/{bucket}" if access == "public" else None,
    }  # fmt: skip
    answers = {
        "version": 1, "project": "project", "patch": "skip", "storage": [rule], "public_sample": 0,
        "database": {"provider": "keep", "source": "env:OLD_DATABASE_URL"},
    }  # fmt: skip
    (here.root / "ashore.yml").write_text(json.dumps(answers), encoding="utf-8")


def test_every_form_of_a_reference_is_rewritten_compared_by_other_code_and_undone(
    world: World, s3_server: embedded.S3, bucket: str
) -> None:
    before = rows(world.source, ALL)
    end = world.run()
    assert end.exit_code == 0, end.said
    base = f"{s3_server.endpoint}/{bucket}"
    a, b = f"{base}/12/a.png", f"{base}/b%20c.png"
    found = rows(world.source, "SELECT photo, body, facts, gallery, raw FROM item ORDER BY id")
    assert found[0] == (
        a,
        f'<img src="{a}"> and /uploads/none.png',
        {"cover": b, "n": 1},
        [a, "other, text", b],
        {"u": a},
    )
    assert found[1] == (b, f"see {a}.", None, [], None)
    assert found[2] == ("notes/uploads.txt", "uploads/12/a.png is only a word here", {}, None, [])
    # It would not fit into varchar(20).
    assert rows(world.source, "SELECT photo FROM shop.item") == [("/uploads/12/a.png",)]
    assert "would not fit" in end.said
    assert world.ashore("verify").exit_code == 0
    image = "UPDATE ashore.before_image SET before = {} WHERE column_name = 'body'"
    execute(world.source, image.format("'something else ' || before"))
    end = world.ashore("verify")
    assert end.exit_code == 6, end.said
    assert "more than links to stored files was changed" in end.said
    execute(world.source, image.format("substr(before, length('something else ') + 1)"))
    execute(world.source, "UPDATE item SET photo = 'mine' WHERE id = 2")
    end = world.ashore("undo")
    assert end.exit_code == 5, end.said
    after = rows(world.source, ALL)
    changed = [row for row in after if row not in before]
    assert len(changed) == 1
    assert "mine" in changed[0][0]
    assert "https://my.app/uploads/12/a.png" in changed[0][0]


def test_a_run_of_private_files_changes_no_row(world: World, s3_server: embedded.S3, bucket: str) -> None:
    answer(world, s3_server, bucket, "signed")
    before = rows(world.source, ALL)
    end = world.run()
    assert end.exit_code == 0, end.said
    assert rows(world.source, ALL) == before


def test_a_reference_counts_as_the_source_and_a_literal_does_not(world: World) -> None:
    answers = load(world.root / "ashore.yml")
    project = Project(answers.project, stores=(Store("uploads", "uploads"),))
    whole = resolved(project, answers)
    way = moves.move(project, whole)
    assert way is not None
    assert way.name == "postgres-kept"
    assert whole.database.source == "env:OLD_DATABASE_URL" if whole.database else False
    text = (world.root / "ashore.yml").read_text().replace("env:OLD_DATABASE_URL", "postgres://host/db")
    (world.root / "literal.yml").write_text(text)
    end = world.ashore("plan", "-a", str(world.root / "literal.yml"))
    assert end.exit_code == 2
    assert "database.source: holds a literal" in end.said
