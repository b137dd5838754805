"""Look everywhere, one place after the other; and take what was picked into a new folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from wizard import engine
from wizard.errors import AshoreError, StepFailed, UsageError
from wizard.model import Project
from wizard.rescue import elsewhere, git, local, web
from wizard.rescue.item import Item
from wizard.state import default_root

READ_FOR_NAMES = 4


@dataclass(frozen=True)
class Search:
    """Where to look. `named` are further folders (a mounted backup disk); `url` is the live site."""

    path: Path
    state_dir: Path | None = None
    named: tuple[Path, ...] = ()
    url: str | None = None


@dataclass(frozen=True)
class Found:
    """The project as it is now, and everything found, the newest first within each kind."""

    project: Project
    items: tuple[Item, ...]


def look(search: Search, note: Callable[[str], None]) -> Found:
    """Everything that may be recovered. Reads only; `note` gets what could not be looked into.

    Raises UsageError `project-missing`, `folder-missing`, `url`.
    """
    project = engine.open_project(search.path.absolute())
    for named in search.named:
        if not named.is_dir():
            raise UsageError("folder-missing", f"There is no folder {named}.", "Name a folder with --look.")
    root = project.root
    live = [(root / s.path).resolve() for s in project.stores if s.kind == "sqlite" and s.evidence]
    uploads = [s.path for s in project.stores if s.kind == "uploads"]
    state = search.state_dir or default_root()
    items: list[Item] = []
    with tempfile.TemporaryDirectory(prefix="ashore-rescue-") as folder:
        scratch = Path(folder)
        places: tuple[Callable[[], Iterator[Item]], ...] = (
            lambda: local.find(root, live, [p.absolute() for p in search.named]),
            lambda: local.still_open(root, scratch),
            lambda: local.own(state, root),
            lambda: git.find(root, uploads, scratch),
            lambda: elsewhere.docker(project),
            lambda: elsewhere.platforms(project),
        )
        for place in places:
            try:
                items += place()
            except AshoreError as error:
                note(error.message)
        if search.url is not None:
            items += web.find(search.url, web.names(_readable(items, live, scratch)))
    unique = {item.id: item for item in reversed(items)}
    ordered = sorted(unique.values(), key=lambda item: item.date, reverse=True)
    kinds = ("database", "files", "elsewhere")
    return Found(project, tuple(sorted(ordered, key=lambda item: kinds.index(item.kind))))


def _readable(items: Sequence[Item], live: Sequence[Path], scratch: Path) -> list[Path]:
    """SQLite files to read names of uploads from: the live ones and the fullest of what was found."""
    found = [path for path in live if path.is_file()]
    full = sorted(
        (i for i in items if i.kind == "database" and i.rows and i.take), key=lambda i: -(i.rows or 0)
    )
    for number, item in enumerate(full[:READ_FOR_NAMES]):
        folder = scratch / f"names-{number}"
        folder.mkdir()
        assert item.take is not None
        with suppress(AshoreError, OSError):
            item.take(folder)
            found += folder.glob("*")
    return found


def take(found: Found, id: str, target: Path) -> list[str]:
    """Write an item into the new folder `target`; returns what to do next, a line each.

    Raises UsageError `no-item`, `target-exists`; StepFailed `not-restored`. Where it fails, no folder stands.
    """
    item = next((i for i in found.items if i.id == id), None)
    if item is None:
        raise UsageError("no-item", f"Nothing called {id} was found.", "`ashore rescue` lists what there is.")
    if item.take is None:
        raise UsageError(
            "not-here", f"{item.title}: ashore cannot fetch this; nothing was written.", item.how
        )
    if target.exists():
        raise UsageError(
            "target-exists", f"{target} exists; nothing is written over it.", "Name a new folder with --to."
        )
    new = target.with_name(f".{target.name}.ashore-new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        item.take(new)
        if not any(new.rglob("*")):
            raise StepFailed("not-restored", f"{item.title}: nothing of it could be read.", "")
        new.rename(target)
    except (OSError, httpx.HTTPError) as error:
        raise StepFailed(
            "not-restored", f"{item.title} could not be restored: {type(error).__name__}: {error}.", ""
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return _next(found.project, target)


def _next(project: Project, target: Path) -> list[str]:
    """How what was restored goes on into the normal migration."""
    lines = []
    databases = sorted(
        p for p in target.glob("*") if p.suffix in (".sqlite3", ".sqlite", ".db", ".db3", ".s3db")
    )
    dumps = [p for p in target.glob("*") if p not in databases and p.suffix in (".dump", ".sql", ".gz")]
    folder = target / "files" if (target / "files").is_dir() else target
    lines.append(f"ashore answers {project.root} -o ashore.yml")
    if databases:
        lines.append(f"  then in ashore.yml, under database:  source: {databases[0].absolute()}")
    if dumps:
        lines.append(f"  first load {dumps[0].name} into a new, empty database; it is a PostgreSQL dump")
    if (not databases and not dumps) or (target / "files").is_dir():
        lines.append(f"  then in ashore.yml, under storage:   - source: {folder.absolute()}")
    lines += ["ashore preflight -a ashore.yml", "ashore run -a ashore.yml"]
    return lines
