"""`ashore restore BACKUP`: checked whole, then restored into something empty, or tested in scratch."""

from __future__ import annotations

import argparse
from pathlib import Path

from wizard import runner
from wizard.backup import opening, read, restore_files
from wizard.backup import restore as restoring
from wizard.backup.bucket import BucketPlace
from wizard.backup.folder import FolderPlace
from wizard.commands import OpenWizard
from wizard.commands.common import read_secrets, tell
from wizard.context import Cancel
from wizard.credentials import REFERENCE
from wizard.errors import EXIT_DONE, UsageError


def restore(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Without a target: check the backup and say what it holds; nothing is written then."""
    opened = opening.open_project(Path(), arguments.answers, read_secrets(arguments.secrets_stdin))
    resolve = opened.vault.resolve
    if arguments.test and arguments.files_to is not None:
        raise UsageError("restore-options", "--test writes nothing that stays: leave --files-to out.", "")
    where, id = read.split(arguments.backup)
    place = opened.place(where)
    key = None if arguments.key is None else resolve(arguments.key)
    into = arguments.into
    cancel = Cancel()
    with (
        runner.stopping_on_signals(cancel),
        read.open_backup(place, id or read.newest(place), key, cancel) as found,
    ):
        tell(f"{found.header.id} of {found.header.created}: every part is as it was written")
        for line in found.about.left_out:
            tell(f"  ! not in the backup: {line}")
        if arguments.test:
            if into is not None and not REFERENCE.match(into):
                raise UsageError("restore-options", "--test --into takes a reference to a server.", "")
            restoring.test(found, None if into is None else resolve(into), tell)
            tell("The backup can be restored. What was restored for the test is removed.")
            return EXIT_DONE
        if into is None and arguments.files_to is None:
            _describe(found)
            return EXIT_DONE
        if into is not None:
            done = (
                restoring.postgres_into(found, resolve(into))
                if REFERENCE.match(into)
                else restoring.sqlite_into(found, Path(into).absolute())
            )
            tell(f"database: {done.rows:,} rows in {done.tables:,} tables restored, every value equal")
        if arguments.files_to is not None:
            _files(found, opened, arguments.files_to)
    return EXIT_DONE


def _files(found: read.Opened, opened: opening.Opening, text: str) -> None:
    target = opened.place(text)
    if isinstance(target, BucketPlace):
        files, size = restore_files.into_bucket(found, target)
    else:
        assert isinstance(target, FolderPlace)
        files, size = restore_files.into_folder(found, target.root)
    tell(f"files: {files:,} files, {size:,} bytes restored to {target.title}")


def _describe(found: read.Opened) -> None:
    database = found.about.database
    if database is not None:
        for table in database.tables:
            tell(f"  {table.name}: {table.rows:,} rows")
    files = size = 0
    for part in found.parts():
        if part.kind == "file":
            files, size = files + 1, size + part.size
    tell(f"  {files:,} files, {size:,} bytes")
    tell("Nothing has been written. --test restores it into scratch; --into and --files-to restore it.")
