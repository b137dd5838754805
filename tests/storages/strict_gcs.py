"""The GCS emulator made strict: tokens are checked, and conditions honoured, as Google does."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from gcp_storage_emulator.handlers import buckets
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

BUCKET = "my-app-media"
EMAIL = "me@project.iam.gserviceaccount.com"
TOKEN = "ya29.token-of-the-strict-server"


class Precondition(Exception):
    """An object stands where none may."""


class StrictStorage(Storage):  # type: ignore[misc]
    """Knows which request is under way, and refuses a create-only write of what exists.

    Each of `faults` befalls one request: `busy` is answered 503, of `lost` the answer never arrives.
    """

    def __init__(self) -> None:
        super().__init__(use_memory_fs=True)
        self.now = threading.local()
        self.lock = threading.Lock()
        self.guards: dict[str, bool] = {}
        self.honours = True
        self.pieces: list[int] = []
        self.faults: list[str] = []

    def create_resumable_upload(self, bucket: str, name: str, about: Any) -> Any:
        made = super().create_resumable_upload(bucket, name, about)
        self.guards[made] = self.now.guard
        return made

    def create_file(self, bucket: str, name: str, data: bytes, about: Any, upload: Any = None) -> None:
        guard = self.guards.get(upload, False) if upload else self.now.guard
        if guard and self.honours and name in self.objects.get(bucket, {}):
            raise Precondition
        super().create_file(bucket, name, data, about, upload)

    def held(self) -> dict[str, bytes]:
        """Everything in the bucket."""
        return {name: self.get_file(BUCKET, name) for name in self.objects.get(BUCKET, {})}


class Handler(RequestHandler):  # type: ignore[misc]
    """One request, with its token checked first."""

    def _strict(self, work: Any) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say(401, "Invalid Credentials")
            return
        fault = self.storage.faults.pop(0) if self.storage.faults else ""
        if fault == "busy":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._say(503, "Backend Error")
            return
        if fault == "lost":
            self.wfile = io.BytesIO()
        query = parse_qs(urlsplit(self.path).query)
        self.storage.now.guard = query.get("ifGenerationMatch") == ["0"]
        span = re.match(r"bytes (\d+)-(\d+)/", self.headers.get("Content-Range", ""))
        if span:
            self.storage.pieces.append(int(span.group(2)) + 1 - int(span.group(1)))
        try:
            with self.storage.lock:  # the emulator is made for one request at a time
                work()
        except Precondition:
            self._say(412, "At least one of the pre-conditions you specified did not hold.")

    def _say(self, status: int, words: str) -> None:
        body = json.dumps({"error": {"code": status, "message": words}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._strict(super().do_GET)

    def do_POST(self) -> None:
        self._strict(super().do_POST)

    def do_PUT(self) -> None:
        self._strict(super().do_PUT)

    def do_PATCH(self) -> None:
        self._strict(super().do_PATCH)

    def do_DELETE(self) -> None:
        if "upload_id" in self.path:
            self.send_response(499)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._strict(super().do_DELETE)


def make_key() -> tuple[rsa.RSAPrivateKey, str]:
    """A private key and its PEM text."""
    key = rsa.generate_private_key(65537, 2048)
    return key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Tokens(BaseHTTPRequestHandler):
    """Google's token server: gives a token for an assertion that the account's key signed."""

    key: rsa.RSAPrivateKey

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        text, _, signature = form["assertion"][0].rpartition(".")
        claims = json.loads(_bytes(text.partition(".")[2]))
        try:
            self.key.public_key().verify(_bytes(signature), text.encode(), padding.PKCS1v15(), SHA256())
            good = claims["iss"] == EMAIL and claims["exp"] - claims["iat"] <= 3600
        except InvalidSignature:
            good = False
        answer = {"access_token": TOKEN, "expires_in": 3599} if good else {}
        answer = answer or {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def serving(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def strict_gcs() -> Iterator[tuple[str, str, StrictStorage]]:
    """(endpoint, the service account's JSON, the storage) with an empty bucket."""
    storage = StrictStorage()
    storage.now.guard = False
    buckets.create_bucket(BUCKET, storage)
    key, pem = make_key()
    with (
        serving(type("Tokens", (Tokens,), {"key": key})) as tokens,
        serving(partial(Handler, storage)) as endpoint,
    ):
        account = {
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "k1",
            "private_key": pem,
            "client_email": EMAIL,
            "token_uri": f"{tokens}/token",
        }
        yield endpoint, json.dumps(account), storage
