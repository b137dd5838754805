"""Cloudinary as far as a browser sees it: a local server, reached by a transport instead of the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@dataclass
class FakeCloudinary:
    """`files`: path → (media type); `moved`: path → where to. `no_head`: only GET is answered."""

    files: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    no_head: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def transport(self) -> httpx.BaseTransport:
        return _Detour(self.port)


class _Detour(httpx.BaseTransport):
    """Takes requests for https://res.cloudinary.com to the local server; nothing else is reached."""

    def __init__(self, port: int) -> None:
        self._port, self._inner = port, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if (request.url.scheme, request.url.host) != ("https", "res.cloudinary.com"):
            raise httpx.ConnectError(f"not reached: {request.url}")
        local = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(httpx.Request(request.method, local))

    def close(self) -> None:
        self._inner.close()


@contextmanager
def serving() -> Iterator[FakeCloudinary]:
    """A server for the time of the block."""
    fake = FakeCloudinary()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            if fake.no_head:
                fake.asked.append(("HEAD", self.path))
                self._answer(405)
            else:
                self._look("HEAD")

        def do_GET(self) -> None:
            self._look("GET")

        def _look(self, method: str) -> None:
            fake.asked.append((method, self.path))
            if self.path in fake.moved:
                self._answer(302, location=fake.moved[self.path])
            elif self.path in fake.files:
                self._answer(200, kind=fake.files[self.path])
            else:
                self._answer(404)

        def _answer(self, status: int, kind: str = "", location: str = "") -> None:
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
