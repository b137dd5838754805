"""Starts the test server of this folder: FerretDB, which speaks MongoDB's wire protocol, built with Go.

It lacks transactions, Decimal128, NaN, arrays in arrays, indexes that are partial, of text or delete
documents, views and validators. Those parts are tested without a server, or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import go_build

HERE = Path(__file__).parent
TAGS = "ferretdb_no_postgresql,ferretdb_no_mysql,ferretdb_no_hana"
START_S = 30


def missing() -> str:
    """Why the server cannot be built here; "" where it can."""
    return "" if shutil.which("go") else "needs Go to build FerretDB, the MongoDB server of these tests"


def build(folder: Path) -> Path:
    """The server's program, built once for each state of its sources. Skips the test where that fails."""
    sources = hashlib.sha256(b"".join((HERE / n).read_bytes() for n in ("main.go", "go.mod", "go.sum")))
    program = folder / f"mongo-server-{sources.hexdigest()[:16]}"
    if not program.exists():
        part = folder / f"{program.name}.{os.getpid()}"
        command = ["go", "build", "-buildvcs=false", "-tags", TAGS, "-o", str(part), "."]
        go_build.build(command, HERE)
        part.replace(program)
    return program


@contextmanager
def running(program: Path, data: Path) -> Iterator[str]:
    """The server's address, without a database's name."""
    data.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen([str(program), str(port), str(data)], stdout=log, stderr=log)
    try:
        url = f"mongodb://127.0.0.1:{port}/"
        _wait(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    import pymongo
    from pymongo.errors import PyMongoError

    deadline = time.monotonic() + START_S
    while True:
        try:
            with pymongo.MongoClient(url, serverSelectionTimeoutMS=500) as client:
                client.admin.command("ping")
            return
        except PyMongoError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
