"""What git still holds: databases and uploads once committed, on any branch, in a stash, dangling.

Git only reads here: no `--lost-found`, which writes, and no hook, filter or text conversion runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from wizard.errors import StepFailed
from wizard.frameworks.folders import SQLITE_MAGIC, SQLITE_SUFFIXES
from wizard.rescue.item import Item, Take, counted, short

SECONDS = 300
VERSIONS = 12
DANGLING = 2000
_LARGEST = 2 << 30
_USUAL = ("media", "uploads", "public/uploads", "static/uploads", "instance", "storage", "data")


@dataclass
class _Path:
    """A path in history: (commit date, commit, blob) of its versions, newest first."""

    versions: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Git:
    """The repository that holds `root`."""

    root: Path

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Standard output; empty where git refuses. Raises StepFailed `git-slow`."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        environ |= {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }
        try:
            done = subprocess.run(
                ["git", "-c", "core.fsmonitor=false", "-C", str(self.root), *arguments],
                env=environ, input=stdin if stdin is not None else b"", capture_output=True, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise StepFailed(
                "git-slow", f"git took longer than {SECONDS} s; nothing was written.", ""
            ) from error
        return done.stdout if done.returncode == 0 else b""

    def starts_as_sqlite(self, id: str) -> bool:
        """Whether a blob begins as a SQLite database does; only its first bytes are read."""
        child = subprocess.Popen(
            ["git", "-C", str(self.root), "cat-file", "blob", id],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert child.stdout is not None
        with child.stdout:
            head = child.stdout.read(len(SQLITE_MAGIC))
        child.kill()
        child.wait()
        return head == SQLITE_MAGIC

    def blob(self, id: str, target: Path) -> None:
        """Write a blob's bytes to `target`, without holding them. Raises StepFailed `git-blob`."""
        with target.open("xb") as file:
            done = subprocess.run(
                ["git", "-C", str(self.root), "cat-file", "blob", id],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        if done.returncode != 0:
            target.unlink()
            raise StepFailed("git-blob", f"git no longer holds the object {id}; it was not restored.", "")


def find(root: Path, uploads: Sequence[str], scratch: Path) -> Iterator[Item]:
    """Databases and uploads in the history of the repository around `root`."""
    git = Git(root)
    if shutil.which("git") is None or not git.run("rev-parse", "--git-dir"):
        return
    paths = _history(git, uploads)
    yield from _databases(git, paths, scratch)
    yield from _files(git, paths, uploads)
    known = {blob for path in paths.values() for _, _, blob in path.versions}
    yield from _dangling(git, known, scratch)


def _history(git: Git, uploads: Sequence[str]) -> dict[str, _Path]:
    """Every version of every path that may hold data, in all refs, stashes and reflogs."""
    patterns = [f":(glob,icase)**/*{end}*" for end in SQLITE_SUFFIXES]
    patterns += [f":(literal){folder}" for folder in dict.fromkeys((*uploads, *_USUAL))]
    out = git.run(
        "log", "--all", "--reflog", "-m", "--no-renames", "--no-ext-diff", "--no-textconv", "--raw",
        "--no-abbrev", "-z", "--format=%x01%H %cI", "--diff-filter=AM", "--", *patterns,
    )  # fmt: skip
    found: dict[str, _Path] = {}
    commit = date = ""
    fields = iter(out.split(b"\0"))
    for raw in fields:
        text = raw.decode("utf-8", "surrogateescape").lstrip("\n")
        while text.startswith("\x01"):
            head, _, text = text[1:].partition("\n")
            commit, _, date = head.partition(" ")
            text = text.lstrip("\n")
        if text.startswith(":"):
            mode, blob = text.split(" ")[1], text.split(" ")[3]
            path = next(fields, b"").decode("utf-8", "surrogateescape")
            if mode.startswith("100"):
                found.setdefault(path, _Path()).versions.append((date, commit, blob))
    for entry in found.values():
        entry.versions.sort(reverse=True)
    return found


def _sizes(git: Git, blobs: Sequence[str]) -> dict[str, int]:
    """Bytes of each blob that is still there."""
    out = git.run("cat-file", "--batch-check", stdin="\n".join(blobs).encode() + b"\n")
    lines = (line.split() for line in out.decode().splitlines())
    return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[1] == "blob"}


