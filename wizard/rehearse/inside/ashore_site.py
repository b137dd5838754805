"""Serves a Django project on a free loopback port until standard input closes. Run by the project's interpreter.

Environment: ASHORE_PATHS (JSON list, where the project imports from), ASHORE_EXTRA (a folder with packages,
put last). Its only line on standard output is the port.
"""

import json
import os
import queue
import socketserver
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

HOST = "127.0.0.1"
THREADS = 4


class _Server(WSGIServer):
    request_queue_size = 64

    def __init__(self, address, handler):
        super().__init__(address, handler)
        self._waiting = queue.Queue()
        for _ in range(THREADS):
            threading.Thread(target=self._work, daemon=True).start()

    def process_request(self, request, client_address):
        self._waiting.put((request, client_address))

    def _work(self):
        while True:
            request, client_address = self._waiting.get()
            try:
                self.finish_request(request, client_address)
            except OSError:
                pass
            finally:
                self.shutdown_request(request)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)
        self.server_name = HOST
        self.server_port = self.server_address[1]
        self.setup_environ()

    def handle_error(self, request, client_address):
        pass


class _Handler(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


def main():
    sys.path[1:1] = json.loads(os.environ["ASHORE_PATHS"])
    sys.path.append(os.environ["ASHORE_EXTRA"])
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    with _Server((HOST, 0), _Handler) as server:
        server.set_app(application)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"ashore-port {server.server_port}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        server.shutdown()


if __name__ == "__main__":
    main()
