"""The FastAPI sample, before and after its patch: started, uploaded to, read from, against a real S3."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from tests.frameworks.app_kit import BUCKET, changed, copied, variables
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.frameworks.fastapi.change import change

PICTURE = bytes(range(256)) * 5000


@contextlib.contextmanager
def started(root: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_", "MONGODB_", "UPLOAD_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--log-level", "warning"],
        cwd=root,
        env={**clean, **environment},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            end = time.monotonic() + 60
            while True:
                assert process.poll() is None, "the app did not start"
                try:
                    assert client.get("/health").json() == {"ok": True}
                    break
                except httpx.TransportError:
                    assert time.monotonic() < end, "the app does not answer"
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def visit(client: httpx.Client) -> list[object]:
    """What a user does, and what the app answered, made-up names left out."""
    seen: list[object] = []
    for route, name in (("", "a.png"), ("/stream", "b.pdf"), ("/thumbnail", "c.webp")):
        made = client.post(f"/api/files{route}", files={"file": (name, PICTURE)}).raise_for_status().json()
        seen.append(made.get("size"))
        shown = client.get(made["url"], follow_redirects=True)
        assert shown.content == PICTURE
        seen.append(shown.headers["content-type"])
        answer = client.get(f"/api/files/{made['name']}")
        assert answer.content == PICTURE
        assert made["name"] in answer.headers["content-disposition"]
        seen += [answer.status_code, answer.headers["content-type"], answer.headers["content-length"]]
        part = client.get(f"/api/files/{made['name']}", headers={"Range": "bytes=10-19"})
        seen += [part.status_code, part.content, part.headers["content-range"]]
        assert made["name"] in client.get("/api/files").json()
        client.delete(f"/api/files/{made['name']}").raise_for_status()
        assert client.get("/api/files").json() == []
        seen.append(client.get(f"/api/files/{made['name']}").status_code)
    seen.append(client.post("/api/files", files={"file": ("x.exe", b"x")}).status_code)
    return seen


@pytest.mark.long
def test_the_patched_app_answers_as_before_and_keeps_nothing_on_its_disk(
    tmp_path: Path, s3_server: embedded.S3, bucket: str
) -> None:
    plain = copied("fastapi_mongo", tmp_path / "plain")
    patched = copied("fastapi_mongo", tmp_path / "patched")
    assert changed(change, patched, "fastapi", BUCKET).instructions == ()
    with started(plain, {}) as client:
        before = visit(client)
    with started(patched, {}) as client:
        assert visit(client) == before
    environment = variables(
        s3_server.endpoint, bucket, s3_server.access_key.reveal(), s3_server.secret_key.reveal()
    )
    with started(patched, environment) as client:
        assert visit(client) == before
        kept = client.post("/api/files", files={"file": ("a.png", PICTURE)}).json()["name"]
    assert list((patched / "uploads").iterdir()) == []
    store = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=s3_server.access_key.reveal(),
        aws_secret_access_key=s3_server.secret_key.reveal(),
        region_name="us-east-1",
    )
    found = store.get_object(Bucket=bucket, Key=kept)
    assert found["Body"].read() == PICTURE
    assert found["ContentType"] == "image/png"


@pytest.mark.long
def test_documents_are_kept_with_their_versions(tmp_path: Path, mongo_url: Secret) -> None:
    patched = copied("fastapi_mongo", tmp_path / "patched")
    changed(change, patched, "fastapi", BUCKET)
    url, _, name = mongo_url.reveal().rpartition("/")
    with started(patched, {"MONGODB_URL": url, "MONGODB_DB": name}) as client:
        step = {"title": "One", "blocks": [{"type": "image", "text": None, "url": "/uploads/a.png"}]}
        document = {"title": "Tour", "cover": "/uploads/c.png", "steps": [step]}
        made = client.post("/api/walkthroughs", json=document).raise_for_status().json()["id"]
        assert client.put(f"/api/walkthroughs/{made}", json=document).json() == {"version": 2}
        assert client.get(f"/api/walkthroughs/{made}").json()["steps"] == [step]
