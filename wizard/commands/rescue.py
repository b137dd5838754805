"""`ashore rescue [PATH]`: after the loss, what can still be found, where, of which date."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json, tell
from wizard.errors import UsageError
from wizard.rescue import find
from wizard.rescue.item import Item

_TITLES = {"database": "Databases", "files": "Files", "elsewhere": "Where only you can look"}


def rescue(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """List what may be recovered; with --restore ITEM --to DIR, write one thing into a new folder."""
    if (arguments.restore is None) != (arguments.to is None):
        raise UsageError("rescue-options", "--restore ITEM and --to DIR belong together.", "")
    search = find.Search(arguments.path, arguments.state_dir, tuple(arguments.look), arguments.url)
    found = find.look(search, lambda text: tell(f"  ! {text}"))
    if arguments.restore is not None:
        lines = find.take(found, arguments.restore, Path(arguments.to).absolute())
        tell(f"Restored into {arguments.to}. To take it into the normal migration:")
        for line in lines:
            put(line)
        return 0
    if arguments.json:
        put_json(
            {"version": 1, "project": str(found.project.root), "items": [_as_json(i) for i in found.items]}
        )
        return 0
    if not found.items:
        put("Nothing was found. Name further folders with --look DIR, and the live site with --url ADDRESS.")
    for kind, title in _TITLES.items():
        items = [item for item in found.items if item.kind == kind]
        if items:
            put(f"\n{title}")
        for item in items:
            put(f"  {item.id}  {item.date[:19] or 'date not known'}  {item.title}")
            put(f"    {_amounts(item)}{item.how}")
    put("\nNothing has been written. `ashore rescue --restore ITEM --to DIR` writes one into a new folder.")
    return 0


def _amounts(item: Item) -> str:
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (item.tables, "tables"),
            (item.rows, "rows"),
            (item.files, "files"),
            (item.bytes, "bytes"),
        )
        if number is not None
    ]
    if item.kind == "database" and item.rows is None and item.found in ("git", "copy"):
        parts.append("damaged or empty")
    return f"{', '.join(parts)}. " if parts else ""


def _as_json(item: Item) -> Mapping[str, object]:
    return {
        "id": item.id,
        "kind": item.kind,
        "found": item.found,
        "title": item.title,
        "date": item.date or None,
        "tables": item.tables,
        "rows": item.rows,
        "files": item.files,
        "bytes": item.bytes,
        "how": item.how,
        "restorable": item.take is not None,
    }
