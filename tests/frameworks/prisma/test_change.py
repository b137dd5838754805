"""The switch of Prisma's provider in the project's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.frameworks.prisma import sample
from wizard.frameworks.prisma.change import change_prisma
from wizard.frameworks.prisma.history import baseline
from wizard.frameworks.prisma.parse import parse
from wizard.model import Framework, Need, Project, Variable
from wizard.patchers.base import apply_splices

NEED = Need("database", "postgres", (Variable("DATABASE_URL", ""),), (("url", "DATABASE_URL"),))
NEST = Framework("nestjs", None, ".")


def applied(root: Path) -> tuple[dict[str, bytes], list[str]]:
    made = change_prisma(Project(root, (NEST,)), NEST, (NEED,))
    for edit in made.edits:
        file = root / edit.path
        before = file.read_bytes() if edit.before_sha256 else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(apply_splices(before, edit))
    return {e.path: (root / e.path).read_bytes() for e in made.edits}, [i.text for i in made.instructions]


def test_the_provider_the_url_and_the_history_change_and_nothing_else(tmp_path: Path) -> None:
    root = sample.write(tmp_path / "app")
    schema = root / "prisma" / "schema.prisma"
    windows = ("// Größe\r\n" + sample.SCHEMA.replace("\n", "\r\n")).encode()
    schema.write_bytes(windows)
    files, told = applied(root)
    assert files["prisma/schema.prisma"] == windows.replace(b'"sqlite"', b'"postgresql"').replace(
        b'"file:./dev.db"', b'env("DATABASE_URL")'
    )
    assert files["prisma/migrations/migration_lock.toml"] == b'provider = "postgresql"\n'
    new = files["prisma/migrations/0_init/migration.sql"]
    assert hashlib.sha256(new).hexdigest() == baseline(root, NEST, parse(sample.SCHEMA)).checksum
    assert told == [f"git rm -r prisma/migrations/{sample.NAME}\n"]
    assert applied(root) == ({}, [])  # a second time there is nothing to do


def test_another_variable_and_a_driver_adapter_are_said(tmp_path: Path) -> None:
    root = sample.write(tmp_path / "app", migrations=False)
    schema = root / "prisma" / "schema.prisma"
    schema.write_text(sample.SCHEMA.replace('"file:./dev.db"', 'env("DB")'))
    (root / "package.json").write_text('{"dependencies": {"@prisma/adapter-libsql": "6"}}')
    files, told = applied(root)
    assert list(files) == ["prisma/schema.prisma"]
    assert "Set DB on the platform" in told[0] and "@prisma/adapter-pg" in told[1]
