"""A PostgreSQL of the system's packages, with contrib and ICU, that speaks TLS only; skips where none is.

ASHORE_PG_BIN names the folder of another server's programs.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from wizard.credentials import Secret
from wizard.demo import embedded

HBA = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class SystemServer:
    """A running server; `authority` is the certificate that its own is checked against."""

    server: embedded.Postgres
    authority: Path

    def database(self, name: str) -> Secret:
        """Create a role that is no superuser and its database; the URL trusts `authority` alone."""
        return trusting(self.server.database(name), self.authority)


def trusting(url: Secret, authority: Path) -> Secret:
    """`url`, the server's name and certificate checked against `authority`."""
    return Secret(f"{url.reveal().partition('?')[0]}?sslmode=verify-full&sslrootcert={authority}")


def programs() -> Path:
    """Where the server's programs lie. Skips the test where no server of the system is found."""
    named = os.environ.get("ASHORE_PG_BIN")
    found = [Path(named)] if named else []
    found += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True
    )
    share = "citext.control"
    for folder in found:
        if (folder / "initdb").exists():
            said = subprocess.run(
                [folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False
            )
            if (Path(said.stdout.strip()) / "extension" / share).exists():
                return folder
    pytest.skip("no PostgreSQL server with contrib is installed in /usr/lib/postgresql")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """(certificate, key) for 127.0.0.1, signed by itself. Skips where there is no openssl."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl to make a certificate with")
    made, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-out", str(made), "-keyout", str(key),
        ],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    key.chmod(0o600)
    return made, key


@contextmanager
def running() -> Iterator[SystemServer]:
    """A fresh cluster in a temporary folder, removed at the end."""
    folder = programs()
    user = "nobody" if os.geteuid() == 0 else None
    root = Path(tempfile.mkdtemp(prefix="ashore-system-pg-"))
    root.chmod(0o755)
    try:
        made, key = certificate(root, "authority")
        data = root / "cluster" / "data"
        data.parent.mkdir()
        password, secret = secrets.token_urlsafe(18), root / "cluster" / "password"
        secret.write_text(password, encoding="utf-8")
        for path in (data.parent, secret, made, key):
            if user is not None:
                shutil.chown(path, user)
        environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        subprocess.run(
            [
                str(folder / "initdb"), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256",
                f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync",
            ],
            user=user, env=environ, cwd=root, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        (data / "pg_hba.conf").write_text(HBA, encoding="utf-8")
        port = embedded.free_port()
        server = subprocess.Popen(
            [
                str(folder / "postgres"), "-D", str(data), "-p", str(port), "-h", embedded.HOST, "-k", "",
                "-c", "fsync=off", "-c", "ssl=on", "-c", f"ssl_cert_file={made}", "-c", f"ssl_key_file={key}",
            ],
            user=user, env=environ, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            admin = trusting(
                Secret(f"postgresql://postgres:{password}@{embedded.HOST}:{port}/postgres"), made
            )
            _wait(server, admin)
            yield SystemServer(embedded.Postgres(port, admin, server.pid), made)
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(20)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], admin: Secret) -> None:
    until = time.monotonic() + embedded.START_SECONDS
    while True:
        try:
            psycopg.connect(admin.reveal(), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            said = re.sub(r"postgresql://\S+", "", str(error))
            assert server.poll() is None and time.monotonic() < until, said
            time.sleep(0.05)
