"""Hosting platforms whose configuration the project carries, and which paths survive a deploy there.

Rules as of 2026: Render keeps only a disk's mountPath (paid services); Fly only [mounts]; Heroku and
Vercel nothing; Railway volumes are not declared in its file; Compose volumes and binds stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from wizard.model import Evidence, LostOn, Platform
from wizard.scan.tree import Tree
from wizard.scan.yaml_lines import line_of

RENDER_ROOT = "/opt/render/project/src"


@dataclass(frozen=True, slots=True)
class Hosting:
    """A platform with its rule. `mounts` are absolute paths in the container that outlive it.

    `code` is where the project's root lies in the container. `rule` says in words what is lost and why.
    `folder` is that of its configuration.
    """

    platform: Platform
    lost_on: tuple[LostOn, ...]
    rule: str
    code: str = "/app"
    mounts: tuple[str, ...] = ()
    folder: str = "."

    def holds(self, path: str) -> bool:
        """Whether the configuration speaks of `path`: its folder holds it."""
        return self.folder == "." or path.startswith(self.folder + "/")

    def survives(self, path: str) -> bool:
        """Whether `path` (relative to the project, or absolute in the container) lies on a mount."""
        if self.folder != "." and path.startswith(self.folder + "/"):
            path = path[len(self.folder) + 1 :]
        inside = PurePosixPath(self.code) / path
        return any(PurePosixPath(mount) in (inside, *inside.parents) for mount in self.mounts)


Detector = Callable[[Tree], Iterator[Hosting]]


def render(tree: Tree) -> Iterator[Hosting]:
    """render.yaml: the plan of its first web service and the disks of all services."""
    for file in tree.named("render.yaml", "render.yml"):
        data, node = load_yaml(tree, file)
        services = [s for s in listed(data, "services") if s.get("type", "web") in ("web", "pserv", "worker")]
        servers = [s for s in services if "static" not in (s.get("env"), s.get("runtime"))]
        web = next((s for s in servers if s.get("type", "web") == "web"), servers[0] if servers else {})
        plan = str(web["plan"]) if web.get("plan") else None
        index = listed(data, "services").index(web) if web else 0
        line = line_of(node, "services", index, "plan") or line_of(node, "services", index) or 1
        disks = [s["disk"] for s in services if isinstance(s.get("disk"), dict)]
        mounts = tuple(str(disk["mountPath"]) for disk in disks if disk.get("mountPath"))
        idle = plan == "free"
        lost: tuple[LostOn, ...] = ("deploy", "restart", "idle") if idle else ("deploy", "restart")
        rule = (
            "Render's free services start from a fresh copy of the code at every deploy and restart, and "
            "after 15 minutes without traffic."
            if idle
            else "Render starts every deploy and restart from a fresh copy of the code; only a disk stays."
        )
        docker = "docker" in (web.get("env"), web.get("runtime"))
        place = _workdir(tree) if docker else RENDER_ROOT
        yield Hosting(Platform("render", plan, (Evidence(file, line),)), lost, rule, place, mounts)
        return


def heroku(tree: Tree) -> Iterator[Hosting]:
    """A Procfile: Heroku, or another platform that works alike. Beside another's file it is a leftover."""
    others = ("render.yaml", "render.yml", "fly.toml", "railway.json", "railway.toml")
    if any(tree.names.get(name) for name in others) and not tree.names.get("app.json"):
        return
    for file in tree.named("procfile"):
        rule = "A dyno's disk is thrown away at every deploy and at least once a day."
        yield Hosting(Platform("heroku", None, (Evidence(file, 1),)), ("deploy", "restart"), rule)
        return