def _databases(git: Git, paths: dict[str, _Path], scratch: Path) -> Iterator[Item]:
    for path, entry in paths.items():
        if not any(end in PurePosixPath(path).name.lower() for end in SQLITE_SUFFIXES):
            continue
        seen: set[str] = set()
        sizes = _sizes(git, [blob for _, _, blob in entry.versions])
        for date, commit, blob in entry.versions:
            if blob in seen or not 0 < sizes.get(blob, 0) <= _LARGEST or len(seen) >= VERSIONS:
                continue
            seen.add(blob)
            item = _database(git, blob, sizes[blob], scratch, PurePosixPath(path).name)
            if item is not None:
                yield _with(item, f"{path} as of commit {commit[:10]}", date)


def _database(git: Git, blob: str, size: int, scratch: Path, name: str) -> Item | None:
    copy = scratch / blob
    try:
        git.blob(blob, copy)
    except StepFailed:
        return None
    try:
        with copy.open("rb") as file:
            if file.read(16) != SQLITE_MAGIC:
                return None
        counts = counted(copy)
    finally:
        copy.unlink()
    tables, rows = counts or (None, None)
    return Item(
        short("git", blob), "database", "git", "", "", "--restore writes it into a new folder.", rows, tables,
        None, size, lambda folder: git.blob(blob, folder / name),
    )  # fmt: skip


def _with(item: Item, title: str, date: str) -> Item:
    return replace(item, title=title, date=date)


def _files(git: Git, paths: dict[str, _Path], uploads: Sequence[str]) -> Iterator[Item]:
    """The last version of every file ever committed below each folder of uploads."""
    for folder in dict.fromkeys((*uploads, *_USUAL)):
        below = {
            p: e.versions[0]
            for p, e in paths.items()
            if p.startswith(f"{folder}/")
            and not any(end in PurePosixPath(p).name.lower() for end in SQLITE_SUFFIXES)
        }
        sizes = _sizes(git, [blob for _, _, blob in below.values()]) if below else {}
        held = {p: blob for p, (_, _, blob) in below.items() if blob in sizes}
        if held:
            newest = max(date for date, _, _ in below.values())
            yield Item(
                short("git", folder, *sorted(held.values())), "files", "git",
                f"{folder}/: the last committed version of each file", newest,
                "--restore writes them into a new folder.", None, None, len(held),
                sum(sizes[blob] for blob in held.values()), _taker(git, folder, held),
            )  # fmt: skip


def _taker(git: Git, folder: str, held: dict[str, str]) -> Take:
    def take(target: Path) -> None:
        for path, blob in held.items():
            inside = PurePosixPath(path).relative_to(folder)
            if ".." in inside.parts:
                continue
            place = target.joinpath(*inside.parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            git.blob(blob, place)

    return take


def _dangling(git: Git, known: set[str], scratch: Path) -> Iterator[Item]:
    """Databases among the objects that nothing refers to any more: added but never committed, or reset."""
    out = git.run("fsck", "--unreachable", "--no-reflogs", "--no-progress", "--connectivity-only")
    ids = [line.split()[2] for line in out.decode().splitlines() if line.startswith("unreachable blob")]
    ids = [id for id in ids if id not in known]
    sizes = _sizes(git, ids)
    for id in [i for i in ids if 512 <= sizes.get(i, 0) <= _LARGEST][:DANGLING]:
        if git.starts_as_sqlite(id):
            item = _database(git, id, sizes[id], scratch, "db.sqlite3")
            if item is not None:
                yield _with(item, f"an object without a commit ({id[:10]})", "")
