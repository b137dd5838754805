"""Where ashore keeps what it did: the state folder, a folder for each run, and the lock.

The lock is an advisory lock on a file handle that children inherit: as long as the engine or any
child of it lives, the lock is held; the kernel frees it whatever kills them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import UsageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_PATIENCE = 0.5
NO_ROOM = 1 << 18  # bytes: less than SQLite's log and its index need
EPHEMERAL_MARKS = ("RENDER", "DYNO", "RAILWAY_ENVIRONMENT", "FLY_APP_NAME", "K_SERVICE")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run. Everything a resume reads lies in it; nothing in it is a secret."""

    path: Path

    @property
    def run(self) -> str:
        """The run's identity: the folder's name."""
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.sqlite3"

    @property
    def events(self) -> Path:
        return self.path / "events.ndjson"

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def answers(self) -> Path:
        return self.path / "answers.yml"

    @property
    def snapshots(self) -> Path:
        return self.path / "snapshot"

    @property
    def originals(self) -> Path:
        return self.path / "originals"

    @property
    def work(self) -> Path:
        """Scratch space of steps: the project's copy, drivers, sorting."""
        return self.path / "work"

    @property
    def backup(self) -> Path:
        return self.path / "backup"

    @property
    def report_json(self) -> Path:
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        return self.path / "report.html"


@dataclass(frozen=True, slots=True)
class State:
    """The state folder of this user. `root` is absolute and exists."""

    root: Path

    @classmethod
    def open(cls, override: Path | None, project: Path, environ: Mapping[str, str] | None = None) -> State:
        """The state folder: --state-dir, else ASHORE_STATE_DIR, else the platform's usual place.

        Raises UsageError `state-ephemeral` in a container whose disk the next deploy wipes (promise 8),
        `state-in-project` inside the project, `state-unwritable` where it cannot be made.
        """
        environ = os.environ if environ is None else environ
        chosen = override.expanduser().absolute() if override is not None else None
        root = chosen or default_root(environ)
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = root / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            if full := disk_full(error, root.parent):
                raise full from error
            raise UsageError(
                "state-unwritable",
                f"The state folder {root} cannot be written: {error.strerror}.",
                "Name another folder with --state-dir.",
            ) from error
        project = project.absolute()
        if root == project or project in root.parents:
            raise UsageError(
                "state-in-project",
                f"The state folder {root} lies inside the project.",
                "Name a folder outside it with --state-dir.",
            )
        mark = next((m for m in EPHEMERAL_MARKS if environ.get(m)), None)
        if mark is not None and root.stat().st_dev == Path("/").stat().st_dev:
            raise UsageError(
                "state-ephemeral",
                f"This looks like a container ({mark} is set), and the state folder {root} lies on the disk "
                "that the next deploy wipes.",
                "Name a folder on a mounted disk with --state-dir, or run ashore on your own machine.",
            )
        return cls(root)

    def project_folder(self, project: Path) -> Path:
        """The folder of all runs of one project: its name and a digest of its absolute path."""
        project = project.absolute()
        digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
        return self.root / "projects" / f"{project.name or 'root'}-{digest}"

    def runs(self, project: Path) -> list[RunFolder]:
        """All runs of the project, oldest first."""
        folder = self.project_folder(project) / "runs"
        if not folder.is_dir():
            return []
        return [RunFolder(p) for p in sorted(folder.iterdir()) if p.is_dir()]

    def new_run(self, project: Path, run: str | None = None) -> RunFolder:
        """A fresh run folder, readable by this user only. `run` names an adopted one."""
        name = run or f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        folder = RunFolder(self.project_folder(project) / "runs" / name)
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in (folder.snapshots, folder.originals, folder.work, folder.backup):
            part.mkdir(exist_ok=True)
        return folder

    @contextmanager
    def lock(self, project: Path) -> Iterator[int]:
        """Hold the project's lock; yields the file descriptor that children inherit.

        Raises UsageError `run-in-progress` naming the holder's pid.
        """
        folder = self.project_folder(project)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_lock(handle, LOCK_PATIENCE):
                found = holder(folder)
                raise UsageError(
                    "run-in-progress",
                    "Another ashore run is at work on this project"
                    + (f" (process {found.pid})." if found else ".")
                    + " Nothing was written.",
                    "Wait for it, watch it with `ashore`, or stop it with Ctrl+C there.",
                )
            self.name_run(project, "")
            yield handle
        finally:
            os.close(handle)

    def name_run(self, project: Path, run: str) -> None:
        """Say which run the holder of the lock works on. Call it while holding the lock."""
        said = json.dumps({"pid": os.getpid(), "run": run})
        write_whole(self.project_folder(project) / "holder.json", said.encode())


def default_root(environ: Mapping[str, str] | None = None) -> Path:
    """The state folder where --state-dir names none."""
    environ = os.environ if environ is None else environ
    if environ.get("ASHORE_STATE_DIR"):
        return Path(environ["ASHORE_STATE_DIR"]).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_state_dir("ashore", appauthor=False)).absolute()


def root_of(folder: RunFolder) -> Path:
    """The state folder that a run's folder lies in."""
    return folder.path.parents[3]


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a project's lock, and the run it works on ("" before it has one)."""

    pid: int
    run: str


def holder(project_folder: Path) -> Holder | None:
    """Who holds the lock of the project whose state lies in `project_folder`; None where nobody does."""
    try:
        handle = os.open(project_folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(handle, 0.0):
            return None
    finally:
        os.close(handle)
    try:
        data = json.loads((project_folder / "holder.json").read_text(encoding="utf-8"))
        return Holder(int(data["pid"]), str(data["run"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` by a file of `data`: after a kill or a power cut the old one stands, or the new one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)


def disk_full(error: BaseException, folder: Path) -> UsageError | None:
    """`state-full` where `error` means that the disk of `folder` is full, else None.

    SQLite also says "disk I/O error" or "unable to open" where its log finds no room, and copying a whole
    tree hides the number of the error: the free space then decides.
    """
    if isinstance(error, sqlite3.Error):
        code = int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
        sure, maybe = code == sqlite3.SQLITE_FULL, code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    elif isinstance(error, OSError):
        sure, maybe = error.errno in (errno.ENOSPC, errno.EDQUOT), isinstance(error, shutil.Error)
    else:
        return None
    if not sure and not (maybe and shutil.disk_usage(folder).free < NO_ROOM):
        return None
    return UsageError(
        "state-full",
        f"The disk that holds the state folder {folder} is full.",
        "Free some space there, then `ashore resume`; or start anew with another folder (--state-dir).",
    )


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Turns a full disk below `folder` into UsageError `state-full`; other errors pass."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        full = disk_full(error, folder)
        if full is None:
            raise
        raise full from error


def _try_lock(handle: int, patience: float) -> bool:
    """Try for `patience` seconds: whoever asks for the holder has the lock for an instant."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if sys.platform == "win32":
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True
