"""What a backup consists of: its name, its header, the lines of its manifest. Shapes only.

`backup.json` (the header) is written last and holds its own digest: where it is missing or damaged there is
no backup. The manifest has one JSON object a line, the first about the whole, one for each part after it; it
is a part itself, so that an encrypted backup shows no name of a file.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from wizard.errors import NotAsPlanned

FORMAT = 1
HEADER = "backup.json"
WRITER = "writer.json"
MANIFEST = "manifest.ndjson"
KEY = "key.age"
SEALED = ".age"
_ID = re.compile(r"ashore-([a-z0-9][a-z0-9-]*)-(\d{8}T\d{6}Z)-[0-9a-f]{6}")

Encryption = Literal["", "age-passphrase", "age-recipient"]
PartKind = Literal["database", "file", "csv"]


@dataclass(frozen=True, slots=True)
class Stored:
    """Something as it lies at a place: name below the backup, size in bytes, SHA-256 as hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Header:
    """The end of a backup: that it is whole, whose it is, and where its manifest lies.

    `source` tells two apps of one name apart (kind and name of the database). `parts` and `bytes` count
    what lies beside the header. `created` is UTC, ISO 8601.
    """

    format: int
    id: str
    name: str
    source: str
    created: str
    ashore: str
    encryption: Encryption
    parts: int
    bytes: int
    manifest: Stored
    key: Stored | None = None


@dataclass(frozen=True, slots=True)
class TableDigest:
    """Every value of a table in one number: the sum of its rows' SHA-256 (see `digests`)."""

    name: str
    rows: int
    columns: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What was in the database. `version` is the server's or SQLite's. `objects` counts by kind.

    `extensions` must exist where a dump is restored. `left_out` are schemas of the platform's own.
    `tool` is the version of the program that made the archive, as the server's is written.
    """

    kind: Literal["sqlite", "postgres"]
    version: str
    tables: tuple[TableDigest, ...]
    objects: Mapping[str, int] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tool: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """The manifest's first line. `left_out` names files that could not be read, and why."""

    id: str
    name: str
    created: str
    ashore: str
    database: DatabaseFacts | None
    stores: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part: how it is stored, and what it is when opened. `path` is a file's inside its store, or a
    table's name (csv). `size` and `sha256` are of the opened bytes."""

    kind: PartKind
    stored: Stored
    size: int
    sha256: str
    store: str = ""
    path: str = ""
    content_type: str = ""


def slug(text: str) -> str:
    """A project's name as it may stand in a backup's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "app"


def new_id(name: str) -> str:
    """The name of a backup that begins now."""
    return f"ashore-{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def name_of(id: str) -> str | None:
    """The project's name in a backup's, or None where `id` is no name of a backup."""
    match = _ID.fullmatch(id)
    return match.group(1) if match else None


def header_bytes(header: Header) -> bytes:
    """The header's file, its own digest in it."""
    data = asdict(header)
    return json.dumps({**data, "digest": _digest(data)}, indent=1, sort_keys=True).encode() + b"\n"


def read_header(data: bytes, where: str) -> Header:
    """The header in a file's bytes. Raises NotAsPlanned `backup-damaged`."""
    try:
        found = json.loads(data)
        digest = found.pop("digest")
        if digest != _digest(found):
            raise ValueError("its digest is not that of its content")
        if found["format"] != FORMAT:
            raise ValueError(f"it is of format {found['format']}, and this ashore knows {FORMAT}")
        key = found.pop("key")
        manifest = Stored(**found.pop("manifest"))
        return Header(**found, manifest=manifest, key=None if key is None else Stored(**key))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(where, str(error) or type(error).__name__) from error


def about_line(about: About) -> bytes:
    return json.dumps(asdict(about), ensure_ascii=False).encode() + b"\n"


def part_line(part: Part) -> bytes:
    return json.dumps(asdict(part), ensure_ascii=False).encode() + b"\n"


def read_about(line: bytes) -> About:
    """Raises ValueError, KeyError, TypeError for a line that is none."""
    found = json.loads(line)
    database = found.pop("database")
    facts = None
    if database is not None:
        tables = tuple(
            TableDigest(t["name"], t["rows"], tuple(t["columns"]), t["sha256"]) for t in database["tables"]
        )
        facts = DatabaseFacts(**{**_tuples(database), "tables": tables})
    return About(**{**_tuples(found), "database": facts})


def read_part(line: bytes) -> Part:
    """Raises ValueError, KeyError, TypeError for a line that is none."""
    found = json.loads(line)
    return Part(**{**found, "stored": Stored(**found["stored"])})


def damaged(what: str, why: str) -> NotAsPlanned:
    """A backup that must not be restored from, naming the file."""
    return NotAsPlanned(
        "backup-damaged",
        f"{what} is damaged: {why}. Nothing was restored.",
        "Take another copy of this backup, or an older one; `ashore restore PLACE` names what lies there.",
    )


def _tuples(found: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
