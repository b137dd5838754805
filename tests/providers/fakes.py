"""Neon, Supabase and Vercel for tests, with the state that their clients ask about."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.providers.fake import NOW, Fake, Reply, Request


class NeonFake(Fake):
    """Projects whose first operation runs for `polls` looks."""

    def __init__(self, polls: int = 2) -> None:
        super().__init__()
        self.polls = polls
        self.projects: dict[str, dict[str, Any]] = {}
        self.operation_ends = "finished"
        self.organizations = ["org-1"]
        self.connection: Callable[[bool], str] = lambda pooled: (
            f"postgresql://app_owner:planted-secret@ep-1{'-pooler' if pooled else ''}.neon.tech/app"
        )

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"request_id": str(uuid.uuid4()), "code": "SOME_CODE", "message": message})

    def handle(self, request: Request) -> Reply:
        for method, pattern, call in (
            ("GET", r"/users/me/organizations", self._organizations),
            ("GET", r"/regions", self._regions),
            ("GET", r"/projects", self._list),
            ("POST", r"/projects", self._create),
            ("GET", r"/projects/([^/]+)/operations", self._operations),
            ("GET", r"/projects/([^/]+)/branches", self._branches),
            ("GET", r"/projects/([^/]+)/branches/([^/]+)/databases", self._databases),
            ("GET", r"/projects/([^/]+)/connection_uri", self._uri),
        ):
            match = request.matches(method, pattern)
            if match:
                return call(request, *match.groups())
        return self.refused(404, f"no route {request.method} {request.path}")

    def _organizations(self, request: Request) -> Reply:
        listed = [
            {"id": id, "name": id, "handle": id, "plan": "free", "created_at": NOW, "updated_at": NOW,
             "managed_by": "console"}
            for id in self.organizations
        ]  # fmt: skip
        return Reply(200, {"organizations": listed})

    def _regions(self, request: Request) -> Reply:
        listed = [
            {"region_id": id, "name": id, "default": False, "geo_lat": "50.1", "geo_long": "8.7"}
            for id in ("aws-eu-central-1", "aws-us-east-1")
        ]
        return Reply(200, {"regions": listed})

    def _list(self, request: Request) -> Reply:
        found = [p for p in self.projects.values() if request.query.get("search", "") in p["name"]]
        start = int(request.query.get("cursor", "c0")[1:])
        end = start + int(request.query.get("limit", "10"))
        listed = [{**p, "active_time": 0} for p in found[start:end]]
        page = {"projects": listed, "applications": {}, "integrations": {}}
        return Reply(200, page | ({"pagination": {"cursor": f"c{end}"}} if listed else {}))

    def _create(self, request: Request) -> Reply:
        wanted = request.body["project"]
        id = f"quiet-river-{len(self.projects) + 1}"
        self.projects[id] = project = {
            "id": id, "name": wanted["name"], "region_id": wanted.get("region_id", "aws-us-east-1"),
            "platform_id": "aws", "pg_version": wanted["pg_version"], "proxy_host": "neon.tech",
            "branch_logical_size_limit": 512, "branch_logical_size_limit_bytes": 512 << 20,
            "store_passwords": True, "cpu_used_sec": 0, "provisioner": "k8s-neonvm",
            "creation_source": "api", "history_retention_seconds": 21600, "created_at": NOW,
            "updated_at": NOW, "owner_id": "org-1", "consumption_period_start": NOW,
            "consumption_period_end": NOW, "active_time_seconds": 0, "compute_time_seconds": 0,
            "written_data_bytes": 0, "data_transfer_bytes": 0, "data_storage_bytes_hour": 0,
        }  # fmt: skip
        self.looks = 0
        return Reply(
            201,
            {
                "project": project, "connection_uris": [], "roles": [], "endpoints": [],
                "databases": [self._database(wanted["branch"])], "branch": self._branch(id),
                "operations": [self._operation(id, "running")],
            },
        )  # fmt: skip

    def _operation(self, project: str, status: str) -> dict[str, Any]:
        return {
            "id": str(uuid.UUID(int=7)), "project_id": project, "action": "create_timeline", "status": status,
            "failures_count": 0, "created_at": NOW, "updated_at": NOW, "total_duration_ms": 10,
        }  # fmt: skip

    def _operations(self, request: Request, project: str) -> Reply:
        self.looks += 1
        status = self.operation_ends if self.looks > self.polls else "running"
        return Reply(200, {"operations": [self._operation(project, status)]})

    def _branch(self, project: str) -> dict[str, Any]:
        return {
            "id": "br-1", "project_id": project, "name": "main", "current_state": "ready",
            "state_changed_at": NOW, "creation_source": "api", "created_at": NOW, "updated_at": NOW,
            "default": True, "protected": False, "cpu_used_sec": 0, "active_time_seconds": 0,
            "compute_time_seconds": 0, "written_data_bytes": 0, "data_transfer_bytes": 0,
        }  # fmt: skip

    def _branches(self, request: Request, project: str) -> Reply:
        return Reply(200, {"branches": [self._branch(project)], "annotations": {}, "pagination": {}})

    def _database(self, branch: dict[str, str]) -> dict[str, Any]:
        return {
            "id": 1, "branch_id": "br-1", "name": branch["database_name"], "owner_name": branch["role_name"],
            "created_at": NOW, "updated_at": NOW,
        }  # fmt: skip

    def _databases(self, request: Request, project: str, branch: str) -> Reply:
        made = {"database_name": "app", "role_name": "app_owner"}
        return Reply(200, {"databases": [self._database(made)]})

    def _uri(self, request: Request, project: str) -> Reply:
        return Reply(200, {"uri": self.connection(request.query["pooled"] == "true")})


class SupabaseFake(Fake):
    """Projects that come up after `polls` looks."""

    def __init__(self, polls: int = 2) -> None:
        super().__init__()
        self.polls = polls
        self.looks = 0
        self.status = "ACTIVE_HEALTHY"
        self.backups: list[str] = [NOW]
        self.projects: dict[str, dict[str, Any]] = {}

    def handle(self, request: Request) -> Reply:
        for method, pattern, call in (
            ("GET", r"/v1/organizations", self._organizations),
            ("GET", r"/v1/projects", self._list),
            ("POST", r"/v1/projects", self._create),
            ("GET", r"/v1/projects/([^/]+)", self._project),
            ("GET", r"/v1/projects/([^/]+)/health", self._health),
            ("GET", r"/v1/projects/([^/]+)/config/database/pooler", self._pooler),
            ("GET", r"/v1/projects/([^/]+)/storage/buckets", self._buckets),
            ("GET", r"/v1/projects/([^/]+)/database/backups", self._backups),
        ):
            match = request.matches(method, pattern)
            if match:
                return call(request, *match.groups())
        return self.refused(404, f"no route {request.method} {request.path}")

    def _organizations(self, request: Request) -> Reply:
        return Reply(200, [{"id": "ours", "slug": "ours", "name": "Ours"}])

    def _list(self, request: Request) -> Reply:
        return Reply(200, list(self.projects.values()))

    def _create(self, request: Request) -> Reply:
        ref = "abcdefghijklmnopqrs" + "tuvw"[len(self.projects)]
        made = {
            "id": ref, "ref": ref, "organization_id": "ours", "organization_slug": "ours",
            "name": request.body["name"], "region": request.body["region_selection"]["code"],
            "created_at": NOW, "status": "COMING_UP",
        }  # fmt: skip
        database = {"host": f"db.{ref}.supabase.co", "version": "17", "postgres_engine": "17",
                    "release_channel": "ga"}  # fmt: skip
        self.projects[ref] = {**made, "database": database}
        return Reply(201, made)

    def _project(self, request: Request, ref: str) -> Reply:
        self.looks += 1
        if self.looks > self.polls:
            self.projects[ref]["status"] = self.status
        return Reply(200, self.projects[ref])

    def _health(self, request: Request, ref: str) -> Reply:
        return Reply(200, [{"name": "db", "healthy": True, "status": "ACTIVE_HEALTHY"}])

    def _pooler(self, request: Request, ref: str) -> Reply:
        entry = {
            "identifier": ref, "database_type": "PRIMARY", "is_using_scram_auth": True,
            "db_user": f"postgres.{ref}", "db_host": "aws-1-eu-west-1.pooler.supabase.com", "db_port": 6543,
            "db_name": "postgres", "connection_string": "", "connectionString": "",
            "default_pool_size": None, "max_client_conn": None, "pool_mode": "transaction",
        }  # fmt: skip
        return Reply(200, [entry])

    def _backups(self, request: Request, ref: str) -> Reply:
        made = [
            {"id": n, "is_physical_backup": True, "status": "COMPLETED", "inserted_at": at}
            for n, at in enumerate(self.backups)
        ]
        return Reply(
            200,
            {"region": "eu-west-1", "walg_enabled": True, "pitr_enabled": False, "backups": made,
             "physical_backup_data": {}},
        )  # fmt: skip

    def _buckets(self, request: Request, ref: str) -> Reply:
        bucket = {"id": "media", "name": "media", "owner": "", "created_at": NOW, "updated_at": NOW,
                  "public": True}  # fmt: skip
        return Reply(200, [bucket])


class VercelFake(Fake):
    """Variables of one project, and deployments that end after `polls` looks."""

    def __init__(self, polls: int = 2) -> None:
        super().__init__()
        self.polls = polls
        self.looks = 0
        self.envs: list[dict[str, Any]] = [
            {"id": "env-0", "key": "OTHER", "value": "untouched", "type": "plain", "target": ["production"]}
        ]
        self.failed: list[dict[str, Any]] = []
        self.deploy_ends = "READY"
        self.deployments: list[dict[str, str]] = [{"id": "dpl_1", "state": "READY", "commit": "c0ffee"}]

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"error": {"code": "some_code", "message": message}})

    def value(self, key: str) -> str | None:
        return next((e["value"] for e in self.envs if e["key"] == key), None)

    def handle(self, request: Request) -> Reply:
        for method, pattern, call in (
            ("GET", r"/v9/projects/prj_1", self._project),
            ("GET", r"/v10/projects/prj_1/env", self._list),
            ("POST", r"/v10/projects/prj_1/env", self._set),
            ("GET", r"/v1/projects/prj_1/env/([^/]+)", self._read),
            ("DELETE", r"/v9/projects/prj_1/env/([^/]+)", self._delete),
            ("GET", r"/v6/deployments", self._deployments),
            ("POST", r"/v13/deployments", self._deploy),
            ("GET", r"/v13/deployments/([^/]+)", self._followed),
        ):
            match = request.matches(method, pattern)
            if match:
                return call(request, *match.groups())
        return self.refused(404, "Project not found")

    def _project(self, request: Request) -> Reply:
        return Reply(
            200,
            {
                "accountId": "acc", "directoryListing": False, "id": "prj_1", "name": "my-app",
                "nodeVersion": "22.x", "resourceConfig": {"functionDefaultRegions": []},
                "defaultResourceConfig": {"functionDefaultRegions": []},
            },
        )  # fmt: skip

    def _list(self, request: Request) -> Reply:
        return Reply(200, {"envs": [{**e, "value": "encrypted"} for e in self.envs]})

    def _set(self, request: Request) -> Reply:
        if not self.failed:
            self.envs = [e for e in self.envs if e["key"] != request.body["key"]]
            self.envs.append({"id": f"env-{request.body['key']}", **request.body})
        made = {k: request.body[k] for k in ("key", "value", "type", "target")}
        return Reply(201, {"created": {"id": "env", **made}, "failed": self.failed})

    def _read(self, request: Request, id: str) -> Reply:
        return Reply(200, {**next(e for e in self.envs if e["id"] == id), "decrypted": True})

    def _delete(self, request: Request, id: str) -> Reply:
        gone = next(e for e in self.envs if e["id"] == id)
        self.envs.remove(gone)
        return Reply(200, gone)

    def pushed(self, commit: str, state: str = "READY") -> None:
        """The user pushed, and Vercel deployed it."""
        id = f"dpl_{len(self.deployments) + 1}"
        self.deployments.insert(0, {"id": id, "state": state, "commit": commit})

    def _deployments(self, request: Request) -> Reply:
        found = [
            {
                "uid": one["id"], "name": "my-app", "projectId": "prj_1", "url": "my-app.vercel.app",
                "created": 1, "type": "LAMBDAS", "creator": {"uid": "u"}, "readyState": one["state"],
                "inspectorUrl": "https://vercel.com", "meta": {"githubCommitSha": one["commit"]},
            }
            for one in self.deployments
        ]  # fmt: skip
        page = {"pagination": {"count": len(found), "next": None, "prev": None}, "deployments": found}
        return Reply(200, page)

    def _one(self, id: str, state: str) -> dict[str, Any]:
        return {
            "id": id, "name": "my-app", "build": {"env": []}, "env": [], "inspectorUrl": "https://vercel.com",
            "isInConcurrentBuildsQueue": False, "isInSystemBuildsQueue": False, "projectSettings": {},
            "aliasAssigned": True, "bootedAt": 1, "buildingAt": 1, "buildSkipped": False,
            "creator": {"uid": "u"}, "public": False, "status": state, "createdAt": 1, "type": "LAMBDAS",
            "meta": {}, "readyState": state, "regions": [], "version": 2, "url": "x.vercel.app",
            "projectId": "prj_1", "ownerId": "o", "plan": "pro", "routes": [], "createdIn": "iad1",
        }  # fmt: skip

    def _deploy(self, request: Request) -> Reply:
        again = next(d for d in self.deployments if d["id"] == request.body["deploymentId"])
        self.pushed(again["commit"], "QUEUED")
        return Reply(200, self._one(self.deployments[0]["id"], "QUEUED"))

    def _followed(self, request: Request, id: str) -> Reply:
        self.looks += 1
        one = next(d for d in self.deployments if d["id"] == id)
        if one["state"] in ("QUEUED", "BUILDING"):
            one["state"] = self.deploy_ends if self.looks > self.polls else "BUILDING"
        return Reply(200, self._one(id, one["state"]))
