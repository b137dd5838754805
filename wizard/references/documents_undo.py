"""Puts the texts before back into MongoDB documents, where nobody has changed them since."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from bson import Binary

from wizard.databases.mongo.catalog import Collection
from wizard.databases.mongo.connect import Server
from wizard.databases.mongo.record import IMAGES
from wizard.references.documents import Path, general, texts
from wizard.references.documents_write import TRIES, put, read


def undo(server: Server, run: str, collections: Mapping[str, Collection]) -> tuple[int, int]:
    """Restore the texts that `run` rewrote; returns (restored, kept).

    A text is restored only where it is still what the rewrite made of it. Where the app moved it to another
    place of the same array, it is found there, if it is the only one. Texts changed or deleted since are
    kept, with their image. May be repeated.
    """
    table = server.database[IMAGES]
    restored = kept = 0
    with closing(sqlite3.connect("")) as scratch:
        scratch.execute("CREATE TABLE place (name TEXT, key BLOB, PRIMARY KEY (name, key)) WITHOUT ROWID")
        scratch.executemany(
            "INSERT OR IGNORE INTO place VALUES (?, ?)",
            (
                (i["collection"], bytes(i["key"]))
                for i in table.find({"run": run}, {"collection": 1, "key": 1})
            ),
        )
        for name, key in scratch.execute("SELECT name, key FROM place"):
            images = list(table.find({"run": run, "collection": name, "key": Binary(key)}))
            collection = collections.get(name)
            one = (0, len(images)) if collection is None else _document(server, collection, key, images)
            restored, kept = restored + one[0], kept + one[1]
    return restored, kept


def _document(
    server: Server, collection: Collection, key: bytes, images: Sequence[Mapping[str, Any]]
) -> tuple[int, int]:
    for _ in range(TRIES):
        data = read(server, collection, key)
        now = {} if data is None else dict(texts(data))
        places = _places(now, images)
        new = {path: str(i["before"]) for i in images if (path := places.get(str(i["_id"]))) is not None}
        if not new or data is None or put(server, collection, data, new):
            # What holds the text before already was restored by an undo that was cut off, or never rewritten.
            already = [i for i in images if now.get(tuple(i["path"])) == i["before"]]
            settled = [str(i["_id"]) for i in images if str(i["_id"]) in places]
            settled += [str(i["_id"]) for i in already]
            settled += [str(i["_id"]) for i in images if not i["done"]]
            server.database[IMAGES].delete_many({"_id": {"$in": list(set(settled))}})
            back = {str(i["_id"]) for i in already if i["done"]} | set(places)
            left = [i for i in images if str(i["_id"]) not in set(settled)]
            return len(back), len(left)
    return 0, len(images)


def _places(now: Mapping[Path, str], images: Sequence[Mapping[str, Any]]) -> dict[str, Path]:
    """Where each image's text after stands, by the image's `_id`."""
    found: dict[str, Path] = {}
    for image in images:
        path: Path = tuple(image["path"])
        if now.get(path) == image["after"]:
            found[str(image["_id"])] = path
    for image in images:
        if str(image["_id"]) in found or now.get(tuple(image["path"])) == image["before"]:
            continue
        pattern = general(tuple(image["path"]))
        same = [
            path
            for path, text in now.items()
            if text == image["after"] and general(path) == pattern and path not in found.values()
        ]
        if len(same) == 1 and image["done"]:
            found[str(image["_id"])] = same[0]
    return found
