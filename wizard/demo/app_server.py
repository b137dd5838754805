"""The process that serves a deployed demo app: its WSGI application on a free loopback port.

Started by `platform` with the checkout as working folder. Its port is the only line on standard output.
It ends when standard input closes, however its parent died.
"""

from __future__ import annotations

import importlib
import os
import queue
import socketserver
import sys
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

HOST = "127.0.0.1"
THREADS = 4


class _Server(WSGIServer):
    """Answers with a fixed number of threads, as gunicorn does: what an app keeps for each of its threads
    (a storage client takes a tenth of a second to build) must not be made anew for every request.
    """

    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        super().__init__(address, handler)
        self._waiting: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        for _ in range(THREADS):
            threading.Thread(target=self._work, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to the next free thread."""
        self._waiting.put((request, client_address))

    def _work(self) -> None:
        while True:
            request, client_address = self._waiting.get()
            try:
                self.finish_request(request, client_address)
            except OSError:
                self.handle_error(request, client_address)
            finally:
                self.shutdown_request(request)

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of http.server, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = HOST
        self.server_port = self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves early is no error of the app; the app logs its own."""


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """The platform keeps no access log."""


def main() -> None:
    """Serve `config.wsgi:application` of the working folder until standard input ends."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  sys.path holds text
    application = importlib.import_module("config.wsgi").application
    with _Server((HOST, 0), _Handler) as server:
        server.set_app(application)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        server.shutdown()


if __name__ == "__main__":
    main()
