"""Web frameworks named by the project's files. One function a framework, in `DETECTORS`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from wizard.errors import UsageError
from wizard.frameworks.django.settings import django_version, named_modules
from wizard.frameworks.folders import relative
from wizard.frameworks.requirements import package_version
from wizard.model import Evidence, Framework
from wizard.scan.tree import Tree

Detector = Callable[[Tree], Iterator[Framework]]


def django(tree: Tree) -> Iterator[Framework]:
    """Every folder whose manage.py is Django's, nearest first; without one, a wsgi.py that names settings."""
    seen = False
    for file in tree.named("manage.py"):
        text = tree.text(file)
        if "DJANGO_SETTINGS_MODULE" not in text and "django" not in text:
            continue
        folder = tree.folder(file)
        line = next((n for n, t in enumerate(text.splitlines(), 1) if "DJANGO_SETTINGS_MODULE" in t), 1)
        version = django_version(tree.root, tree.root / folder)
        yield Framework(
            "django", ".".join(map(str, version)) if version else None, folder, (Evidence(file, line),)
        )
        seen = True
    if seen:
        return
    try:
        named = named_modules(tree.root)
    except UsageError:
        return
    if named:
        version = django_version(tree.root, tree.root)
        yield Framework("django", ".".join(map(str, version)) if version else None, ".", ())


def flask(tree: Tree) -> Iterator[Framework]:
    """Flask among the Python requirements."""
    yield from _python(tree, "flask")


def fastapi(tree: Tree) -> Iterator[Framework]:
    """FastAPI among the Python requirements."""
    yield from _python(tree, "fastapi")


def nestjs(tree: Tree) -> Iterator[Framework]:
    """NestJS among the dependencies of a package.json."""
    yield from _node(tree, "nestjs", "@nestjs/core")


def express(tree: Tree) -> Iterator[Framework]:
    """Express among the dependencies of a package.json that does not have NestJS (which brings it)."""
    if not any(nestjs(tree)):
        yield from _node(tree, "express", "express")


DETECTORS: tuple[Detector, ...] = (django, flask, fastapi, nestjs, express)


def requirement_folders(tree: Tree) -> tuple[str, ...]:
    """The folders that hold a file with Python requirements, nearest first."""
    names = [n for n in tree.names if n.endswith(".txt")]
    files = tree.named("pyproject.toml", "pipfile", *sorted(names))
    folders = dict.fromkeys(tree.folder(file).removesuffix("/requirements") for file in files)
    return tuple(sorted(folders, key=lambda f: (0 if f == "." else f.count("/") + 1, f)))


def _python(tree: Tree, package: str) -> Iterator[Framework]:
    for folder in requirement_folders(tree):
        found = package_version((tree.root / folder,), package)
        if found is not None:
            evidence = Evidence(relative(found.file, tree.root), found.line)
            yield Framework(package, found.version, folder, (evidence,))
            return


def _node(tree: Tree, name: str, package: str) -> Iterator[Framework]:
    for file in tree.named("package.json"):
        text = tree.text(file)
        try:
            wanted = json.loads(text).get("dependencies", {}).get(package)
        except (ValueError, AttributeError):
            continue
        if isinstance(wanted, str):
            line = next((n for n, t in enumerate(text.splitlines(), 1) if f'"{package}"' in t), 1)
            yield Framework(name, wanted.lstrip("^~>=v ") or None, tree.folder(file), (Evidence(file, line),))
            return
