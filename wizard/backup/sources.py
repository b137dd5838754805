"""What an app's data is now: its database and its files, by the answers, the flags, or the scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wizard.answers import Answers, StorageRule
from wizard.backup.places import bucket_rule
from wizard.credentials import REFERENCE, Secret
from wizard.errors import UsageError
from wizard.model import Project
from wizard.storages import LEAVE, open_store
from wizard.storages.s3_store import S3Store

Resolve = Callable[[str], Secret]


@dataclass(frozen=True, slots=True)
class SqliteSource:
    """A SQLite file."""

    path: Path
    shown: str


@dataclass(frozen=True, slots=True)
class PostgresSource:
    """A PostgreSQL database behind the reference `shown`."""

    url: Secret
    shown: str


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files below a folder. `name` tells stores apart in the backup."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class BucketFiles:
    """The objects of a bucket whose keys begin with `prefix`."""

    name: str
    store: S3Store
    prefix: str


Database = SqliteSource | PostgresSource
Files = FolderFiles | BucketFiles


def database(
    project: Project, answers: Answers | None, flag: str | None, resolve: Resolve, base: Path
) -> Database | None:
    """The database to back up: `--database`, else the answers' (the target, once it moves), else the scan's.

    `base` is what a relative path in `flag` is meant from. None where there is none. Raises UsageError
    `several-databases`, `database-missing`, `database-unknown`.
    """
    if flag is not None:
        return _named(flag, base, resolve)
    if answers is not None and answers.database is not None:
        if answers.moves_database:
            if answers.database.url is None:
                raise UsageError(
                    "database-unknown",
                    "The answers do not say how to reach the database that they make.",
                    "Name it: --database env:DATABASE_URL.",
                )
            return _named(answers.database.url, project.root, resolve)
        if answers.database.source is not None:
            return _named(answers.database.source, project.root, resolve)
    found = [s for s in project.stores if s.kind in ("sqlite", "postgres", "mysql", "mongodb")]
    if not found:
        return None
    if len(found) > 1:
        raise UsageError(
            "several-databases",
            f"More than one database was found: {', '.join(s.path for s in found)}. Nothing was written.",
            "Name the one that the app uses: --database db.sqlite3, or --database env:DATABASE_URL.",
        )
    store = found[0]
    if store.kind == "sqlite":
        return _named(store.path, project.root, resolve)
    if store.kind != "postgres":
        raise UsageError(
            "database-unknown",
            f"The app's database is {store.kind}; ashore backs up SQLite and PostgreSQL.",
            "Use the database's own tool for it, and `ashore backup --only files` for the files.",
        )
    return _named(f"env:{store.path}", project.root, resolve)


def _named(text: str, base: Path, resolve: Resolve) -> Database:
    if "://" in text:
        raise UsageError(
            "literal-secret",
            "A connection string stands where a reference belongs; it is not repeated here.",
            "Write --database env:DATABASE_URL and keep the value there.",
        )
    if REFERENCE.match(text):
        secret = resolve(text)
        scheme = secret.reveal().partition("://")[0]
        if not scheme.startswith("postgres"):
            raise UsageError(
                "database-unknown",
                f"What {text} refers to is no PostgreSQL connection string; ashore backs up SQLite and "
                "PostgreSQL.",
                "Name another reference, or the SQLite file's path.",
            )
        return PostgresSource(secret, text)
    path = base / text
    if not path.is_file():
        raise UsageError("database-missing", f"There is no database file {path}.", "Name it with --database.")
    return SqliteSource(path, text)


def files(
    project: Project,
    answers: Answers | None,
    flags: Sequence[str],
    resolve: Resolve,
    environ: Mapping[str, str],
    base: Path,
) -> tuple[Files, ...]:
    """The files to back up: `--files`, else the answers' (buckets, once they move), else the scan's folders.

    Raises UsageError `files-missing`, `files-elsewhere` for a storage that cannot be listed here.
    """
    rules = () if answers is None else answers.storage
    if flags:
        return tuple(_place(text, rules, resolve, environ, base) for text in flags)
    uploads = [s.path for s in project.stores if s.kind == "uploads"]
    if not rules:
        return tuple(_folder(path, project.root) for path in uploads)
    found: list[Files] = []
    for rule in rules:
        if rule.provider == LEAVE:
            named = [rule.source] if rule.source is not None else uploads
            found += [_folder(path, project.root) for path in named]
        else:
            found.append(_bucket(rule, resolve))
    return tuple(dict.fromkeys(found))


def _folder(path: str, base: Path) -> FolderFiles:
    folder = base / path
    if not folder.is_dir():
        raise UsageError("files-missing", f"There is no folder {folder}.", "Name it with --files.")
    return FolderFiles(path.strip("/").removeprefix("./") or folder.name, folder)


def _place(
    text: str, rules: Sequence[StorageRule], resolve: Resolve, environ: Mapping[str, str], base: Path
) -> Files:
    if "://" not in text:
        return _folder(text, base)
    return _bucket(bucket_rule(text, rules, environ), resolve)


def _bucket(rule: StorageRule, resolve: Resolve) -> BucketFiles:
    try:
        store = open_store(replace(rule, create=False), resolve)
    except UsageError as error:
        raise UsageError(error.code, f"{error.message} Nothing was written.", error.hint) from error
    if not isinstance(store, S3Store):
        raise UsageError(
            "files-elsewhere",
            f"The files lie at {store.title}, which ashore does not back up from; nothing was written.",
            "Back up the database alone with --only database, and the files with that provider's own tool.",
        )
    return BucketFiles(f"{store.name}/{rule.prefix}".rstrip("/"), store, rule.prefix)


def source_name(found: Database | None) -> str:
    """What tells apps of one name apart in a shared place: kind and name of the database, no secret."""
    match found:
        case SqliteSource():
            return f"sqlite:{found.path.name}"
        case PostgresSource():
            from wizard.databases.postgres.connect import parse

            return f"postgres:{parse(found.url)['dbname']}"
    return "files"
