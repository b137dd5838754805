"""What deployment files leave out: requirements that are not there, health checks, backups."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from wizard.model import Finding, Store
from wizard.scan.code import Code
from wizard.scan.findings import INSTALLS
from wizard.scan.platforms import listed, load_yaml
from wizard.scan.tree import Tree
from wizard.scan.variables import static
from wizard.scan.yaml_lines import line_of

_BACKS_UP = (
    b"pg_dump", b"mongodump", b"mysqldump", b".backup ", b".backup(", b"litestream", b"VACUUM INTO",
    b"dbbackup", b"pgbackrest", b"wal-g", b"ashore backup", b"vacuum into",
)  # fmt: skip
_MADE = re.compile(r"(?:>|-o|--output(?:-file)?[= ])\s*([\w./-]+\.txt)")


_MAKERS = re.compile(r"pipenv|(?:poetry|uv|pdm) export|pip-compile|pip freeze")


def find(code: Code, stores: tuple[Store, ...], free: bool) -> Iterator[Finding]:
    """`free`: the scan found a free database of Render."""
    yield from _requirements(code.tree)
    yield from _health(code.tree)
    yield from _backups(code, stores, free)


def commands(tree: Tree) -> tuple[str, ...]:
    """The commands that start the deployed app."""
    found: list[str] = []
    for file in tree.named("render.yaml", "render.yml"):
        for service in listed(load_yaml(tree, file)[0], "services"):
            found += [str(service[k]) for k in ("startCommand", "dockerCommand") if service.get(k)]
    for file in tree.named("procfile"):
        found += [line.partition(":")[2] for line in tree.text(file).splitlines() if ":" in line]
    for file in tree.named("dockerfile"):
        text = re.sub(r"[\"',\[\]]+", " ", tree.text(file))
        found += re.findall(r"(?m)^\s*(?:CMD|ENTRYPOINT)\s+(.+)$", text)
    return tuple(found)


def _requirements(tree: Tree) -> Iterator[Finding]:
    """In a Procfile or Dockerfile. The context of a Dockerfile is not known: any file of the name will do."""
    for file in tree.named("procfile", "dockerfile"):
        text = tree.text(file)
        made = {posixpath.basename(name) for name in _MADE.findall(text)}
        if (
            "COPY --from" in text
            or "ADD http" in text
            or "curl" in text
            or "git clone" in text
            or _MAKERS.search(text)
        ):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if line.lstrip().startswith("#"):
                continue
            for name in INSTALLS.findall(line):
                base = posixpath.basename(name)
                if "$" in name or base in made or tree.names.get(base.lower()):
                    continue
                here = tree.root / tree.folder(file)
                places = (
                    here / name.lstrip("/"),
                    here / base,
                    tree.root / name.lstrip("/"),
                    tree.root / base,
                )
                if any(place.is_file() for place in places) or next(tree.root.glob(f"*/{base}"), None):
                    continue
                yield Finding(
                    "missing-requirements-file",
                    "error",
                    f"{file} names {name}, which does not exist.",
                    "The next deploy fails at this line: correct the name before you push.",
                    file,
                    number,
                )


def _health(tree: Tree) -> Iterator[Finding]:
    """Render restarts and routes by the health check; without one a broken deploy replaces a working one."""
    for file in tree.named("render.yaml", "render.yml"):
        data, node = load_yaml(tree, file)
        for number, service in enumerate(listed(data, "services")):
            if (
                service.get("type", "web") == "web"
                and not static(service)
                and not service.get("healthCheckPath")
            ):
                yield Finding(
                    "no-health-check",
                    "info",
                    f"{service.get('name') or 'The web service'} has no health check: a deploy that starts "
                    "but cannot answer replaces one that does.",
                    "Add healthCheckPath with a route that answers 200 without a login.",
                    file,
                    line_of(node, "services", number),
                )


def _backups(code: Code, stores: tuple[Store, ...], free: bool) -> Iterator[Finding]:
    """Only where it is certain that no provider makes any: a file of the app, a free database of Render."""
    held = next((s for s in stores if s.kind == "sqlite" and s.evidence), None)
    if held is None and not free:
        return
    if any(True for _ in code.having((".py", ".sh", ".yml", ".yaml", ".js", ".ts"), *_BACKS_UP)):
        return
    if any(
        re.search(r"(?i)dbbackup|litestream", code.tree.text(f))
        for f in code.tree.named("requirements.txt", "dockerfile")
    ):
        return
    what = held.path if held is not None else "the free Render database"
    place = held.evidence[0] if held is not None else None
    yield Finding(
        "no-backups",
        "info",
        f"Nothing in this project backs up {what}.",
        "`ashore backup` copies database and files elsewhere, and tests that they can be restored.",
        place.file if place else None,
        place.line if place else None,
    )
