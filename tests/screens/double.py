"""A double of `wizard.api` for the screens: a recorded project, plan and stream of events.

No database and no bucket is reached from a screen; the engine's own tests do that on real servers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from wizard import advise as advising
from wizard import advise_notes
from wizard.credentials import Secret
from wizard.errors import AshoreError, Refused
from wizard.events import (
    Event,
    FindingSeen,
    Finished,
    Header,
    Progress,
    StepFinished,
    StepStarted,
    Warned,
)
from wizard.keyrings import KeyringState
from wizard.model import (
    Choice,
    Decision,
    Edit,
    Evidence,
    Finding,
    Framework,
    Instruction,
    Plan,
    Platform,
    Project,
    Step,
    Store,
    TableCount,
)
from wizard.storages.base import Check

ROOT = Path("/srv/kidsclub/backend")
GOOD_URL = "postgresql://ana:c4n4ry-password@db.example.com/app"
BAD_URL = "postgresql://ana:wr0ng-password@db.example.com/app"
GOOD_KEY = "AKIAC4N4RYKEY"
GOOD_SECRET = "c4n4ry/secret+key"
SECRETS = (GOOD_URL, "c4n4ry-password", BAD_URL, "wr0ng-password", GOOD_KEY, GOOD_SECRET)

PROJECT = Project(
    root=ROOT,
    frameworks=(Framework("django", "5.2", ".", (Evidence("manage.py", 1),)),),
    platforms=(Platform("render", "free", (Evidence("render.yaml", 2),)),),
    stores=(
        Store(
            "sqlite", "db.sqlite3", bytes=4_200_000, tables=25, rows=13_073, lost_on=("deploy", "idle"),
            why="The database is a file on the service's own disk, which is made anew on every deploy.",
            evidence=(Evidence("config/settings.py", 90),),
        ),
        Store(
            "uploads", "media", bytes=61_000_000, files=479, lost_on=("deploy", "idle"),
            why="MEDIA_ROOT lies on the service's own disk.", evidence=(Evidence("config/settings.py", 120),),
        ),
    ),
    findings=(
        Finding("missing-requirements-file", "error", "render.yaml names requirements_render.txt, which does "
                "not exist", "Name requirements.txt.", "render.yaml", 9),
        Finding("committed-secret", "warning", "SECRET_KEY is committed", "Rotate it.", "settings.py", 14),
        Finding("custom-domain", "info", "a custom domain changes nothing about data", ""),
    ),
)  # fmt: skip

DECISION = Decision(
    "taggit_tag.name", "nul_bytes", "values hold NUL bytes, which PostgreSQL's text cannot hold", 2,
    ("7", "19"), (Choice("strip", "remove the NUL bytes"), Choice("replace", "put U+FFFD in their place")),
)  # fmt: skip

EDITS = (
    Edit("config/settings.py", "a" * 64, "b" * 64, (), 9, 6),
    Edit("render.yaml", "a" * 64, "b" * 64, (), 6, 1),
)
DIFFS = {
    "config/settings.py": "--- config/settings.py\n+++ config/settings.py\n@@ -88,3 +88,3 @@\n"
    " DATABASES = {\n"
    "-    'ENGINE': 'django.db.backends.sqlite3',\n+    'default': dj_database_url.config(\n",
    "render.yaml": "--- render.yaml\n+++ render.yaml\n@@ -9 +9,2 @@\n-  region: x\n+  - key: DATABASE_URL\n",
}
PLAN = Plan(
    version=1, root=str(ROOT), answers_digest="d", source_fingerprint="f",
    steps=(
        Step("snapshot", "Copy the database as it is now", "the run's folder", "db.sqlite3"),
        Step("backup", "Copy the files", "the run's folder", "479 files, 61 MB"),
        Step("schema", "Make the tables", "Neon", "25 tables"),
        Step("copy", "Copy the rows", "Neon", "13,073 rows"),
        Step("upload", "Upload the files", "my-app-media", "479 files, private (signed links)"),
        Step("verify", "Compare everything", "nothing", "every value, every byte"),
        Step("patch", "Change the app's files", "this folder", "2 files, once all is proven"),
    ),
    tables=(TableCount("core_timer", 4100), TableCount("core_feeding", 3990)), files=479,
    file_bytes=61_000_000, edits=EDITS,
    instructions=(Instruction("core/views.py", 31, "opens a path of the disk", "with storage.open(n):"),),
)  # fmt: skip

RUNNING: tuple[Event, ...] = (
    Header(1, "20261120-140200-abc123"),
    StepStarted("snapshot", "Copying the database as it is now", "the run's folder"),
    StepFinished("snapshot", 1.0, "4.2 MB"),
    StepStarted("backup", "Copying the files", "the run's folder"),
    StepFinished("backup", 2.0, "479 files"),
    StepStarted("schema", "Making the tables", "Neon"),
    StepFinished("schema", 3.0, "25 tables"),
    StepStarted("copy", "Copying to Neon", "Neon"),
    Progress("copy", "core_timer", 4100, 4100, "rows", rate=280_000.0),
    Progress("copy", "core_feeding", 1240, 3990, "rows", rate=312_000.0, eta_s=17.0),
    FindingSeen(
        "nul_bytes", "warning", "2 values hold NUL bytes, stripped as you decided", "taggit_tag.name"
    ),
    Progress("copy", "", 8890, 13073, "rows", rate=312_000.0, eta_s=17.0),
)
ENDING: tuple[Event, ...] = (
    StepFinished("copy", 2.0, "13,073 rows"),
    Warned("slow-link", "The link to Neon is slow"),
    Finished("done", 0, "report.html"),
)


@dataclass(frozen=True)
class RunInfo:
    """As in `wizard.api`."""

    run: str
    state: str
    started: str
    folder: Path
    step: str


@dataclass(frozen=True)
class RunHandle:
    """As in `wizard.api`."""

    run: str
    folder: Path
    pid: int | None


REPORT: Mapping[str, object] = {
    "version": 1,
    "run": "20261120-140200-abc123",
    "status": "done",
    "headline": "Everything arrived.",
    "to_do": [
        {
            "what": "Pause what writes, then carry over what changed.",
            "why": "What is written after the last sync stays behind.",
            "commands": ["ashore sync 20261120-140200-abc123"],
        },
        {
            "what": "Set these variables on Render, without deploying.",
            "why": "They take effect with the commit.",
            "variables": [{"name": "DATABASE_URL", "about": "the database", "secret": True}],
        },
    ],
    "decisions": [],
    "compared": {"rows": 13_073, "values": 214_551, "differences": 0, "files": 479},
    "edits": [{"file": "config/settings.py", "added": 9, "removed": 6, "new": False}],
}


@dataclass
class Double:
    """Behaves as `wizard.api`; notes what it was asked."""

    state: Path
    keyring_usable: bool = True
    keyring_refuses: bool = False
    decisions: tuple[Decision, ...] = (DECISION,)
    earlier: tuple[RunInfo, ...] = ()
    project: Project = PROJECT
    before: tuple[Event, ...] = RUNNING
    after: tuple[Event, ...] = ENDING
    draft: Mapping[str, object] | None = None
    scan_fails: Exception | None = None
    go: threading.Event = field(default_factory=threading.Event)
    gone: bool = False
    kept: dict[str, Secret] = field(default_factory=dict)
    stored: dict[str, Secret] = field(default_factory=dict)
    crashes: list[BaseException] = field(default_factory=list)
    synced: list[str] = field(default_factory=list)
    saved: dict[str, Mapping[str, object]] = field(default_factory=dict)
    handed: list[Mapping[str, Secret]] = field(default_factory=list)
    started: list[Path] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    stopped: int = 0

    Secret = Secret
    AshoreError = AshoreError

    def scan(self, path: Path) -> Project:
        if self.scan_fails is not None:
            raise self.scan_fails
        return self.project

    def keyring_state(self) -> KeyringState:
        return KeyringState(
            self.keyring_usable, "macOS Keychain", "" if self.keyring_usable else "none found"
        )

    def store_secret(self, name: str, value: Secret) -> None:
        if self.keyring_refuses:
            raise Refused("keyring-refused", "The keyring refused the value.", "Unlock it.")
        self.stored[name] = value

    def test_database(self, url: Secret) -> tuple[Check, ...]:
        if url.reveal() == GOOD_URL:
            return (Check("connected", True, "PostgreSQL 17, empty"), Check("can create tables", True))
        raise Refused(
            "password-refused",
            'db.example.com says: password authentication failed for user "ana".',
            "Copy the connection string again from the provider's page.",
        )

    def test_source(self, url: Secret) -> tuple[Check, ...]:
        return self.test_database(url)

    def resolve(self, project: Path, reference: str) -> Secret:
        if reference in self.kept:
            return self.kept[reference]
        raise Refused("secret-missing", f"The secret {reference} is not set.", "Store it.")

    def test_storage(
        self, rule: Mapping[str, object], secrets: Mapping[str, Secret], project: Path
    ) -> tuple[Check, ...]:
        if secrets.get(str(rule["secret_key"])) == Secret(GOOD_SECRET):
            return (Check("put, read and delete an object", True, "my-app-media"),)
        return (Check("put an object", False, "AccessDenied", "The key may not write here: another key."),)

    def preflight(
        self, project: Path, answers: Mapping[str, object], secrets: Mapping[str, Secret]
    ) -> tuple[Decision, ...]:
        return self.decisions

    def make_plan(
        self,
        project: Path,
        answers: Mapping[str, object],
        secrets: Mapping[str, Secret],
        found: tuple[Decision, ...] | None,
    ) -> Plan:
        return PLAN

    def diff(self, plan: Plan, edit: Edit) -> str:
        return DIFFS[edit.path]

    def save_answers(self, answers: Mapping[str, object], path: Path) -> None:
        self.saved[path.name] = answers

    def save_plan(self, plan: Plan, path: Path) -> None:
        self.saved[path.name] = {"plan": plan}

    def write_crash(self, error: BaseException) -> Path:
        self.crashes.append(error)
        return self.state / "ashore-crash.txt"

    def draft_path(self, project: Path, state_dir: Path | None) -> Path:
        return self.state / "draft.yml"

    def load_draft(self, project: Path, state_dir: Path | None) -> Mapping[str, object] | None:
        return self.draft

    def start_run(self, answers: Path, secrets: Mapping[str, Secret], state_dir: Path | None) -> RunHandle:
        self.started.append(answers)
        self.handed.append(secrets)
        return RunHandle("20261120-140200-abc123", self.state / "20261120-140200-abc123", 4242)

    def resume_run(
        self, project: Path, run: str, secrets: Mapping[str, Secret], state_dir: Path | None
    ) -> RunHandle:
        self.resumed.append(run)
        self.handed.append(secrets)
        self.gone = False
        return RunHandle(run, self.state / run, 4243)

    def sync_run(
        self, project: Path, run: str, secrets: Mapping[str, Secret], state_dir: Path | None
    ) -> RunHandle:
        self.synced.append(run)
        self.handed.append(secrets)
        return RunHandle(run, self.state / run, 4244)

    def watch(self, folder: Path, stop: threading.Event) -> Iterator[Event]:
        yield from self.before
        if self.gone:
            return
        while not self.go.wait(0.02):
            if stop.is_set():
                return
        yield from self.after

    def stop_run(self, folder: Path) -> bool:
        self.stopped += 1
        self.after = (Finished("stopped", 130),)
        self.go.set()
        return True

    def runs(self, project: Path, state_dir: Path | None) -> tuple[RunInfo, ...]:
        return self.earlier

    def report(self, folder: Path) -> Mapping[str, object]:
        return REPORT

    def explain(self, code: str) -> str:
        return f"All about {code}."

    def notes(self, users: int) -> tuple[advise_notes.Note, ...]:
        return advise_notes.notes(users)

    def advise(self, project: Project, users: int, budget: float) -> tuple[advising.Offer, ...]:
        return advising.advise(project, users=users, budget=budget, today=date(2026, 11, 15))
