"""The places that hold the app's data now, with counts and with what a redeploy does to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.django.settings import DjangoSettings
from wizard.frameworks.folders import relative
from wizard.model import Evidence, Finding, LostOn, Store, StoreKind
from wizard.scan import sqlite_counts
from wizard.scan.platforms import UNKNOWN, Hosting
from wizard.scan.tree import Tree

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


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a path at a deploy."""

    survives: bool
    lost_on: tuple[LostOn, ...]
    why: str


def fate(path: str, hostings: tuple[Hosting, ...]) -> Fate:
    """What becomes of `path`: the worst of the platforms configured.

    A Compose file beside another platform's is taken to be for development, and does not count.
    """
    deployed = tuple(h for h in hostings if h.platform.name != "docker-compose") or hostings or (UNKNOWN,)
    for hosting in deployed:
        if not hosting.survives(path):
            return Fate(False, hosting.lost_on, hosting.rule)
    return Fate(True, (), f"It lies on a volume that {deployed[0].platform.name} keeps.")


def stores(
    tree: Tree, settings: DjangoSettings | None, hostings: tuple[Hosting, ...]
) -> tuple[tuple[Store, ...], tuple[Finding, ...]]:
    """All stores, the one that the settings name first, and what was odd about them."""
    found: list[Store] = []
    odd: list[Finding] = []
    if settings is not None:
        found += _named(tree, settings, hostings, odd)
    known = {store.path for store in found}
    rest = [file for file in tree.databases if file not in known]
    others = [_sqlite(tree, file, (), hostings, odd) for file in rest]
    found += sorted(others, key=lambda store: -store.bytes)
    if settings is not None:
        found += _files(tree, settings, hostings)
    return tuple(found), tuple(odd)


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
        why = "It lies on a server of its own, which a redeploy does not touch."
        yield Store(kind, "DATABASE_URL", survives_redeploy=True, why=why, evidence=evidence)
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
                f"The settings name {file}, which is not here."
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
    if kind is not None:
        why = "It lies outside the container, which a redeploy does not touch."
        yield Store(kind, backend, survives_redeploy=True, why=why, evidence=(setting,) if setting else ())
    folder = settings.media_root
    if folder is None or folder == tree.root or folder in tree.root.parents:
        return
    files, size = measure(folder)
    if kind is not None and files == 0:
        return
    path = relative(folder, tree.root)
    doom = fate(path, hostings)
    place = settings.where.get("MEDIA_ROOT")
    yield Store(
        "uploads", path, size, 0, 0, files, doom.survives, doom.lost_on, doom.why, (place,) if place else ()
    )


def measure(folder: Path) -> tuple[int, int]:
    """Files below `folder` and their bytes; (0, 0) where it is absent. Links to folders are not followed."""
    files = size = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.stat(os.path.join(where, name)).st_size  # noqa: PTH116, PTH118 (for every file)
            except OSError:
                continue
            files += 1
    return files, size
