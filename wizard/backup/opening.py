"""What `ashore backup` and `ashore restore` start from: the project, its answers, its secrets, its places."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wizard import answers_file, engine
from wizard.answers import Answers, StorageRule
from wizard.backup import sealing, sources
from wizard.backup.folder import FolderPlace
from wizard.backup.layout import slug
from wizard.backup.places import Place, open_place
from wizard.backup.sealing import Sealer
from wizard.backup.write import Request
from wizard.credentials import Redactor, Secret, Vault
from wizard.errors import UsageError
from wizard.model import Project
from wizard.state import EPHEMERAL_MARKS


@dataclass(frozen=True)
class Wish:
    """What a person asked for, as the command line has it."""

    path: Path
    answers: Path | None = None
    to: tuple[str, ...] = ()
    keep: int | None = None
    database: str | None = None
    files: tuple[str, ...] = ()
    only: str | None = None
    encrypt: str | None = None
    csv: bool = False
    name: str | None = None


@dataclass(frozen=True)
class Opening:
    """A project with its answers (where given), and a vault that resolves beside them."""

    project: Project
    answers: Answers | None
    vault: Vault
    environ: Mapping[str, str]

    @property
    def rules(self) -> tuple[StorageRule, ...]:
        return () if self.answers is None else self.answers.storage

    def place(self, text: str) -> Place:
        """The place called `text`; a relative folder is meant from where the command runs."""
        return open_place(text, self.rules, self.vault.resolve, self.environ, Path.cwd())


def open_project(
    path: Path, answers: Path | None, given: Mapping[str, Secret], environ: Mapping[str, str] | None = None
) -> Opening:
    """Raises UsageError for a folder or an answers file that cannot be read."""
    loaded = None if answers is None else answers_file.load(answers)
    project = engine.open_project(path.absolute() if loaded is None else loaded.project)
    environ = os.environ if environ is None else environ
    vault = Vault(Redactor(), given=given, environ=environ, base=project.root)
    return Opening(project, loaded, vault, environ)


def request(wish: Wish, opening: Opening) -> Request:
    """The backup that `wish` asks for. Connects nowhere. Raises UsageError."""
    if not wish.to:
        raise UsageError(
            "no-place",
            "No place for the backup was named; nothing was written.",
            "Add --to FOLDER or --to s3://bucket/prefix, best both.",
        )
    if wish.keep is not None and wish.keep < 1:
        raise UsageError("keep", "--keep must be 1 or more; nothing was written.", "")
    resolve, here = opening.vault.resolve, Path.cwd()
    project, answers = opening.project, opening.answers
    database = (
        None if wish.only == "files" else sources.database(project, answers, wish.database, resolve, here)
    )
    files: tuple[sources.Files, ...] = (
        ()
        if wish.only == "database"
        else sources.files(project, answers, wish.files, resolve, opening.environ, here)
    )
    places = tuple(opening.place(text) for text in dict.fromkeys(wish.to))
    for place in places:
        if isinstance(place, FolderPlace):
            _check_folder(place.root.resolve(), files, opening.environ)
    return Request(
        slug(wish.name or project.root.name),
        sources.source_name(database),
        database,
        files,
        places,
        wish.keep,
        None if wish.encrypt is None else _sealer(wish.encrypt, opening),
        wish.csv,
    )


def _sealer(text: str, opening: Opening) -> Sealer:
    public = text.startswith(sealing.PUBLIC)
    return sealing.sealer(text, None if public else opening.vault.resolve(text))


def _check_folder(root: Path, files: Sequence[sources.Files], environ: Mapping[str, str]) -> None:
    for source in files:
        if isinstance(source, sources.FolderFiles) and root.is_relative_to(source.path.resolve()):
            raise UsageError(
                "place-in-files",
                f"{root} lies inside {source.path}, whose files are backed up; nothing was written.",
                "Name a folder outside it with --to.",
            )
    mark = next((m for m in EPHEMERAL_MARKS if environ.get(m)), None)
    existing = next(p for p in (root, *root.parents) if p.exists())
    if mark is not None and existing.stat().st_dev == Path("/").stat().st_dev:
        raise UsageError(
            "place-ephemeral",
            f"This looks like a container ({mark} is set), and {root} lies on the disk that the next deploy "
            "wipes; nothing was written.",
            "Name a bucket (--to s3://bucket/prefix) or a folder on a mounted disk.",
        )
