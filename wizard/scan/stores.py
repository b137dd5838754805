"""The places that hold the app's data now, with counts and with what a redeploy does to them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wizard.frameworks.django.settings import DjangoSettings
from wizard.frameworks.folders import relative
from wizard.model import Evidence, Finding, Framework, LostOn, Store, StoreKind
from wizard.scan import databases, sqlite_counts, uploads
from wizard.scan.code import Code
from wizard.scan.platforms import UNKNOWN, Hosting
from wizard.scan.tree import Tree
from wizard.scan.variables import given_database

_SERVERS: tuple[tuple[str, StoreKind], ...] = (
    ("postg", "postgres"),
    ("mysql", "mysql"),
    ("mongo", "mongodb"),
)
_BACKENDS: tuple[tuple[str, StoreKind], ...] = (
    ("cloudinary", "cloudinary"),
    ("gcloud", "gcs"),
    ("google", "gcs"),
    ("azure", "azure"),
    ("s3", "s3"),
)


_SERVER = "It lies on a server of its own, which a redeploy does not touch."


_KEEPERS = frozenset((".gitkeep", ".keep", ".gitignore", ".DS_Store"))


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a path at a deploy."""

    survives: bool
    lost_on: tuple[LostOn, ...]
    why: str


def fate(path: str, hostings: tuple[Hosting, ...]) -> Fate:
    """What becomes of `path`: the worst of the platforms configured.

    A Compose file beside another platform's is taken to be for development, and does not count; nor does
    a configuration in a folder that does not hold the path, or a Vercel that shows the front end of an app
    which runs elsewhere.
    """
    near = tuple(h for h in hostings if h.holds(path))
    runs = tuple(h for h in near if h.platform.name not in ("docker-compose", "vercel"))
    deployed = runs or tuple(h for h in near if h.platform.name != "docker-compose") or near or (UNKNOWN,)
    for hosting in deployed:
        if not hosting.survives(path):
            return Fate(False, hosting.lost_on, hosting.rule)
    return Fate(True, (), f"It lies on a volume that {deployed[0].platform.name} keeps.")


