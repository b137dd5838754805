"""The checklist of an address, against real servers: plain, over TLS, broken in the usual ways."""

from __future__ import annotations

import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.checks import command
from wizard.checks.base import Item
from wizard.checks.live import run
from wizard.errors import UsageError

Answer = tuple[int, dict[str, str], str]
DEBUG_404 = "<p>You’re seeing this error because you have <code>DEBUG = True</code> in your settings</p>"
CAREFUL = {
    "Content-Type": "text/html",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Set-Cookie": "csrftoken=planted-canary; Path=/; Secure; HttpOnly",
}


@contextmanager
def serving(answer: Callable[[str, dict[str, str]], Answer], tls: Path | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, days: int) -> Path:
    """A certificate of its own authority for 127.0.0.1, valid for so many days more, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{days}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def items(address: str) -> dict[str, Item]:
    return {item.code: item for item in run(address).items}


def careful(path: str, headers: dict[str, str]) -> Answer:
    if path == "/":
        return 302, {"Location": "/home"}, ""
    if path == "/home":
        return 200, CAREFUL, '<img src="/media/a.jpg"><img src="/static/logo.png"><a href="//[bad">'
    if path == "/media/a.jpg":
        return 302, {"Location": "/signed?sig=1"}, ""
    return (200, {"Content-Type": "image/jpeg"}, "bytes") if path.startswith("/signed") else (404, {}, "no")


def test_a_careful_app_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path, 60)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(careful, pem) as address:
        found = items(address)
    assert "no" not in {item.answer for item in found.values()}, found
    assert {code for code, item in found.items() if item.answer == "yes"} == {
        "page", "media-file", "certificate", "debug-off", "cors", "cookies", "security-headers",
    }  # fmt: skip
    assert found["certificate"].why.startswith("60 days")
    assert found["https"].answer == "cannot-tell", "a port of its own says nothing of HTTP"
    assert "planted-canary" not in repr(found)


@pytest.mark.parametrize(("days", "trusted", "why"), [(10, True, "10 days"), (-2, True, "expired"),
                                                      (60, False, "self")])  # fmt: skip
def test_a_certificate_that_ends_or_is_not_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, trusted: bool, why: str
) -> None:
    pem = certificate(tmp_path, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(careful, pem) as address:
        found = items(address)
    assert found["certificate"].answer == "no"
    assert why in found["certificate"].why.lower()
    assert (found["page"].answer, found["https"].answer) == (
        ("yes", "cannot-tell") if days == 10 else ("no", "no")
    )


def careless(path: str, headers: dict[str, str]) -> Answer:
    opened = {"Access-Control-Allow-Origin": headers["Origin"], "Access-Control-Allow-Credentials": "true"}
    if path == "/":
        cookie = {"Set-Cookie": "sessionid=planted-canary; Path=/", "Content-Type": "text/html"}
        page = '<img src="/media/gone.jpg">'
        return 200, cookie | (opened if "Origin" in headers else {}), page
    return 404, {}, DEBUG_404


def careless_app(path: str, headers: dict[str, str]) -> Answer:
    return careless(path, {"Origin": "", **headers})


def test_a_careless_app_over_http_and_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(careless_app) as address:
        found = items(address)
        assert command("check", address, "--json") == 7
        done = capsys.readouterr().out
        assert command("check", address) == 7
        told = capsys.readouterr().out
    noes = {code for code, item in found.items() if item.answer == "no"}
    assert noes == {"media-file", "https", "debug-off", "cors", "cookies", "security-headers"}
    assert "404" in found["media-file"].why
    assert "Django" in found["debug-off"].why
    assert "with the visitor's login" in found["cors"].why
    assert json.loads(done)["risks"] == 6
    assert "x Cookies are sent over HTTPS only: no" in told
    assert "planted-canary" not in done + told


@pytest.mark.parametrize(
    ("status", "answer"), [(500, "no"), (400, "no"), (401, "cannot-tell"), (429, "cannot-tell")]
)
def test_a_page_that_does_not_answer_well(status: int, answer: str) -> None:
    with serving(lambda path, headers: (status, {}, "")) as address:
        assert items(address)["page"].answer == answer


def test_a_circle_of_redirects_and_nobody_there() -> None:
    with serving(lambda path, headers: (302, {"Location": "/x" + path}, "")) as address:
        assert "circle" in items(address)["page"].why
    found = items(address)
    assert (found["page"].answer, found["debug-off"].answer) == ("no", "cannot-tell")
    assert "refused" in found["page"].why


@pytest.mark.parametrize(
    "address", ["ftp://host/", "http://", "https://user:planted@host/", "http://h:99999/"]
)
def test_what_is_no_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(address)
    assert "planted" not in str(refused.value)
