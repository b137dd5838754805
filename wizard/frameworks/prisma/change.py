"""Prisma's schema and migrations switched from SQLite to PostgreSQL, as its documentation describes.

The new migration is byte for byte the one that built the target, so that its checksum is the one noted there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from wizard.frameworks.base import Change
from wizard.frameworks.folders import relative
from wizard.frameworks.prisma import history
from wizard.frameworks.prisma.layout import DATASOURCE, Layout, read
from wizard.frameworks.prisma.parse import parse
from wizard.model import Edit, Framework, Instruction, Need, Project, Splice
from wizard.patchers.base import Check, NotUnderstood, assemble, spliced

_PROVIDER = re.compile(r"^\s*provider\s*=\s*\"(sqlite)\"", re.M)
_URL = re.compile(r"^\s*url\s*=\s*(env\(\s*\"(\w+)\"\s*\)|\"[^\"\n]*\")", re.M)
_LOCK = re.compile(r"^\s*provider\s*=\s*\"(sqlite)\"", re.M)
_ADAPTER = re.compile(r"@prisma/adapter-(better-sqlite3|libsql)")


def change_prisma(project: Project, framework: Framework, needs: Sequence[Need]) -> Change:
    """The edits and instructions where a database moves to PostgreSQL; none where Prisma is not used, or
    stands there already. Reads only. Raises UsageError `unreadable-prisma-schema`."""
    need = next((n for n in needs if n.kind == "database" and n.backend == "postgres"), None)
    layout = read(project.root, framework)
    if need is None or layout is None or layout.provider != "sqlite":
        return Change((), ())
    variable = need.variable("url") or "DATABASE_URL"
    edits: list[Edit] = []
    instructions: list[Instruction] = []
    file = next(f for f in layout.schema if DATASOURCE.search(_text(f)))
    edit, more = _schema(project.root, file, variable)
    edits += [edit] if edit is not None else []
    instructions += more
    if layout.migrations is not None:
        edits += _migrations(project.root, framework, layout, layout.migrations)
        instructions.append(_old_migrations(project.root, layout.migrations))
    package = project.root / framework.path / "package.json"
    found = _ADAPTER.search(_text(package)) if package.is_file() else None
    if found is not None:
        instructions.append(
            Instruction(
                relative(Path(os.path.normpath(package)), project.root),
                1,
                f"The app gives Prisma's client the driver of SQLite ({found[0]}).",
                "npm install @prisma/adapter-pg\n"
                'import { PrismaPg } from "@prisma/adapter-pg";\n'
                f"const adapter = new PrismaPg({{ connectionString: process.env.{variable} }});\n"
                "new PrismaClient({ adapter });\n",
            )
        )
    return Change(tuple(edits), tuple(instructions))


def _schema(root: Path, file: Path, variable: str) -> tuple[Edit | None, list[Instruction]]:
    """The datasource's provider and URL."""
    text = file.read_bytes().decode("utf-8")
    path = relative(file, root)
    block = DATASOURCE.search(text)
    provider = _PROVIDER.search(text, block.start(1), block.end(1)) if block else None
    if block is None or provider is None:
        why = "The datasource's provider could not be found."
        return None, [Instruction(path, 1, why, 'provider = "postgresql"\n')]
    splices = [
        _splice(text, provider.start(1), provider.end(1), "postgresql", "The data lies in PostgreSQL.")
    ]
    instructions: list[Instruction] = []
    url = _URL.search(text, block.start(1), block.end(1))
    if url is not None and url[2] is None:
        reason = "The app reads the database's address from its environment."
        splices.append(_splice(text, url.start(1), url.end(1), f'env("{variable}")', reason))
    elif url is not None and url[2] != variable:
        line = text.count("\n", 0, url.start(1)) + 1
        why = f"The schema reads the database's address from {url[2]}; the target's is in {variable}."
        instructions.append(
            Instruction(path, line, why, f"Set {url[2]} on the platform to the same value.\n")
        )
    return assemble(path, file.read_bytes(), splices, _only(splices)), instructions


def _migrations(root: Path, framework: Framework, layout: Layout, folder: Path) -> list[Edit]:
    """The lock file and the migration that PostgreSQL's history begins with."""
    made = history.baseline(root, framework, parse(layout.text()))
    new = folder / made.name / "migration.sql"
    edits = []
    if not new.exists():
        splices = [Splice(0, 0, made.sql.decode(), "PostgreSQL's history begins with this migration.")]
        edits.append(assemble(relative(new, root), None, splices, _only(splices)))
    lock = folder / "migration_lock.toml"
    if lock.is_file():
        text = lock.read_bytes().decode("utf-8")
        found = _LOCK.search(text)
        if found is not None:
            reason = "Prisma compares it with the schema's provider."
            splices = [_splice(text, found.start(1), found.end(1), "postgresql", reason)]
            edits.append(assemble(relative(lock, root), lock.read_bytes(), splices, _only(splices)))
    return edits


def _old_migrations(root: Path, folder: Path) -> Instruction:
    """What Prisma's documentation asks for; ashore deletes nothing."""
    names = sorted(f.parent.name for f in folder.glob("*/migration.sql") if f.parent.name != history.BASELINE)
    place = relative(folder, root)
    return Instruction(
        f"{place}/migration_lock.toml",
        1,
        "These migrations are SQL for SQLite; `prisma migrate` would run them on PostgreSQL, and fail.",
        "".join(f"git rm -r {place}/{name}\n" for name in names),
    )


def _splice(text: str, start: int, end: int, new: str, reason: str) -> Splice:
    """Of characters of `text` as bytes."""
    return Splice(len(text[:start].encode()), len(text[:end].encode()), new, reason)


def _only(splices: Sequence[Splice]) -> Check:
    """Nothing but these splices came about, and what is a Prisma schema can still be read."""

    def check(before: bytes, after: bytes) -> None:
        if spliced(before, sorted(splices, key=lambda s: s.start)) != after:
            raise NotUnderstood("another change than the intended one came about")
        if DATASOURCE.search(after.decode("utf-8")):
            parse(after.decode("utf-8"))

    return check


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
