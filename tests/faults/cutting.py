"""A TCP proxy before a server that cuts one connection off in the middle of what a client sends."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from wizard.credentials import Secret
from wizard.demo import embedded

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, as a router that forgot the connection does


class Cutting:
    """Cuts a connection that has sent `after` bytes, as often as `times` says.

    `left` may be changed while it serves.
    """

    def __init__(self, port: int, after: int, times: int) -> None:
        self.after, self.left = after, times
        self.cuts = 0
        self._to = port
        self._lock = threading.Lock()
        self.listener = socket.create_server((embedded.HOST, 0))

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection((embedded.HOST, self._to))
                for pump in (self._up, self._down):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                sent += len(data)
                if sent >= self.after and self._take():
                    server.sendall(data[: len(data) // 2])
                    _cut(client)
                    break
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _take(self) -> bool:
        with self._lock:
            if not self.left:
                return False
            self.left -= 1
            self.cuts += 1
            return True

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        server.close()


def _cut(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    client.close()


@contextmanager
def cutting(url: Secret, after: int, times: int) -> Iterator[tuple[Secret, Cutting]]:
    """(a URL that goes through the proxy, the proxy) for the server of `url`."""
    parts = urlsplit(url.reveal())
    assert parts.port is not None
    proxy = Cutting(parts.port, after, times)
    threading.Thread(target=proxy.serve, daemon=True).start()
    port = proxy.listener.getsockname()[1]
    try:
        yield Secret(url.reveal().replace(f":{parts.port}/", f":{port}/")), proxy
    finally:
        proxy.listener.close()