def stores(
    code: Code,
    settings: DjangoSettings | None,
    hostings: tuple[Hosting, ...],
    frameworks: tuple[Framework, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> tuple[tuple[Store, ...], tuple[Finding, ...]]:
    """All stores, the one that the settings or the code name first, and what was odd about them.

    `environ` are variables that the deployed app is known to see.
    """
    tree = code.tree
    others = tuple(f for f in frameworks if f.name != "django")
    found: list[Store] = []
    odd: list[Finding] = []
    if settings is not None:
        found += _named(tree, settings, hostings, odd)
    if others or not frameworks:
        found += _in_code(code, hostings, odd, {store.path for store in found})
    known = {store.path for store in found}
    rest = [file for file in tree.databases if file not in known]
    unnamed = [_sqlite(tree, file, (), hostings, odd) for file in rest]
    found += sorted(unnamed, key=lambda store: -store.bytes)
    if settings is not None:
        found += _files(tree, settings, hostings)
    held = {store.path for store in found}
    for framework in others:
        written = tuple(uploads.folders(code, framework, environ or {}))
        for folder, place in written:
            if folder not in held:
                held.add(folder)
                found.append(_uploads(tree, tree.root / folder, place, hostings))
        unclear = uploads.unknown(code, framework) if not written else None
        if unclear is not None:
            odd.append(
                Finding(
                    "uploads-folder-unknown",
                    "warning",
                    "Uploads are written to a disk here, to a folder that the code alone does not tell.",
                    "Look where they lie on the server, and name that folder as a source in the answers.",
                    unclear.file,
                    unclear.line,
                )
            )
    return tuple(found), tuple(odd)


def _in_code(
    code: Code, hostings: tuple[Hosting, ...], odd: list[Finding], known: set[str]
) -> Iterator[Store]:
    """Databases that the code names. A SQLite file that is not here counts only where nothing else does."""
    tree = code.tree
    named = [n for n in databases.named(code) if n.path not in known]
    servers = [n for n in named if n.kind != "sqlite"]
    for server in servers:
        yield Store(server.kind, server.path, survives_redeploy=True, why=_SERVER, evidence=(server.place,))
    seen: set[str] = set()
    absent: list[databases.Named] = []
    for file in (n for n in named if n.kind == "sqlite"):
        alike = [
            d for d in tree.databases if d == file.path or d.endswith("/" + PurePosixPath(file.path).name)
        ]
        here = next((d for d in alike if d == file.path), alike[0] if len(alike) == 1 else None)
        if here is None:
            absent.append(file)
        elif here not in seen and here not in known:
            seen.add(here)
            yield _sqlite(tree, here, (file.place,), hostings, odd)
    if absent and not seen and not servers and not tree.databases and not known:
        yield _sqlite(tree, absent[0].path, (absent[0].place,), hostings, odd)


def _named(
    tree: Tree, settings: DjangoSettings, hostings: tuple[Hosting, ...], odd: list[Finding]
) -> Iterator[Store]:
    place = settings.where.get("DATABASES")
    evidence = (place,) if place else ()
    if settings.database_path is not None:
        yield _sqlite(tree, relative(settings.database_path, tree.root), evidence, hostings, odd)
        return
    engine = settings.database_engine or ""
    kind = next((kind for part, kind in _SERVERS if part in engine), None)
    if kind is not None:
        yield Store(kind, "DATABASE_URL", survives_redeploy=True, why=_SERVER, evidence=evidence)
    elif not engine and (given := given_database(tree)) is not None:
        yield Store("postgres", given[0], survives_redeploy=True, why=_SERVER, evidence=(*evidence, given[1]))
    elif not engine and place is not None:
        odd.append(
            Finding(
                "database-from-environment",
                "info",
                f"Which database {settings.module} uses is decided by the environment where the app runs.",
                "Run ashore where those variables are set, or name the database in the answers.",
                place.file,
                place.line,
            )
        )


def _sqlite(
    tree: Tree, file: str, evidence: tuple[Evidence, ...], hostings: tuple[Hosting, ...], odd: list[Finding]
) -> Store:
    doom = fate(file, hostings)
    place = evidence[0] if evidence else None
    try:
        counts = sqlite_counts.count(tree.root / file)
    except OSError as error:
        counts = sqlite_counts.Counts(0)
        absent = isinstance(error, FileNotFoundError)
        odd.append(
            Finding(
                "database-absent" if absent else "database-unreadable",
                "warning",
                f"The app's code names {file}, which is not here."
                if absent
                else f"{file} cannot be read: {error.strerror}.",
                "The data lies where the app runs: run ashore there, or bring a copy of the file here."
                if absent
                else "Run ashore as a user who may read it.",
                place.file if place else file,
                place.line if place else None,
            )
        )
    odd += _oddities(file, counts)
    return Store(
        "sqlite",
        file,
        counts.bytes,
        counts.tables,
        counts.rows,
        0,
        doom.survives,
        doom.lost_on,
        doom.why,
        evidence,
    )


def _oddities(file: str, counts: sqlite_counts.Counts) -> Iterator[Finding]:
    if counts.damage is not None:
        yield Finding(
            "database-damaged",
            "error",
            f"{file} is not a sound SQLite database: {counts.damage}.",
            "Keep the file as it is, and recover a copy: sqlite3 copy.db .recover | sqlite3 recovered.db",
            file,
        )
    elif counts.log_bytes:
        yield Finding(
            "database-in-use",
            "info",
            f"{file} has a journal of {counts.log_bytes:,} bytes beside it, which the counts leave out.",
            "Nothing to do: a run takes a consistent snapshot, journal included.",
            file,
        )
    elif not counts.complete:
        yield Finding(
            "rows-not-counted",
            "info",
            f"Not all rows of {file} were counted: it is large, or has virtual tables.",
            "Nothing to do: a run counts and compares every row.",
            file,
        )


def _files(tree: Tree, settings: DjangoSettings, hostings: tuple[Hosting, ...]) -> Iterator[Store]:
    backend = settings.default_storage or ""
    kind = next((kind for part, kind in _BACKENDS if part in backend.lower()), None)
    setting = settings.where.get("STORAGES") or settings.where.get("DEFAULT_FILE_STORAGE")
    if setting is not None and "STORAGES" not in settings.where and (settings.django_version or ()) >= (5, 1):
        kind = None  # DEFAULT_FILE_STORAGE is no longer read
    if kind is not None:
        why = "It lies outside the container, which a redeploy does not touch."
        yield Store(kind, backend, survives_redeploy=True, why=why, evidence=(setting,) if setting else ())
    folder = settings.media_root
    if folder is None or folder == tree.root or folder in tree.root.parents:
        return
    files, _ = measure(folder)
    if kind is not None and files == 0:
        return
    yield _uploads(tree, folder, settings.where.get("MEDIA_ROOT"), hostings)


def _uploads(tree: Tree, folder: Path, place: Evidence | None, hostings: tuple[Hosting, ...]) -> Store:
    files, size = measure(folder)
    path = relative(folder, tree.root)
    doom = fate(path, hostings)
    evidence = (place,) if place else ()
    return Store("uploads", path, size, 0, 0, files, doom.survives, doom.lost_on, doom.why, evidence)


def measure(folder: Path) -> tuple[int, int]:
    """Files below `folder` and their bytes; (0, 0) where it is absent. Links to folders are not followed."""
    files = size = 0
    pending = [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.name not in _KEEPERS:
                        try:
                            size += entry.stat().st_size
                        except OSError:
                            continue
                        files += 1
        except OSError:
            continue
    return files, size
