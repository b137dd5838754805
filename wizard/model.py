"""The frozen values that travel between rooms: what was seen, what is needed, what will be done.

Nothing here reads or writes; nothing here imports another room.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "info"]
StoreKind = Literal["sqlite", "postgres", "mysql", "mongodb", "uploads", "s3", "gcs", "azure", "cloudinary"]
LostOn = Literal["deploy", "restart", "idle"]
Access = Literal["signed", "public"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place in the project: `file` relative to the project root (forward slashes), `line` from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Framework:
    """A web framework found in the project. `path` is its folder, relative to the project root."""

    name: str
    version: str | None
    path: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """A hosting platform whose configuration the project carries."""

    name: str
    plan: str | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """A place that holds data now: a SQLite file, an uploads folder, a server.

    `path` is relative to the project root where the store lies inside it, else absolute; a server's
    path is the name of the variable that holds its URL, never the URL. `bytes`, `tables`, `rows` and
    `files` are counts, 0 where not applicable or not known.
    """

    kind: StoreKind
    path: str
    bytes: int = 0
    tables: int = 0
    rows: int = 0
    files: int = 0
    survives_redeploy: bool = False
    lost_on: tuple[LostOn, ...] = ()
    why: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the scan saw that the user should know. `code` is stable, kebab-case, documented."""

    code: str
    severity: Severity
    message: str
    hint: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What a scan knows of the user's app. `root` is absolute."""

    root: Path
    frameworks: tuple[Framework, ...] = ()
    platforms: tuple[Platform, ...] = ()
    stores: tuple[Store, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that the patched app reads. `example` is never a real secret."""

    name: str
    about: str
    secret: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What a target asks of the app, in terms no framework or file format knows.

    `backend` names the family (`postgres`, `s3`, …). `roles` maps a role (`url`, `bucket`, `region`,
    `endpoint`, `access_key`, `secret_key`, `public_url`, …) to the variable that carries it; where the one
    for `bucket` is set, the storage is in use. `public_base` is
    set where no variable of the app tells what public addresses begin with.

    A storage's `match` (a pattern over paths inside the folder `source`, "" for the app's uploads) and
    `max_size` (bytes) say which files it takes, where not all files go there; of several, the first that
    takes a file has it.
    """

    kind: Literal["database", "storage"]
    backend: str
    variables: tuple[Variable, ...]
    roles: tuple[tuple[str, str], ...]
    access: Access = "signed"
    prefix: str = ""
    public_base: str = ""
    match: str = "**"
    max_size: int | None = None
    source: str = ""

    @property
    def public_address(self) -> str:
        """What the address of each public file begins with, "" where there is none: `public_base`, else the
        example of the variable for `public_url`, which is the real one (it is no secret)."""
        name = self.variable("public_url")
        return self.public_base or next((v.example for v in self.variables if v.name == name), "")

    def variable(self, role: str) -> str | None:
        """The variable's name for `role`, or None where the target has no such role."""
        return dict(self.roles).get(role)


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the bytes `start:end` of the original file by `text` (UTF-8). Offsets are bytes."""

    start: int
    end: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to one file. `before_sha256` is None for a file that does not exist yet.

    Splices are sorted, do not overlap and refer to the original bytes. Secrets that a user committed
    stay out of it: only new text is kept, never the text replaced.
    """

    path: str
    before_sha256: str | None
    after_sha256: str
    splices: tuple[Splice, ...]
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """A change that a person must make: a shape ashore does not understand, with the exact lines."""

    file: str
    line: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to decide, with what it does to the data."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that cannot be carried exactly, and how it may be decided.

    `subject` is `table.column`, `table`, or another object's name: the key under
    `database.decisions`. `code` is the key below it. `keys` are up to five primary keys, as text.
    """

    subject: str
    code: str
    message: str
    count: int
    keys: tuple[str, ...]
    choices: tuple[Choice, ...]
    chosen: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan. `writes` says to what: a target, the run's folder, this folder, nothing."""

    name: str
    title: str
    writes: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TableCount:
    """A table of the source with its number of rows."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in order. Saved as JSON; holds no secret.

    `source_fingerprint` identifies the source's schema and migrations (not its rows, which the final
    sync may carry): a resume refuses a source that no longer matches.
    """

    version: int
    root: str
    answers_digest: str
    source_fingerprint: str
    steps: tuple[Step, ...]
    tables: tuple[TableCount, ...] = ()
    files: int = 0
    file_bytes: int = 0
    decisions: tuple[Decision, ...] = ()
    edits: tuple[Edit, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a live test: what was tried, whether it worked, the server's own words, what to do."""

    what: str
    ok: bool
    said: str = ""
    hint: str = ""


STEP_NAMES: tuple[str, ...] = (
    "snapshot",
    "preflight",
    "backup",
    "provision",
    "schema",
    "recheck",
    "copy",
    "upload",
    "references",
    "constraints",
    "verify",
    "cutover",
    "patch",
    "deploy",
    "report",
)
