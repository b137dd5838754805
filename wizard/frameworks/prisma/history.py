"""The migrations in the code, those in the database, and the new beginning that PostgreSQL needs.

Prisma's migrations are SQL of one provider: for another one its documentation has the folder replaced by a
single migration made from the schema (https://www.prisma.io/docs/orm/prisma-migrate/workflows/baselining).
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from wizard.errors import StepFailed, UsageError
from wizard.frameworks.base import Workshop
from wizard.frameworks.prisma.ddl import script
from wizard.frameworks.prisma.layout import BOOKKEEPING, Layout, read
from wizard.frameworks.prisma.parse import Schema, parse
from wizard.model import Framework

BASELINE = "0_init"
NEWEST = 6


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: the name of its folder, its SQL as it stands in the file."""

    name: str
    sql: bytes

    @property
    def checksum(self) -> str:
        """What Prisma notes of it."""
        return hashlib.sha256(self.sql).hexdigest()


def layout_of(workshop: Workshop) -> tuple[Layout, Schema]:
    """The app's layout and schema. Raises UsageError `unreadable-prisma-schema`."""
    found = read(workshop.project.root, workshop.framework)
    if found is None:
        raise UsageError(
            "unreadable-prisma-schema",
            "schema.prisma was not found in the project. Nothing was written.",
            "Set `database.schema: derived`.",
        )
    return found, parse(found.text())


def baseline(root: Path, framework: Framework, schema: Schema) -> Migration:
    """The migration that makes everything on PostgreSQL."""
    return Migration(BASELINE, script(schema, prisma_major(root, framework)).encode())


def in_code(layout: Layout) -> list[Migration]:
    """The migrations of the project, in their order."""
    if layout.migrations is None:
        return []
    files = sorted(layout.migrations.glob("*/migration.sql"))
    return [Migration(file.parent.name, file.read_bytes()) for file in files]


def for_target(workshop: Workshop, layout: Layout, schema: Schema) -> list[Migration]:
    """What shall stand in the target's history; without a folder of migrations it has none."""
    if layout.provider == "sqlite" or layout.migrations is None:
        return [baseline(workshop.project.root, workshop.framework, schema)]
    return in_code(layout)


def applied(snapshot: Path) -> tuple[str, ...] | None:
    """The migrations that the snapshot records as finished; None without such a table.

    Raises StepFailed `snapshot-unreadable`.
    """
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(snapshot))}?mode=ro&immutable=1", uri=True)
        ) as connection:
            found = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (BOOKKEEPING,)
            ).fetchone()
            if found is None:
                return None
            rows = connection.execute(
                f"SELECT DISTINCT migration_name FROM {BOOKKEEPING} "
                "WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1"
            ).fetchall()
    except sqlite3.Error as error:
        raise StepFailed(
            "snapshot-unreadable",
            f"The snapshot's {BOOKKEEPING} cannot be read: {error}.",
            "`ashore run` again takes a new snapshot.",
        ) from error
    return tuple(str(name) for (name,) in rows)


def prisma_major(root: Path, framework: Framework) -> int:
    """The major version of Prisma that package.json asks for; the newest known where it does not say."""
    try:
        data = json.loads((root / framework.path / "package.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return NEWEST
    for group in ("devDependencies", "dependencies"):
        for package in ("prisma", "@prisma/client"):
            said = data.get(group, {}).get(package) if isinstance(data, dict) else None
            number = re.search(r"\d+", said) if isinstance(said, str) else None
            if number is not None:
                return int(number[0])
    return NEWEST
