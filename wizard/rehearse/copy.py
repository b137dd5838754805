"""The copy that a rehearsal works on, and the answers for it: the same choices, the servers of our own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wizard.answers import Answers, StorageRule
from wizard.context import Cancel
from wizard.credentials import REFERENCE, Secret
from wizard.databases.sqlite import snapshot
from wizard.demo import embedded
from wizard.errors import UsageError
from wizard.frameworks.folders import (
    NEVER_OWN,
    SIDE_SUFFIXES,
    SQLITE_SUFFIXES,
    has_sqlite_magic,
    is_environment,
)
from wizard.model import Need, Project
from wizard.storages import LEAVE

DATABASE, ACCESS, KEY = (
    "env:ASHORE_REHEARSAL_DATABASE",
    "env:ASHORE_REHEARSAL_ACCESS",
    "env:ASHORE_REHEARSAL_KEY",
)
REGION = "us-east-1"
NOT_FILES = ("database", "render-disk")


@dataclass(frozen=True)
class Servers:
    """The servers that stand in for the real ones."""

    url: Secret
    port: int
    s3: embedded.S3

    @property
    def secrets(self) -> Mapping[str, Secret]:
        """The secrets of the rehearsal's answers, by reference."""
        return {DATABASE: self.url, ACCESS: self.s3.access_key, KEY: self.s3.secret_key}


def copy_project(project: Project, target: Path, cancel: Cancel) -> None:
    """Copy all that the app needs: code, its SQLite files as they stand at one moment, its files.

    Environments, version control and what tools make stay out; links that lead out of the project too.
    """
    root = project.root
    for here, folders, names in os.walk(root):
        cancel.check()
        folder = Path(here)
        into = target / folder.relative_to(root)
        into.mkdir(parents=True, exist_ok=True)
        folders[:] = [n for n in folders if n not in NEVER_OWN and not is_environment(folder / n)]
        for name in names:
            path = folder / name
            if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
                continue
            lower = name.lower()
            if lower.endswith(SQLITE_SUFFIXES) and has_sqlite_magic(path):
                snapshot.take(path, into / name, cancel=cancel)
            elif not any(lower.endswith(end + side) for end in SQLITE_SUFFIXES for side in SIDE_SUFFIXES):
                shutil.copy2(path, into / name)


def rehearsal_answers(answers: Answers, copy: Path, interpreter: str | None, servers: Servers) -> Answers:
    """The same answers for the copy and the servers here; makes their buckets.

    Raises UsageError `rehearse-outside` where a source lies outside the project, `rehearse-source` where it
    is no SQLite file.
    """
    database = answers.database
    if database is not None and database.source is not None:
        if REFERENCE.match(database.source) or "://" in database.source:
            raise UsageError(
                "rehearse-source",
                "Only the move of a SQLite file is rehearsed; the source here is a server.",
                "Look at `ashore plan -a FILE`, and run against an empty database that you throw away.",
            )
        _require_inside(answers.project, database.source)
    if database is not None and answers.moves_database:
        if database.provider == "mongodb":
            raise UsageError(
                "rehearse-source", "A move to MongoDB is not rehearsed: no such server is here.", ""
            )
        database = replace(
            database, provider="postgres", url=DATABASE, app_url=None, create=None, allow_nonempty=False
        )
    buckets: dict[str, str] = {}
    rules = tuple(_rule(answers.project, rule, servers, buckets) for rule in answers.storage)
    return replace(
        answers, project=copy, interpreter=interpreter, database=database, storage=rules, deploy=None
    )


def _rule(project: Path, rule: StorageRule, servers: Servers, buckets: dict[str, str]) -> StorageRule:
    if rule.source is not None:
        _require_inside(project, rule.source)
    if rule.provider == LEAVE or rule.provider in NOT_FILES:
        return rule
    place = f"{rule.provider} {rule.options.get('bucket')} {rule.options.get('container')}"
    if place not in buckets:
        buckets[place] = f"rehearsal-{len(buckets) + 1}"
        servers.s3.create_bucket(buckets[place])
    bucket = buckets[place]
    public = f"{servers.s3.endpoint}/{bucket}" if rule.access == "public" else None
    options = {
        "bucket": bucket,
        "region": REGION,
        "endpoint": servers.s3.endpoint,
        "access_key": ACCESS,
        "secret_key": KEY,
    }
    return replace(
        rule,
        provider="s3-compatible",
        options=options,
        public_url=public,
        create=False,
        cors=(),
        on_conflict="stop",
    )


def _require_inside(project: Path, source: str) -> None:
    if not (project / source).resolve().is_relative_to(project.resolve()):
        raise UsageError(
            "rehearse-outside",
            f"{source} lies outside {project}, and a copy of the project does not hold it.",
            "Bring it into the project's folder for the rehearsal, and name it there.",
        )


def variables(needs: tuple[Need, ...], servers: Servers) -> dict[str, Secret | str]:
    """The environment variables that the patched app reads, with the values of the servers here."""
    found: dict[str, Secret | str] = {}
    for need in needs:
        secrets = {
            "url": servers.url,
            "access_key": servers.s3.access_key,
            "secret_key": servers.s3.secret_key,
        }
        by_name = {name: secrets[role] for role, name in need.roles if role in secrets}
        for variable in need.variables:
            found[variable.name] = by_name.get(variable.name, variable.example)
    return found
