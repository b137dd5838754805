"""Where a project keeps its Prisma schema and migrations. Reads text; runs nothing."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from wizard.frameworks.folders import relative
from wizard.model import Framework

BOOKKEEPING = "_prisma_migrations"
DATASOURCE = re.compile(r"^\s*datasource\s+\w+\s*\{(.*?)^\s*\}", re.M | re.S)
_PROVIDER = re.compile(r"^\s*provider\s*=\s*(?:\[\s*)?\"(\w+)\"", re.M)
_USUAL = (
    "prisma/schema.prisma",
    "schema.prisma",
    "src/prisma/schema.prisma",
    "src/db/schema.prisma",
    "db/schema.prisma",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A Prisma project. `schema` are the files of the schema, `migrations` the folder or None (`db push`).

    `provider` is the datasource's: sqlite, postgresql, …
    """

    schema: tuple[Path, ...]
    provider: str
    migrations: Path | None

    def text(self) -> str:
        """The whole schema, files one after the other."""
        return "\n".join(file.read_text(encoding="utf-8-sig", errors="replace") for file in self.schema)


def owns_schema(root: Path, framework: Framework) -> bool:
    """Whether a Prisma schema for SQLite or PostgreSQL stands in the app."""
    found = read(root, framework)
    return found is not None and found.provider in ("sqlite", "postgresql", "postgres")


def bookkeeping(root: Path, framework: Framework) -> tuple[str, ...]:
    """`_prisma_migrations`, where the app has migrations."""
    found = read(root, framework)
    return (BOOKKEEPING,) if found is not None and found.migrations is not None else ()


def read(root: Path, framework: Framework) -> Layout | None:
    """The app's Prisma schema; None where it has none. Its place is package.json's, else Prisma's default."""
    app = Path(os.path.normpath(root / framework.path))
    for place in dict.fromkeys([*_named(app), *(app / name for name in _USUAL), app / "prisma" / "schema"]):
        files = tuple(sorted(place.rglob("*.prisma"))) if place.is_dir() else (place,)
        if not files or not all(file.is_file() for file in files):
            continue
        text = "\n".join(file.read_text(encoding="utf-8-sig", errors="replace") for file in files)
        block = DATASOURCE.search(text)
        provider = _PROVIDER.search(block[1]) if block else None
        if provider is None:
            continue
        near = [place, place.parent] if place.is_dir() else [place.parent]
        folders = [folder / "migrations" for folder in near]
        migrations = next((folder for folder in folders if any(folder.glob("*/migration.sql"))), None)
        return Layout(files, provider[1], migrations)
    return None


def shown(root: Path, layout: Layout) -> str:
    """The schema's place as a message names it."""
    return relative(layout.schema[0], root)


def _named(app: Path) -> list[Path]:
    """The place that package.json gives (`prisma.schema`)."""
    try:
        data = json.loads((app / "package.json").read_text(encoding="utf-8-sig"))
        named = data["prisma"]["schema"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [Path(os.path.normpath(app / named))] if isinstance(named, str) else []
