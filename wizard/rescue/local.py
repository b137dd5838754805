"""What lies on this machine: copies of databases near the project, ashore's own snapshots, backups."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from wizard.backup import read, restore, restore_files
from wizard.backup.folder import FolderPlace
from wizard.backup.layout import HEADER, is_id
from wizard.context import Cancel
from wizard.databases.sqlite import snapshot
from wizard.frameworks.folders import NEVER_OWN, has_sqlite_magic, is_environment
from wizard.rescue.item import Item, Take, counted, short, when

DEEPEST, MOST_FILES = 8, 200_000
_NEAR = re.compile(r"back|bak|old|copy|copies|dump|save|snapshot|archive|download", re.IGNORECASE)
_DELETED = " (deleted)"
_DUMP = re.compile(r"\.(sql|dump|pgdump|backup)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)


def find(root: Path, live: Sequence[Path], named: Sequence[Path]) -> Iterator[Item]:
    """Databases and dumps below the project, beside it, and below the folders `named`.

    Beside the project only files, and folders that are called like it or like backups, are looked into.
    `live` are the databases that the app uses now: they are no finds, unless a log beside one holds rows.
    """
    seen: set[Path] = set()
    for path in (*_walk(root), *_beside(root), *(p for folder in named for p in _walk(folder))):
        real = path.resolve()
        if real in seen:
            continue
        seen.add(real)
        if path.name == HEADER and is_id(path.parent.name):
            yield from _backup(path.parent)
        elif any(is_id(part) for part in path.parent.parts):
            continue  # a part of a backup, which is one find
        elif real in live:
            yield from _log(path)
        elif has_sqlite_magic(path):
            yield _copy(path)
        elif _DUMP.search(path.name):
            yield _dump(path)


def still_open(root: Path, scratch: Path) -> Iterator[Item]:
    """Databases that were deleted while a process here holds them open: their bytes are still there.

    Linux only (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html), of processes that this user sees.
    """
    seen: set[tuple[int, int]] = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            name = str(link.readlink())
            if not name.endswith(_DELETED) or not Path(name.removesuffix(_DELETED)).is_relative_to(root):
                continue
            stat = link.stat()
        except OSError:
            continue  # the process has ended, or belongs to somebody else
        if (stat.st_dev, stat.st_ino) in seen or not has_sqlite_magic(link):
            continue
        seen.add((stat.st_dev, stat.st_ino))
        path = Path(name.removesuffix(_DELETED))
        copy = scratch / "open.sqlite3"  # SQLite would follow the link to a name that is gone
        _copied(link, copy)
        tables, rows = counted(copy) or (None, None)
        copy.unlink()
        yield Item(
            short("open", str(path), str(stat.st_ino)), "database", "open",
            f"{path}, deleted, but held open by process {link.parts[2]}", when(stat.st_mtime),
            "Do not stop or restart that process: the file is gone with it. --restore copies it now.",
            rows, tables, None, stat.st_size, _taking_open(link, path.name),
        )  # fmt: skip


def _taking_open(link: Path, name: str) -> Take:
    return lambda folder: _copied(link, folder / name)


def _walk(top: Path) -> Iterator[Path]:
    """Every file below `top`, links not followed; a bounded number, and not what tools make."""
    left = MOST_FILES
    depth = len(top.parts)
    for here, folders, names in os.walk(top):
        folder = Path(here)
        folders[:] = [
            name
            for name in folders
            if name not in NEVER_OWN
            and not is_environment(folder / name)
            and len(folder.parts) - depth < DEEPEST
        ]
        for name in names:
            left -= 1
            if left < 0:
                return
            path = folder / name
            if path.is_file() and not path.is_symlink():
                yield path


def _beside(root: Path) -> Iterator[Path]:
    try:
        entries = sorted(root.parent.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry == root or entry.is_symlink():
            continue
        if entry.is_file():
            yield entry
        elif entry.is_dir() and (root.name in entry.name or _NEAR.search(entry.name) or is_id(entry.name)):
            yield from _walk(entry)


def _copy(path: Path) -> Item:
    found = counted(path)
    tables, rows = found or (None, None)
    stat = path.stat()
    return Item(
        short("copy", str(path.resolve())), "database", "copy", str(path), when(stat.st_mtime),
        "--restore copies it into a new folder.", rows, tables, None, stat.st_size, taking_database(path),
    )  # fmt: skip


def _log(path: Path) -> Iterator[Item]:
    """Rows that stand in a write-ahead log or a hot journal only."""
    for suffix in ("-wal", "-journal"):
        side = Path(f"{path}{suffix}")
        if side.is_file() and side.stat().st_size:
            yield Item(
                short("log", str(path.resolve())), "database", "log", f"{path} with {side.name}",
                when(side.stat().st_mtime),
                f"Do not delete {side.name}: it holds what was written last. --restore copies both, merged.",
                None, None, None, path.stat().st_size + side.stat().st_size, taking_database(path),
            )  # fmt: skip


def taking_database(path: Path) -> Take:
    """Copies a SQLite file, with what a log beside it holds, and checks it."""

    def take(folder: Path) -> None:
        name = "db.sqlite3" if path.suffix in (".bak", ".old", ".orig", "") else path.name
        snapshot.take(path, folder / name)

    return take


def _dump(path: Path) -> Item:
    stat = path.stat()
    return Item(
        short("dump", str(path.resolve())), "database", "dump", str(path), when(stat.st_mtime),
        "A dump: into a new, empty database with `psql -f` (text) or `pg_restore` (custom format).",
        bytes=stat.st_size, take=lambda folder: _copied(path, folder / path.name),
    )  # fmt: skip


def _copied(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _backup(folder: Path) -> Iterator[Item]:
    kept = next((k for k in FolderPlace(folder.parent).backups() if k.id == folder.name), None)
    if kept is None or kept.header is None:
        return
    header = kept.header
    sealed = bool(header.encryption)
    yield Item(
        short("backup", header.id), "database", "backup", f"a backup by ashore: {folder}", header.created,
        f"ashore restore {folder}" + (" --key REF (it is encrypted)" if sealed else ", or --restore"),
        bytes=header.bytes, take=None if sealed else _taking_backup(folder),
    )  # fmt: skip


def _taking_backup(folder: Path) -> Take:
    def take(target: Path) -> None:
        with read.open_backup(FolderPlace(folder.parent), folder.name, None, Cancel()) as opened:
            found = restore.database_part(opened)
            if found is not None and found[1].kind == "sqlite":
                restore.sqlite_into(opened, target / "db.sqlite3")
            elif found is not None:
                opened.fetch(found[0], target / "database.dump")
            restore_files.into_folder(opened, target / "files")

    return take


def own(state: Path, project: Path) -> Iterator[Item]:
    """Snapshots and copies of files that ashore's runs of a project of this name keep in the state folder."""
    for folder in sorted((state / "projects").glob(f"{glob_escaped(project.name)}-*/runs/*")):
        for path in sorted((folder / "snapshot").glob("*.sqlite3")):
            found = counted(path)
            if found is not None:
                yield Item(
                    short("run", folder.name, path.name), "database", "run",
                    f"the snapshot that run {folder.name} took", when(path.stat().st_mtime),
                    "--restore copies it into a new folder.", found[1], found[0], None, path.stat().st_size,
                    taking_database(path),
                )  # fmt: skip
        for store in sorted((folder / "backup" / "files").glob("*")):
            sizes = [p.stat().st_size for p in store.rglob("*") if p.is_file()]
            if sizes:
                yield Item(
                    short("run", folder.name, "files", store.name), "files", "run",
                    f"uploads that run {folder.name} copied ({store.name})", when(store.stat().st_mtime),
                    "--restore copies them into a new folder.", None, None, len(sizes), sum(sizes),
                    _taking_tree(store),
                )  # fmt: skip


def _taking_tree(source: Path) -> Take:
    def take(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)

    return take


def glob_escaped(text: str) -> str:
    """`text` as a glob that matches nothing else."""
    return re.sub(r"([\[*?])", r"[\1]", text)
