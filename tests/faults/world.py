"""A place for one migration: project, answers, state folder, database and bucket of its own.

And the whole outcome of a migration in a form that two of them can be compared in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3
import psycopg
from botocore.config import Config
from psycopg import sql

from wizard.credentials import Secret
from wizard.demo import embedded, story

SECONDS_A_RUN = 240


@dataclass(frozen=True)
class World:
    """`root` holds the project, `ashore.yml` and the state folder; nothing is shared with other worlds."""

    root: Path
    bucket: str
    s3: embedded.S3
    secrets: Mapping[str, Secret]

    @property
    def project(self) -> Path:
        return self.root / story.PROJECT

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def url(self) -> Secret:
        return self.secrets[story.DATABASE_REFERENCE]

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.s3.endpoint,
            region_name=story.REGION,
            aws_access_key_id=self.secrets[story.ACCESS_REFERENCE].reveal(),
            aws_secret_access_key=self.secrets[story.SECRET_REFERENCE].reveal(),
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )


@contextmanager
def world(
    root: Path, template: Path, url: Secret, s3: embedded.S3, bucket: str, public: bool = False
) -> Iterator[World]:
    """A copy of the project in `template`, a new bucket, and the empty database behind `url`. With `public`
    the files get public addresses, and the references in the database are rewritten to them."""
    root.mkdir(parents=True)
    shutil.copytree(template, root / story.PROJECT, copy_function=shutil.copy2)
    text = story.answers_text(s3.endpoint)
    assert story.BUCKET in text and "access: signed" in text
    if public:
        text = text.replace("access: signed", f"access: public\n    public_url: {s3.endpoint}/{bucket}")
    (root / "ashore.yml").write_text(text.replace(story.BUCKET, bucket), encoding="utf-8")
    s3.create_bucket(bucket)
    here = World(
        root,
        bucket,
        s3,
        {
            story.DATABASE_REFERENCE: url,
            story.ACCESS_REFERENCE: s3.access_key,
            story.SECRET_REFERENCE: s3.secret_key,
        },
    )
    client = here.client()
    if public:
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        statement = {**allowed, "Resource": f"arn:aws:s3:::{bucket}/*"}
        client.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
    try:
        yield here
    finally:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", ()):
                client.delete_object(Bucket=bucket, Key=entry["Key"])
        client.delete_bucket(Bucket=bucket)
        shutil.rmtree(root)


@contextmanager
def engine(here: World, *command: str, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """`ashore COMMAND --events` as a child that has its secrets; killed at the end if it still lives."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "wizard", *command),
            *("--events", "--secrets-stdin", "--state-dir", str(here.state)),
        ],
        cwd=here.project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps({k: v.reveal() for k, v in here.secrets.items()}).encode())
        process.stdin.close()
        yield process
    finally:
        process.kill()
        process.wait()


def events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Every event as it comes; a line cut off by a kill is left out."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith(b"\n"):
            yield json.loads(line)


RUN = ("run", "-a", "../ashore.yml", "--yes")
RESUME = ("resume",)


@dataclass(frozen=True)
class End:
    """How an execution ended. `codes` are those of its `failed` events."""

    exit_code: int
    codes: tuple[str, ...]
    text: str


def execute(
    here: World,
    *command: str,
    watch: Callable[[subprocess.Popen[bytes], dict[str, Any]], None] | None = None,
) -> End:
    """Run a command to its end; `watch` sees every event and may kill the process."""
    path = here.root / f"stderr-{len(list(here.root.glob('stderr-*')))}.txt"
    lines = []
    with path.open("wb") as log, engine(here, *command, log=log) as process:
        for event in events(process):
            lines.append(event)
            if watch is not None:
                watch(process, event)
        code = process.wait(SECONDS_A_RUN)
    said = path.read_text(encoding="utf-8", errors="replace")
    failed = [e for e in lines if e["type"] == "failed"]
    return End(code, tuple(e["code"] for e in failed), "\n".join([*map(json.dumps, failed), said[-3000:]]))


def execute_plain(here: World, *command: str) -> subprocess.CompletedProcess[str]:
    """A command without events, given the secrets on its standard input."""
    return subprocess.run(
        [
            *(sys.executable, "-P", "-m", "wizard", *command),
            *("--secrets-stdin", "--state-dir", str(here.state)),
        ],
        cwd=here.project,
        input=json.dumps({k: v.reveal() for k, v in here.secrets.items()}),
        capture_output=True,
        text=True,
        timeout=SECONDS_A_RUN,
    )


def outcome(here: World) -> dict[str, object]:
    """Everything that a migration leaves behind, without what may differ: times, ids of the target's own."""
    state: dict[str, object] = {}
    with psycopg.connect(here.url.reveal()) as connection:
        state |= _rows(connection)
        state |= _catalog(connection)
    state |= _objects(here)
    state |= files(here)
    return state


def differing(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    """What is not the same in two outcomes, shortened."""
    return {
        key: (str(one.get(key))[:300], str(other.get(key))[:300])
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    }


def _rows(connection: psycopg.Connection[Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    ).fetchall()
    for (table,) in tables:
        # When and as which number a migration was applied is the target's own.
        shown = sql.SQL("app || '.' || name") if table == "django_migrations" else sql.SQL("t::text")
        rows = connection.execute(
            sql.SQL('SELECT r FROM (SELECT {} AS r FROM {} t) AS shown ORDER BY r COLLATE "C"').format(
                shown, sql.Identifier(table)
            )
        ).fetchall()
        text = "\n".join(row[0] for row in rows)
        found[f"rows of {table}"] = (len(rows), hashlib.sha256(text.encode()).hexdigest(), text[:200])
    return found


def _catalog(connection: psycopg.Connection[Any]) -> dict[str, object]:
    def listed(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    return {
        "indexes": listed(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        ),
        "invalid indexes": listed("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"),
        "constraints": listed(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated, "
            "condeferrable, condeferred FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
        ),
        "disabled triggers": listed(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger WHERE tgenabled <> 'O' "
            "GROUP BY 1 ORDER BY 1"
        ),
        "columns": listed(
            "SELECT table_name, column_name, data_type, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
        ),
        "sequences": listed(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' "
            "AND sequencename NOT LIKE 'django_migrations%' ORDER BY 1"
        ),
        "schemas": listed("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' ORDER BY 1"),
    }


def _objects(here: World) -> dict[str, object]:
    client = here.client()
    found: dict[str, object] = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=here.bucket):
        for entry in page.get("Contents", ()):
            answer = client.get_object(Bucket=here.bucket, Key=entry["Key"])
            digest = hashlib.sha256()
            for piece in answer["Body"].iter_chunks(1 << 20):
                digest.update(piece)
            found[f"object {entry['Key']}"] = (digest.hexdigest(), answer["ContentType"])
    found["unfinished uploads"] = client.list_multipart_uploads(Bucket=here.bucket).get("Uploads", [])
    return found


def files(here: World) -> dict[str, object]:
    """Every file of the project: the patched ones, the untouched ones, the source."""
    return {
        f"file {path.relative_to(here.project).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(here.project.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
