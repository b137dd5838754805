"""The user's answers: their shape, and the checks that need no other room.

The shape is a contract (INTERFACE, "Answers file"). Loading from YAML, JSON Schema and saving stand
in `answers_file.py`, which alone needs pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

VERSION = 1
STRICT = {"extra": "forbid"}
STAYS = ("keep", "stay-with-backups")

DatabaseProvider = Literal["render", "neon", "supabase", "postgres", "mongodb", "keep", "stay-with-backups"]


@dataclass(frozen=True)
class CreateDatabase:
    """A database to provision. `token` is a reference; on Render the platform's own is taken. `password`
    is a reference to the one that a database of Supabase shall have: its API never shows it."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    name: str
    region: str | None = None
    plan: str | None = None
    token: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class DatabaseAnswers:
    """Where the database goes. `url` and `app_url` are references, never URLs.

    `source` is a path relative to the project, or None for the scan's. `decisions` maps
    `table.column` (or another subject) to {code: choice}.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    provider: DatabaseProvider = "postgres"
    source: str | None = None
    url: str | None = None
    app_url: str | None = None
    create: CreateDatabase | None = None
    schema: Literal["framework", "derived"] | None = None
    allow_nonempty: bool = False
    decisions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class StorageRule:
    """One line of routing: files of `source` matching `match` and within `max_size` (bytes) go to `provider`.

    `source` is a folder relative to the project, or None for the scan's uploads store. `options` are
    the provider's own keys, already validated against its `Options` (for S3: bucket, region,
    endpoint, access_key, secret_key; the two keys are references).
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    provider: str
    source: str | None = None
    match: str = "**"
    max_size: int | None = None
    prefix: str = ""
    access: Literal["signed", "public"] = "signed"
    public_url: str | None = None
    create: bool = False
    cors: tuple[str, ...] = ()
    on_conflict: Literal["stop", "keep", "replace"] = "stop"
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class DeployAnswers:
    """The platform the app runs on.

    `wait_minutes`: how long to wait for the user's push; None is 30 with `trigger`, else the run does not
    wait. `trigger` redeploys once more when the push is live, to prove that the data stays.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    platform: Literal["render", "vercel", "railway", "fly", "heroku", "none"] = "none"
    service: str | None = None
    token: str | None = None
    set_variables: bool = False
    trigger: bool = False
    wait_minutes: int | None = None
    health_url: str | None = None


@dataclass(frozen=True)
class Answers:
    """All choices of one migration. `project` is absolute.

    `backup` is an addition to the contract: `full` copies database and files into the run's folder
    before anything is written elsewhere, `database` leaves the files where they are.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    project: Path
    version: int = VERSION
    interpreter: str | None = None
    database: DatabaseAnswers | None = None
    storage: tuple[StorageRule, ...] = ()
    backup: Literal["full", "database"] = "full"
    references: Literal["rewrite", "report", "keep"] = "rewrite"
    patch: Literal["apply", "show", "skip"] = "apply"
    skip_edits: tuple[str, ...] = ()
    verify: Literal["full", "digest"] = "full"
    public_sample: int | Literal["all"] = 100
    deploy: DeployAnswers | None = None

    @property
    def moves_database(self) -> bool:
        """Whether a database leaves its place; `keep` and `stay-with-backups` say that it does not."""
        return self.database is not None and self.database.provider not in STAYS
