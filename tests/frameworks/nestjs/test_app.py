"""The NestJS sample, before and after its patch: compiled, started, uploaded to, read from.

Prisma's engines come from a server of their own that may be out of reach, so `data_layer.ts` stands in for
the service that wraps Prisma: the same queries over `pg`, against a real PostgreSQL.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import psycopg
import pytest

from tests.frameworks.app_kit import BUCKET, changed, copied, variables
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.frameworks.nestjs.change import change

HERE = Path(__file__).parent
PICTURE = bytes(range(256)) * 5000
TABLES = """
CREATE TABLE "Task" (id serial PRIMARY KEY, title text NOT NULL);
CREATE TABLE "Attachment" (id serial PRIMARY KEY, "taskId" int NOT NULL REFERENCES "Task" ON DELETE CASCADE,
  "originalName" text NOT NULL, path text NOT NULL, size int NOT NULL);
CREATE TABLE "User" (id int PRIMARY KEY, email text NOT NULL UNIQUE, "avatarUrl" text);
"""


def install(root: Path) -> None:
    """The app's own packages, Prisma's left out; skips where npm or its registry is missing."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node and npm are not installed")
    file = root / "package.json"
    listed = json.loads(file.read_text())
    for table, names in (
        ("dependencies", ["@prisma/client"]),
        ("devDependencies", ["prisma", "@nestjs/cli"]),
    ):
        for name in names:
            del listed[table][name]
    listed["dependencies"] |= {"pg": "^8.13.0"}
    listed["devDependencies"] |= {"@types/pg": "^8.11.0"}
    file.write_text(json.dumps(listed))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=400)
    if done.returncode:
        pytest.skip(f"npm cannot install the app's packages here: {done.stderr[-300:]}")


def compiled(root: Path, packages: Path) -> None:
    shutil.copy(HERE / "data_layer.ts", root / "src/prisma/prisma.service.ts")
    if root != packages:
        (root / "node_modules").symlink_to(packages / "node_modules")
    compiler = packages / "node_modules/typescript/bin/tsc"
    command = ["node", str(compiler), "-p", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout


@contextlib.contextmanager
def started(root: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    port = embedded.free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_", "UPLOAD_"))}
    process = subprocess.Popen(
        ["node", "dist/main.js"],
        cwd=root,
        env={**clean, **environment, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            end = time.monotonic() + 60
            while True:
                assert process.poll() is None, "the app did not start"
                try:
                    client.get("/api/tasks").raise_for_status()
                    break
                except httpx.TransportError:
                    assert time.monotonic() < end, "the app does not answer"
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def visit(client: httpx.Client) -> list[object]:
    """What a user does, and what the app answered, made-up names and numbers left out."""
    seen: list[object] = []
    task = client.post("/api/tasks", json={"title": "One"}).raise_for_status().json()["id"]
    at = f"/api/tasks/{task}/attachments"
    made = [
        client.post(at, files={"file": (name, PICTURE, kind)}).raise_for_status().json()
        for name, kind in (("plan ü.pdf", "application/pdf"), ("a.png", "image/png"))
    ]
    for one in made:
        seen.append(one["size"])
        for route in ("", "/download", "/stream"):
            answer = client.get(f"{at}/{one['id']}{route}")
            assert answer.content == PICTURE
            seen.append(answer.status_code)
            if route != "/stream":
                seen += [answer.headers["content-type"], answer.headers["content-length"]]
            seen.append(answer.headers.get("content-disposition", "").rpartition("filename*")[2])
        part = client.get(f"{at}/{one['id']}", headers={"Range": "bytes=10-19"})
        seen += [part.status_code, part.content, part.headers["content-range"]]
        shown = client.get("/" + one["path"], follow_redirects=True)
        seen += [shown.status_code, shown.content == PICTURE, shown.headers["content-type"]]
    client.delete(f"{at}/{made[0]['id']}").raise_for_status()
    seen += [client.get(f"{at}/{made[0]['id']}").status_code, client.get(f"{at}/{made[1]['id']}").status_code]
    seen.append(client.get("/" + made[0]["path"], follow_redirects=True).status_code)
    client.delete(f"/api/tasks/{task}").raise_for_status()
    seen.append(client.get("/" + made[1]["path"], follow_redirects=True).status_code)
    avatar = client.post("/api/users/1/avatar", files={"avatar": ("me.png", PICTURE, "image/png")})
    address = avatar.raise_for_status().json()["avatarUrl"]
    seen.append(client.get(address, follow_redirects=True).content == PICTURE)
    return seen


@pytest.mark.long
def test_the_patched_app_answers_as_before_and_keeps_nothing_on_its_disk(
    tmp_path: Path, s3_server: embedded.S3, bucket: str, database_url: Secret
) -> None:
    plain = copied("nest_prisma", tmp_path / "plain")
    patched = copied("nest_prisma", tmp_path / "patched")
    assert changed(change, patched, "nestjs", BUCKET).instructions == ()
    install(patched)
    for root in (plain, patched):
        compiled(root, patched)
    with psycopg.connect(database_url.reveal(), autocommit=True) as connection:
        connection.execute(TABLES)
    database = {"DATABASE_URL": database_url.reveal()}
    with started(plain, database) as client:
        before = visit(client)
    with started(patched, database) as client:
        assert visit(client) == before
    shutil.rmtree(patched / "uploads")
    keys = (s3_server.access_key.reveal(), s3_server.secret_key.reveal())
    with started(patched, {**database, **variables(s3_server.endpoint, bucket, *keys)}) as client:
        after = visit(client)
    assert after == before
    assert [p for p in (patched / "uploads").rglob("*") if p.is_file()] == []
    store = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        region_name="us-east-1",
    )
    (avatar,) = store.list_objects_v2(Bucket=bucket)["Contents"]
    assert avatar["Key"].startswith("avatars/")
    assert store.get_object(Bucket=bucket, Key=avatar["Key"])["Body"].read() == PICTURE
