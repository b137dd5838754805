"""Starts versitygw, an S3 server stricter than moto: over TLS with an authority of the test's own, it
refuses a wrong secret, a wrong region, a wrong checksum and other clocks. Installed with Go, once."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests import go_build

VERSION = "v1.8.0"
PACKAGE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
ACCESS, SECRET = "strict-access", "strict-secret"
START_S = 30


@dataclass(frozen=True)
class Strict:
    """A running server; `authority` is the certificate that a client must be told to trust."""

    endpoint: str
    authority: Path


def missing() -> str:
    """Why the server cannot be had here; "" where it can."""
    if shutil.which("versitygw") or (shutil.which("go") and os.environ.get("ASHORE_STRICT_S3")):
        return ""
    return "needs versitygw on the path, or ASHORE_STRICT_S3=1 to let Go install it, which takes minutes"


def install(folder: Path) -> Path:
    """The server's program: the machine's own, or one installed into `folder`, once. Skips the test where
    that fails."""
    own = shutil.which("versitygw")
    if own is not None:
        return Path(own)
    program = folder / VERSION / "versitygw"
    if not program.exists():
        part = folder / f"part-{os.getpid()}"
        environ = {**os.environ, "GOBIN": str(part)}
        go_build.build(["go", "install", PACKAGE], environ=environ)
        program.parent.mkdir(parents=True, exist_ok=True)
        (part / program.name).replace(program)
        part.rmdir()
    return program


@contextmanager
def running(program: Path, folder: Path) -> Iterator[Strict]:
    """Serve what lies in `folder`, on the loopback address with TLS."""
    data = folder / "data"
    data.mkdir(parents=True)
    authority, certificate, key = _certificates(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(
            str(program),
            "--port",
            f"127.0.0.1:{port}",
            "--cert",
            str(certificate),
            "--key",
            str(key),
            "--quiet",
        ),
        *("posix", "--sidecar", str(_made(folder / "about")), str(data)),
    ]
    environ = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        _wait(port, authority, process)
        yield Strict(f"https://127.0.0.1:{port}", authority)
    finally:
        process.kill()
        process.wait()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _wait(port: int, authority: Path, process: subprocess.Popen[bytes]) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    deadline = time.monotonic() + START_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as plain:
                context.wrap_socket(plain, server_hostname="127.0.0.1").close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    """(authority, certificate for 127.0.0.1, its key), valid for a day."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    end = begin + datetime.timedelta(days=1)

    def signed(name: x509.Name, key: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType) -> bytes:
        made = x509.CertificateBuilder(issuer, name, key, x509.random_serial_number(), begin, end)
        for extension in extensions:
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return made.sign(root, hashes.SHA256()).public_bytes(Encoding.PEM)

    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    files = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    files[0].write_bytes(signed(issuer, root.public_key(), x509.BasicConstraints(ca=True, path_length=None)))
    files[1].write_bytes(
        signed(subject, leaf.public_key(), address, x509.BasicConstraints(ca=False, path_length=None))
    )
    files[2].write_bytes(leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
