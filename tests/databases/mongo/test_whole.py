"""The command line, from an answers file to the report, on a MongoDB database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.databases.mongo.kit import database, raw
from tests.databases.mongo.linked import fill
from wizard.credentials import Secret
from wizard.demo import embedded

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mongo")]
NewMongo = Callable[[], Secret]


def ashore(root: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "wizard", *words, "--state-dir", str(root / "state")]
    return subprocess.run(
        command,
        cwd=root / "project",
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def answers(root: Path, database: object, storage: list[object]) -> str:
    (root / "project").mkdir(exist_ok=True)
    made: dict[str, object] = {
        "version": 1,
        "project": "project",
        "database": database,
        "storage": storage,
        "patch": "skip",
    }
    made["public_sample"] = 0  # the bucket of the tests is not public
    (root / "ashore.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
    return str(root / "ashore.yml")


def test_a_database_moves_and_is_reported(tmp_path: Path, new_mongo: NewMongo) -> None:
    source, target = new_mongo(), new_mongo()
    database(source).posts.insert_many([{"_id": n, "t": "é"} for n in range(50)])
    chosen = {"provider": "mongodb", "source": "env:SOURCE", "url": "env:TARGET"}
    environ = {"SOURCE": source.reveal(), "TARGET": target.reveal()}
    file = answers(tmp_path, chosen, [])
    planned = ashore(tmp_path, environ, "plan", "-a", file)
    assert planned.returncode == 0, planned.stderr
    assert "50 documents" in planned.stdout + planned.stderr and raw(target) == {}
    done = ashore(tmp_path, environ, "run", "-a", file, "--yes")
    assert done.returncode == 0, done.stderr
    assert raw(target) == raw(source)
    report = json.loads(next((tmp_path / "state").rglob("report.json")).read_text(encoding="utf-8"))
    assert report["status"] == "done" and report["compared"]["rows"] == 50
    database(target).posts.delete_one({"_id": 7})
    again = ashore(tmp_path, environ, "verify")
    assert again.returncode == 6 and "posts" in again.stdout + again.stderr, again.stderr
    # An answers file with a wrong kind of URL ends before the first write.
    wrong = ashore(tmp_path, {**environ, "SOURCE": "postgresql://u:p@h/d"}, "run", "-a", file, "--yes")
    assert wrong.returncode == 2 and "mongodb://" in wrong.stderr


def test_a_database_stays_and_its_links_change(
    tmp_path: Path, mongo_url: Secret, s3_server: embedded.S3, bucket: str
) -> None:
    fill(mongo_url)
    before = raw(mongo_url)
    folder = tmp_path / "project" / "uploads"
    (folder / "logos").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"a")
    (folder / "logos" / "b c.png").write_bytes(b"b")
    rule = {
        "source": "uploads", "provider": "s3-compatible", "bucket": bucket, 
        "endpoint": s3_server.endpoint,
        "access_key": "env:K", "secret_key": "env:S", "access": "public",
        "public_url": f"{s3_server.endpoint}/{bucket}/",
    }  # fmt: skip
    environ = {
        "K": s3_server.access_key.reveal(), "S": s3_server.secret_key.reveal(),
        "MONGODB_URI": mongo_url.reveal(),
    }  # fmt: skip
    file = answers(tmp_path, {"provider": "keep", "source": "env:MONGODB_URI"}, [rule])
    done = ashore(tmp_path, environ, "run", "-a", file, "--yes")
    assert done.returncode == 0, done.stderr
    found = database(mongo_url).posts.find_one({"_id": 2})
    assert found["gallery"][1]["url"] == f"{s3_server.endpoint}/{bucket}/logos/b%20c.png"
    undone = ashore(tmp_path, environ, "undo")
    assert undone.returncode == 0, undone.stderr
    assert raw(mongo_url) == before
    clean = ashore(tmp_path, environ, "runs", "--clean", next(
        p.parent.name for p in (tmp_path / "state").rglob("plan.json")
    ))  # fmt: skip
    assert clean.returncode == 0, clean.stderr
    assert database(mongo_url).list_collection_names() == ["posts"]
