"""A small app without a framework: migrates in a second, with large and small files and tables of chunks."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import embedded, story

ROWS = 3000
FILES = 12


def make(root: Path, url: Secret, s3: embedded.S3, bucket: str) -> worlds.World:
    """Project, answers and bucket below `root`; nothing is removed at the end."""
    project = root / story.PROJECT
    media = project / "media"
    media.mkdir(parents=True)
    with closing(sqlite3.connect(project / "db.sqlite3")) as source:
        source.executescript(
            f"""
            CREATE TABLE author (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
            CREATE TABLE note (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES author (id),
                line TEXT, photo TEXT);
            CREATE INDEX note_photo ON note (photo);
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
            INSERT INTO author (name) SELECT 'author ' || i FROM n;
            INSERT INTO note SELECT id, id, hex(zeroblob(1500)) || id, 'f' || id % {FILES} || '.txt'
            FROM author;
            """
        )
        source.commit()
    for number in range(FILES):
        (media / f"f{number}.txt").write_bytes(b"file %d" % number)
    (media / "large.bin").write_bytes(os.urandom(1 << 16) * 288)  # 18 MiB: three parts
    answers: dict[str, Any] = {
        "version": 1,
        "project": story.PROJECT,
        "database": {"url": story.DATABASE_REFERENCE, "schema": "derived", "source": "db.sqlite3"},
        "patch": "skip",
        "storage": [
            {
                "source": "media",
                "provider": "s3-compatible",
                "bucket": bucket,
                "endpoint": s3.endpoint,
                "access_key": story.ACCESS_REFERENCE,
                "secret_key": story.SECRET_REFERENCE,
            }
        ],
    }
    (root / "ashore.yml").write_text(json.dumps(answers), encoding="utf-8")
    s3.create_bucket(bucket)
    secrets: Mapping[str, Secret] = {
        story.DATABASE_REFERENCE: url,
        story.ACCESS_REFERENCE: s3.access_key,
        story.SECRET_REFERENCE: s3.secret_key,
    }
    return worlds.World(root, bucket, s3, secrets)


def arrived(here: worlds.World) -> None:
    """Every row and every byte of the source is in the target, and nothing besides."""
    with (
        psycopg.connect(here.url.reveal()) as target,
        closing(sqlite3.connect(here.project / "db.sqlite3")) as source,
    ):
        for query in ("SELECT id, name FROM author ORDER BY id", "SELECT * FROM note ORDER BY id"):
            assert target.execute(query).fetchall() == source.execute(query).fetchall()
        found = target.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated")
        assert found.fetchone() == (1,)
        assert target.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname = 'note_photo'"
        ).fetchone() == (1,)
    media = here.project / "media"
    client = here.client()
    listed = client.list_objects_v2(Bucket=here.bucket).get("Contents", [])
    objects = {o["Key"]: client.get_object(Bucket=here.bucket, Key=o["Key"])["Body"].read() for o in listed}
    assert objects == {p.relative_to(media).as_posix(): p.read_bytes() for p in media.rglob("*")}
    assert client.list_multipart_uploads(Bucket=here.bucket).get("Uploads", []) == []
