"""A provider's API for tests: a real HTTP server with state, and answers that can be put in its way."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-tests"
NOW = "2026-11-01T12:00:00Z"


@dataclass(frozen=True)
class Request:
    """What came in. `query` holds the first value of each key."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    def matches(self, method: str, pattern: str) -> re.Match[str] | None:
        return re.fullmatch(pattern, self.path) if self.method == method else None


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Trouble:
    """The next `times` requests of this kind get `reply` (or are done, then cut off)."""

    method: str
    pattern: str
    reply: Reply | None
    times: int = 1


class Fake:
    """Subclasses answer requests in `handle` and say in `refused` how their provider words an error."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.troubles: list[Trouble] = []
        self.url = ""

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"message": message})

    def trouble(self, method: str, pattern: str, reply: Reply | None, times: int = 1) -> None:
        """A reply of None does the request and cuts the line before answering."""
        self.troubles.append(Trouble(method, pattern, reply, times))

    def count(self, method: str, pattern: str = ".*") -> int:
        """How many such requests came."""
        return sum(1 for request in self.requests if request.matches(method, pattern))

    def answer(self, request: Request, token: str) -> Reply | None:
        self.requests.append(request)
        if token != f"Bearer {TOKEN}":
            return self.refused(401, "Unauthorized")
        for trouble in self.troubles:
            if trouble.times and request.matches(trouble.method, trouble.pattern):
                trouble.times -= 1
                if trouble.reply is None:
                    self.handle(request)
                return trouble.reply
        return self.handle(request)


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """The fake's address, without a trailing slash."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            request = Request(self.command, parts.path, query, json.loads(raw) if raw else None)
            with lock:
                reply = fake.answer(request, self.headers.get("Authorization", ""))
            if reply is None:
                self.close_connection = True
                return
            if reply.body is None:
                data = b""
            else:
                data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            if data:
                self.send_header("Content-Type", "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake.url
    finally:
        server.shutdown()
        server.server_close()


class RenderFake(Fake):
    """Render: variables of services, databases that become ready after `polls` looks, deploys alike."""

    def __init__(self, polls: int = 2) -> None:
        super().__init__()
        self.polls = polls
        self.owners = [{"id": "tea-1", "name": "Ours", "email": "a@example.com", "type": "team"}]
        self.variables: dict[str, dict[str, str]] = {"srv-1": {"OTHER": "untouched"}}
        self.databases: dict[str, dict[str, Any]] = {}
        self.deploys: list[dict[str, Any]] = []
        self.disks: list[dict[str, Any]] = []
        self.looks: dict[str, int] = {}
        self.deploy_ends = "live"
        self.logs_of = "build"
        self.recovery = "AVAILABLE"
        self.region = "frankfurt"
        self.connection: Callable[[], tuple[str, str]] = lambda: (
            "postgresql://app:planted-secret@dpg-1-a/app",
            "postgresql://app:planted-secret@dpg-1-a.frankfurt-postgres.render.com/app",
        )

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"id": "req-1", "message": message})

    def handle(self, request: Request) -> Reply:
        for method, pattern, call in (
            ("GET", r"/owners", self._owners),
            ("GET", r"/services", self._services),
            ("GET", r"/services/([^/]+)", self._service),
            ("GET", r"/services/([^/]+)/env-vars/([^/]+)", self._read),
            ("PUT", r"/services/([^/]+)/env-vars/([^/]+)", self._set),
            ("DELETE", r"/services/([^/]+)/env-vars/([^/]+)", self._delete),
            ("GET", r"/postgres", self._databases),
            ("POST", r"/postgres", self._create),
            ("GET", r"/postgres/([^/]+)", self._database),
            ("GET", r"/postgres/([^/]+)/connection-info", self._connection),
            ("GET", r"/postgres/([^/]+)/recovery", self._recovery),
            ("POST", r"/services/([^/]+)/deploys", self._deploy),
            ("GET", r"/services/([^/]+)/deploys", self._listed),
            ("GET", r"/services/([^/]+)/deploys/([^/]+)", self._followed),
            ("POST", r"/disks", self._disk),
            ("GET", r"/logs", self._logs),
        ):
            match = request.matches(method, pattern)
            if match:
                return call(request, *match.groups())
        return self.refused(404, f"no route {request.method} {request.path}")

    def _page(self, request: Request, key: str, entries: list[dict[str, Any]]) -> Reply:
        start = int(request.query.get("cursor", "c0")[1:])
        end = start + int(request.query.get("limit", "20"))
        page = [{key: entry, "cursor": f"c{start + n + 1}"} for n, entry in enumerate(entries[start:end])]
        return Reply(200, page)

    def _owners(self, request: Request) -> Reply:
        return self._page(request, "owner", self.owners)

    def _described(self, service: str) -> dict[str, Any]:
        # Of the details that the specification knows, those of a web service match more than one shape.
        details = {
            "buildCommand": "", "publishPath": "", "url": "https://x.onrender.com", "buildPlan": "starter",
            "region": self.region,
        }  # fmt: skip
        return {
            "id": service, "name": f"name-of-{service}", "ownerId": "tea-1", "type": "static_site",
            "createdAt": NOW, "updatedAt": NOW, "dashboardUrl": "https://dashboard.render.com",
            "suspended": "not_suspended", "suspenders": [], "autoDeploy": "yes", "notifyOnFail": "default",
            "slug": service, "rootDir": "", "serviceDetails": details,
        }  # fmt: skip

    def _services(self, request: Request) -> Reply:
        return self._page(request, "service", [self._described(service) for service in self.variables])

    def _service(self, request: Request, service: str) -> Reply:
        if service not in self.variables:
            return self.refused(404, "service not found")
        return Reply(200, self._described(service))

    def _read(self, request: Request, service: str, name: str) -> Reply:
        value = self.variables[service].get(name)
        if value is None:
            return self.refused(404, "not found")
        return Reply(200, {"key": name, "value": value})

    def _set(self, request: Request, service: str, name: str) -> Reply:
        self.variables[service][name] = request.body["value"]
        return Reply(200, {"key": name, "value": request.body["value"]})

    def _delete(self, request: Request, service: str, name: str) -> Reply:
        del self.variables[service][name]
        return Reply(204)

    def _databases(self, request: Request) -> Reply:
        wanted = request.query.get("name")
        found = [d for d in self.databases.values() if wanted in (None, d["name"])]
        return self._page(
            request, "postgres", [{k: v for k, v in d.items() if k != "project"} for d in found]
        )

    def _create(self, request: Request) -> Reply:
        id = f"dpg-{len(self.databases) + 1}"
        self.databases[id] = {
            "id": id, "name": request.body["name"], "plan": request.body["plan"], "ipAllowList": [],
            "createdAt": NOW, "updatedAt": NOW, "dashboardUrl": "https://dashboard.render.com",
            "databaseName": "app", "databaseUser": "app", "highAvailabilityEnabled": False,
            "owner": self.owners[0], "region": request.body.get("region", "oregon"), "readReplicas": [],
            "project": {"id": "prj-1", "name": "p", "createdAt": NOW, "updatedAt": NOW,
                        "owner": self.owners[0],
                        "environmentIds": []},
            "role": "primary", "status": "creating", "version": request.body["version"],
            "suspended": "not_suspended", "suspenders": [], "diskAutoscalingEnabled": False,
        }  # fmt: skip
        return Reply(201, self.databases[id])

    def _database(self, request: Request, id: str) -> Reply:
        if self._looked(id):
            self.databases[id]["status"] = "available"
        return Reply(200, self.databases[id])

    def _recovery(self, request: Request, id: str) -> Reply:
        return Reply(200, {"recoveryStatus": self.recovery, "startsAt": NOW})

    def _connection(self, request: Request, id: str) -> Reply:
        internal, external = self.connection()
        return Reply(
            200,
            {"password": "planted-secret", "internalConnectionString": internal,
             "externalConnectionString": external, "psqlCommand": "psql"},
        )  # fmt: skip

    def pushed(self, commit: str, status: str = "live") -> None:
        """The user pushed, and the platform deployed it."""
        for deploy in self.deploys:
            deploy["status"] = "deactivated" if status == deploy["status"] == "live" else deploy["status"]
        self.deploys.append(
            {"id": f"dep-{len(self.deploys) + 1}", "status": status, "commit": {"id": commit}}
        )

    def _deploy(self, request: Request, service: str) -> Reply:
        self.pushed(request.body.get("commitId", "c0ffee"), "created")
        return Reply(201, self.deploys[-1])

    def _logs(self, request: Request) -> Reply:
        lines = [
            {"id": str(n), "message": text, "timestamp": NOW, "labels": []}
            for n, text in enumerate(("last line", "first line"))
        ]
        wanted = request.query["type"] == self.logs_of
        return Reply(
            200, {"hasMore": False, "nextStartTime": NOW, "nextEndTime": NOW, "logs": lines if wanted else []}
        )

    def _listed(self, request: Request, service: str) -> Reply:
        return self._page(request, "deploy", self.deploys[::-1])

    def _followed(self, request: Request, service: str, id: str) -> Reply:
        deploy = next(d for d in self.deploys if d["id"] == id)
        deploy["status"] = self.deploy_ends if self._looked(id) else "build_in_progress"
        return Reply(200, deploy)

    def _disk(self, request: Request) -> Reply:
        self.disks.append(request.body)
        disk = {key: request.body[key] for key in ("name", "sizeGB", "mountPath")}
        return Reply(201, {"id": "dsk-cph1rs3idesc73a2b2mg", **disk, "createdAt": NOW, "updatedAt": NOW})

    def _looked(self, id: str) -> bool:
        self.looks[id] = self.looks.get(id, 0) + 1
        return self.looks[id] > self.polls