def fly(tree: Tree) -> Iterator[Hosting]:
    """fly.toml: what lies under the destination of [mounts] stays."""
    for file in tree.named("fly.toml"):
        text = tree.text(file)
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            data = {}
        mounts = data.get("mounts", [])
        found = [m for m in (mounts if isinstance(mounts, list) else [mounts]) if isinstance(m, dict)]
        line = next((n for n, t in enumerate(text.splitlines(), 1) if "mounts" in t), 1)
        stops = bool(re.search(r"auto_stop_machines\s*=\s*(true|[\"'](stop|suspend))", text))
        lost: tuple[LostOn, ...] = ("deploy", "restart", "idle") if stops else ("deploy", "restart")
        yield Hosting(
            Platform("fly", None, (Evidence(file, line),)),
            lost,
            "A Fly machine starts from its image at every deploy and restart; only a volume stays.",
            _workdir(tree),
            tuple(str(m["destination"]) for m in found if m.get("destination")),
            tree.folder(file),
        )
        return


def railway(tree: Tree) -> Iterator[Hosting]:
    """railway.json or railway.toml; volumes are not declared there."""
    for file in tree.named("railway.json", "railway.toml"):
        rule = (
            "A Railway container starts from its image at every deploy; whether a volume is attached is "
            "not written in the project."
        )
        # https://docs.railway.com/reference/config-as-code: what must be mounted before a deploy goes out
        required = re.findall(r"[\"']?requiredMountPath[\"']?\s*[:=]\s*[\"']([^\"']+)", tree.text(file))
        yield Hosting(
            Platform("railway", None, (Evidence(file, 1),)),
            ("deploy", "restart"),
            rule,
            _workdir(tree),
            tuple(required),
            tree.folder(file),
        )
        return


def vercel(tree: Tree) -> Iterator[Hosting]:
    """vercel.json: functions cannot keep any file."""
    for file in tree.named("vercel.json"):
        rule = "Vercel's functions have no disk that stays: what they write is gone with the function."
        yield Hosting(
            Platform("vercel", None, (Evidence(file, 1),)),
            ("deploy", "restart", "idle"),
            rule,
            "/var/task",
            (),
            tree.folder(file),
        )
        return


def compose(tree: Tree) -> Iterator[Hosting]:
    """docker-compose.yml: named volumes and binds stay."""
    for file in tree.named("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"):
        data, node = load_yaml(tree, file)
        services = data.get("services") if isinstance(data, dict) else None
        mounts: list[str] = []
        for service in (services or {}).values() if isinstance(services, dict) else ():
            for volume in (service.get("volumes") or []) if isinstance(service, dict) else ():
                target = volume.get("target") if isinstance(volume, dict) else _target(str(volume))
                if target:
                    mounts.append(str(target))
        yield Hosting(
            Platform("docker-compose", None, (Evidence(file, line_of(node, "services") or 1),)),
            ("deploy",),
            "A container is replaced at every deploy with all that lies on its own disk; only volumes stay.",
            _workdir(tree),
            tuple(mounts),
        )
        return


DETECTORS: tuple[Detector, ...] = (render, fly, railway, vercel, heroku, compose)

UNKNOWN = Hosting(
    Platform("unknown", None),
    ("deploy",),
    "It lies on a container's own disk, which most platforms replace at every deploy.",
)


def load_yaml(tree: Tree, file: str) -> tuple[Any, yaml.Node | None]:
    """The document and its node tree (for lines); ({}, None) where it cannot be parsed."""
    text = tree.text(file)
    try:
        return yaml.safe_load(text) or {}, yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return {}, None


def listed(data: Any, key: str) -> list[dict[str, Any]]:
    """The mappings in the list under `key`; empty where there is none."""
    items = data.get(key) if isinstance(data, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _target(volume: str) -> str | None:
    """The container path of `source:target[:mode]`; a lone path is an anonymous volume."""
    parts = [part for part in volume.split(":") if part]
    return next((part for part in reversed(parts) if part.startswith("/")), None)


def _workdir(tree: Tree) -> str:
    """The last absolute WORKDIR of the project's Dockerfile, else /app."""
    for file in tree.named("dockerfile"):
        found = re.findall(r"(?mi)^\s*WORKDIR\s+[\"']?(/[^\s\"']*)", tree.text(file))
        if found:
            return str(found[-1])
    return "/app"
