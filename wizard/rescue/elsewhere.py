"""What may lie where ashore cannot look by itself: containers, the platform's snapshots, expired databases.

What each provider keeps, and for how long, is as of the dates in the catalogue's sources (2026).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

from wizard.model import Project
from wizard.rescue.item import Item, short

SECONDS = 15
# (platform, what may be left, how to get at it)
_PLATFORMS: tuple[tuple[str, str, str], ...] = (
    (
        "render",
        "disk snapshots: daily, kept at least 7 days (services with a disk only)",
        "Render, the service's page, Disk, Snapshots: restoring one replaces the disk's present content.",
    ),
    (
        "render",
        "an expired free PostgreSQL: kept for 14 days after its 30 days",
        "Render, the database's page: upgrade it within the 14 days, and it answers again with all data.",
    ),
    (
        "render",
        "a paid PostgreSQL: point-in-time recovery and daily backups",
        "Render, the database's page, Recovery: it restores into a new database, the old one stays.",
    ),
    (
        "heroku",
        "backups of Heroku Postgres",
        "heroku pg:backups -a APP, then heroku pg:backups:url ID -a APP",
    ),
    (
        "fly",
        "volume snapshots: daily, kept for 5 days",
        "fly volumes list; fly volumes snapshots list VOLUME",
    ),
    ("railway", "backups of a volume, where they were switched on", "Railway, the volume's page, Backups."),
    ("vercel", "earlier deployments (code only: Vercel keeps no written file)", "Vercel, Deployments."),
)
_SERVERS = (
    (
        "Neon keeps the history of a branch: 6 hours on the free plan, 7 days (Launch), 30 days (Scale)",
        "Neon, Branches, Restore; or make a branch of an earlier time, and read from that.",
    ),
    (
        "Supabase Pro keeps daily backups for 7 days; a paused free project can be restored for 90 days",
        "Supabase, Database, Backups; a paused project: its page, Restore.",
    ),
)


def platforms(project: Project) -> Iterator[Item]:
    """What the project's own platforms and database servers may still hold."""
    names = {platform.name for platform in project.platforms}
    for name, what, how in _PLATFORMS:
        if name in names:
            yield Item(short("platform", name, what), "elsewhere", "platform", f"{name}: {what}", "", how)
    if any(store.kind == "postgres" for store in project.stores):
        for what, how in _SERVERS:
            yield Item(short("platform", what), "elsewhere", "platform", what, "", how)


def docker(project: Project) -> Iterator[Item]:
    """Containers and volumes of the Compose project of this name, where Docker answers."""
    if shutil.which("docker") is None:
        return
    mark = "".join(c for c in project.root.name.lower() if c.isalnum() or c in "-_")
    label = f"label=com.docker.compose.project={mark}"
    for line in _docker("volume", "ls", "--filter", label, "--format", "{{json .}}"):
        name = str(line.get("Name", ""))
        yield Item(
            short("docker", "volume", name), "elsewhere", "docker", f"the volume {name}", "",
            f"docker run --rm -v {name}:/from:ro -v \"$PWD/rescued:/to\" alpine cp -a /from/. /to/",
        )  # fmt: skip
    for line in _docker("ps", "-a", "--filter", label, "--format", "{{json .}}"):
        name = str(line.get("Names", ""))
        yield Item(
            short("docker", "container", name), "elsewhere", "docker",
            f"the container {name} ({line.get('Status', '')})", str(line.get("CreatedAt", "")),
            f"docker cp {name}:/app/db.sqlite3 rescued/   (the path is that in the container)",
        )  # fmt: skip


def _docker(*arguments: str) -> list[dict[str, object]]:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        return []
    found = []
    for line in done.stdout.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
