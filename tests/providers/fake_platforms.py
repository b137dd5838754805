"""Heroku and Fly for tests: as `fake`, in a file of their own."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.providers.fake import NOW, TOKEN, Fake, Reply, Request

CLOUDINARY_TOKEN = "the-key:the-secret"
NEWEST = "version ..; order=desc,max=200"


class HerokuFake(Fake):
    """Config vars, releases (newest last in `releases`) and add-ons of the app `my-app`."""

    def __init__(self, polls: int = 2) -> None:
        super().__init__()
        self.polls = polls
        self.looks = 0
        self.variables = {"OTHER": "untouched"}
        self.addons: list[dict[str, Any]] = []
        self.commits: dict[str, str | None] = {}
        self.releases: list[dict[str, Any]] = []
        self.release_ends = "succeeded"
        self.restarts = 0
        self._release("Initial release", None, "succeeded")

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"id": "some_id", "message": message})

    def handle(self, request: Request) -> Reply:
        for method, pattern, call in (
            ("GET", r"/apps/my-app", self._app),
            ("GET", r"/apps/my-app/config-vars", self._read),
            ("PATCH", r"/apps/my-app/config-vars", self._change),
            ("GET", r"/apps/my-app/addons", self._addons),
            ("GET", r"/apps/my-app/releases", self._listed),
            ("POST", r"/apps/my-app/releases", self._deploy),
            ("GET", r"/apps/my-app/releases/([^/]+)", self._followed),
            ("GET", r"/apps/my-app/slugs/([^/]+)", self._slug),
        ):
            match = request.matches(method, pattern)
            if match:
                return call(request, *match.groups())
        return self.refused(404, "Couldn't find that app.")

    def pushed(self, commit: str | None, status: str = "succeeded") -> None:
        """The user pushed, and Heroku built and released it."""
        slug = f"slug-{len(self.commits) + 1}"
        self.commits[slug] = commit
        self._release(f"Deploy {commit}", slug, status)

    def _release(self, said: str, slug: str | None, status: str) -> dict[str, Any]:
        if status == "succeeded":
            for release in self.releases:
                release["current"] = False
        version = len(self.releases) + 1
        self.releases.append(
            {
                "id": f"rel-{version}", "version": version, "description": said, "status": status,
                "current": status == "succeeded", "slug": {"id": slug} if slug else None, "artifacts": [],
                "created_at": NOW, "updated_at": NOW, "output_stream_url": None,
            }
        )  # fmt: skip
        return self.releases[-1]

    def _app(self, request: Request) -> Reply:
        return Reply(200, {"id": "app-1", "name": "my-app"})

    def _read(self, request: Request) -> Reply:
        return Reply(200, self.variables)

    def _change(self, request: Request) -> Reply:
        for name, value in request.body.items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value
        self.restarts += 1
        last = self.releases[-1]["slug"]
        self._release("Set config vars", last["id"] if last else None, "succeeded")
        return Reply(200, self.variables)

    def _addons(self, request: Request) -> Reply:
        return Reply(200, self.addons)

    def _listed(self, request: Request) -> Reply:
        return Reply(206, self.releases[::-1])

    def _deploy(self, request: Request) -> Reply:
        if request.body["slug"] not in self.commits:
            return self.refused(404, "Couldn't find that slug.")
        return Reply(201, self._release(request.body["description"], request.body["slug"], "pending"))

    def _followed(self, request: Request, id: str) -> Reply:
        release = next(r for r in self.releases if r["id"] == id)
        if release["status"] == "pending":
            self.looks += 1
            if self.looks > self.polls:
                release["status"] = self.release_ends
                if self.release_ends == "succeeded":
                    for other in self.releases:
                        other["current"] = other is release
        return Reply(200, release)

    def _slug(self, request: Request, id: str) -> Reply:
        return Reply(200, {"id": id, "commit": self.commits[id]})


class FlyFake(Fake):
    """The volumes of the app `my-app`, as Fly's page about them shows one."""

    def __init__(self, **changed: object) -> None:
        super().__init__()
        self.volumes: list[dict[str, object]] = [
            {
                "id": "vol_1", "name": "disk", "state": "created", "size_gb": 3, "region": "yul",
                "attached_machine_id": "m-1", "snapshot_retention": 5, "auto_backup_enabled": True, **changed,
            }
        ]  # fmt: skip

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"error": message})

    def handle(self, request: Request) -> Reply:
        if request.matches("GET", r"/apps/my-app/volumes"):
            return Reply(200, self.volumes)
        return self.refused(404, "app not found")


class CloudinaryFake(Fake):
    """The usage of one cloud."""

    def __init__(self, **usage: Any) -> None:
        super().__init__()
        self.usage = {"plan": "Free", **usage}

    def refused(self, status: int, message: str) -> Reply:
        return Reply(status, {"error": {"message": message}})

    def answer(self, request: Request, token: str) -> Reply | None:
        if token != "Basic " + b64encode(CLOUDINARY_TOKEN.encode()).decode():
            return self.refused(401, "Invalid credentials")
        return super().answer(request, f"Bearer {TOKEN}")

    def handle(self, request: Request) -> Reply:
        known = request.matches("GET", "/v1_1/my-cloud/usage")
        return Reply(200, self.usage) if known else self.refused(404, "no such cloud")


def postgres_addon(**changed: object) -> dict[str, Any]:
    """A PostgreSQL add-on as the add-on list holds it."""
    return {
        "id": "add-1", "name": "postgresql-curly-1", "state": "provisioned",
        "addon_service": {"id": "s", "name": "heroku-postgresql"}, "config_vars": ["HEROKU_RED_URL"],
        "plan": {"id": "p", "name": "heroku-postgresql:essential-0"},
        "billed_price": {"cents": 500, "contract": False, "unit": "month"}, **changed,
    }  # fmt: skip
