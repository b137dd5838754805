"""Check the rewritten texts of a MongoDB database that stays where it is.

The app goes on writing there, so that whole documents cannot be compared: every text that ashore recorded as
rewritten is, with the copy taken before, with the document as it stands, and with an independent computation.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson import Binary
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from wizard.context import Cancel
from wizard.verifying import bson_leaves
from wizard.verifying.differences import Difference, Tally, shorten
from wizard.verifying.documents import IMAGES, Rewritten
from wizard.verifying.rewrites import is_rewrite

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True, slots=True)
class KeptComparison:
    """`texts` were compared in `documents`; `newer` of them the app has changed since, and `moved` other
    values of these documents since the copy."""

    documents: int
    texts: int
    newer: int
    moved: int
    differences: tuple[Difference, ...]
    total: int


def compare_kept(
    folder: Path,
    database: Database[dict[str, Any]],
    *,
    run: str,
    bases: tuple[str, ...],
    cancel: Cancel,
    progress: Callable[[int], None] = lambda count: None,
    rewritten: Rewritten | None = None,
) -> KeptComparison:
    """Writes nothing. Raises ValueError for damaged files, Stopped, and the driver's errors."""
    tally = Tally()
    documents = texts = newer = moved = 0
    with closing(sqlite3.connect("")) as scratch:
        _load(scratch, folder, database, run, cancel)
        rows = scratch.execute("SELECT collection, key, document FROM changed ORDER BY collection, key")
        for name, key, before in rows:
            cancel.check()
            documents += 1
            wanted = {"run": run, "collection": name, "key": Binary(key), "done": True}
            images = list(database[IMAGES].find(wanted))
            now = _read(database, name, key)
            here = {} if now is None else dict(bson_leaves.leaves(now))
            source = {} if before is None else dict(bson_leaves.leaves(before))
            paths = {tuple(image["path"]) for image in images}
            moved += sum(
                source.get(p) != here.get(p) for p in {**source, **here} if p not in paths and source
            )
            for image in images:
                texts += 1
                state = _judge(image, here, bases, rewritten)
                newer += state == "newer"
                if state in ("lost", "wrong"):
                    tally.add(_difference(name, key, image, here, state))
            progress(len(images))
    return KeptComparison(documents, texts, newer, moved, tuple(tally.kept), tally.total)


def _load(
    scratch: sqlite3.Connection, folder: Path, database: Database[dict[str, Any]], run: str, cancel: Cancel
) -> None:
    """The documents with rewritten texts, each as the copy has it (NULL where it is younger)."""
    scratch.execute(
        "CREATE TABLE changed (collection TEXT, key BLOB, document BLOB, PRIMARY KEY (collection, key)) "
        "WITHOUT ROWID"
    )
    for image in database[IMAGES].find({"run": run, "done": True}, {"collection": 1, "key": 1}):
        scratch.execute(
            "INSERT OR IGNORE INTO changed VALUES (?, ?, NULL)", (image["collection"], bytes(image["key"]))
        )
    for name, document in _copied(folder):
        cancel.check()
        scratch.execute(
            "UPDATE changed SET document = ? WHERE collection = ? AND key = ?",
            (document, name, bson_leaves.identity(document)),
        )


def _copied(folder: Path) -> Iterator[tuple[str, bytes]]:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for said in manifest["collections"]:
        for part in said["parts"]:
            for document in bson_leaves.documents(folder / part["file"]):
                yield said["collection"]["name"], document


def _read(database: Database[dict[str, Any]], name: str, key: bytes) -> bytes | None:
    outer = key[:1] + b"_id\0" + key[1:]
    if key[0] == 3:  # a document could be read as an operator
        inner = b"\x03$eq\0" + key[1:]
        outer = b"\x03_id\0" + struct.pack("<i", len(inner) + 5) + inner + b"\0"
    query = RawBSONDocument(struct.pack("<i", len(outer) + 5) + outer + b"\0")
    found: Any = database.get_collection(name, codec_options=_RAW).find_one(query)
    return None if found is None else bytes(found.raw)


def _judge(
    image: Mapping[str, Any],
    here: Mapping[bson_leaves.LeafPath, bytes],
    bases: tuple[str, ...],
    rewritten: Rewritten | None,
) -> str:
    before, after = str(image["before"]), str(image["after"])
    leaf = here.get(tuple(image["path"]))
    stands = None if leaf is None else bson_leaves.text(leaf)
    if not is_rewrite(before, after, bases) and (rewritten is None or not rewritten(before, after)):
        return "wrong"
    if stands == after:
        return "right"
    return "lost" if stands == before else "newer"


def _difference(
    name: str,
    key: bytes,
    image: Mapping[str, Any],
    here: Mapping[bson_leaves.LeafPath, bytes],
    state: str,
) -> Difference:
    path = tuple(image["path"])
    leaf = here.get(path)
    stands = None if leaf is None else bson_leaves.text(leaf)
    expected, found = shorten(str(image["after" if state == "lost" else "before"]), stands)
    detail = (
        "a rewrite is recorded that the document does not show"
        if state == "lost"
        else "the recorded rewrite is not what the text before must become"
    )
    column = bson_leaves.path_text(path)
    return Difference("rewrite", name, bson_leaves.shown(key), column, expected, found, detail)
