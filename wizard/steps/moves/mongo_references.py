"""References to files inside MongoDB documents: looked for, rewritten with undo, told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from wizard.context import RunContext
from wizard.databases.mongo import catalog, dump, load, raw
from wizard.databases.mongo.connect import Server
from wizard.databases.mongo.record import IMAGES, Target
from wizard.events import FindingSeen, Warned
from wizard.references.documents import Rewriter, Search
from wizard.references.documents_write import BATCH, Document, Written, reachable, settle_left, write
from wizard.references.files import Files, store_names
from wizard.references.find import Found
from wizard.references.locate import MediaUrl
from wizard.sources.inventory import open_inventory
from wizard.sources.progress import Meter
from wizard.steps import references as step
from wizard.steps import repairing
from wizard.verifying.bson_leaves import shown


def run(ctx: RunContext, server: Server, at: Target | None) -> str:
    """Look through every document of `server`; with public access rewrite there, in the name of `at`.

    The journal's fact ("references", "summary") counts what was found, rewritten, dangling and unnamed.
    """
    if not step.wanted(ctx):
        return "references stay as they are"
    collections = {c.name: c for c in catalog.read(server) if c.kind == "collection"}
    with rewriter(ctx) as with_files:
        files, medias = with_files.files, with_files.medias
        search = Search(files, medias)
        mode = (
            "report" if ctx.answers.references == "report" else ("rewrite" if files.own and at else "signed")
        )
        if not ctx.answers.storage:
            mode = "repair"
        writing = at is not None and (mode == "rewrite" or bool(with_files.repaired))
        done = Written()
        if writing and at is not None:
            at.read()
            settle_left(server, ctx.run, collections, with_files, done)
        for collection in collections.values():
            writer = _Writer(ctx, at, collection, with_files, done) if writing and at else None
            _collection(ctx, server, collection, writer, search)
        found = search.finish()
        more, said = _told(ctx, with_files)
    rewritten = server.database[IMAGES].count_documents({"run": ctx.run, "done": True})
    if done.unreachable:
        ctx.emit(
            Warned(
                "references-not-rewritten",
                f"{done.unreachable:,} texts stand below fields whose names hold a dot or begin with a "
                "dollar; no update can name them, they stay as they are.",
            )
        )
    facts = _facts(mode, medias, found, rewritten)
    ctx.journal.put(step.name, "summary", {**facts, **more, "malformed": search.malformed})
    _tell(ctx, found)
    return _sentence(mode, found, rewritten) + said


def _told(ctx: RunContext, with_files: Rewriter) -> tuple[dict[str, object], str]:
    """(facts, words) of the addresses that stay malformed."""
    if with_files.repairs is None:
        return {}, ""
    return repairing.tell(ctx, with_files.repairs), repairing.sentence(with_files.repairs)


@contextmanager
def rewriter(ctx: RunContext) -> Iterator[Rewriter]:
    """The stored files and the addresses below which the app serves them."""
    media_url, media_root = step.media_folder(ctx)
    with open_inventory(ctx) as inventory, repairing.opened(ctx) as repairs:
        paths = [path for _, path in inventory.stores()]
        stores = store_names(paths, ctx.project.root, media_root)
        files = Files(inventory, stores, ctx.answers.storage)
        urls = [media_url] if media_root is not None else [f"/{PurePosixPath(p).name}/" for p in paths]
        medias = [media for url in urls if (media := MediaUrl.parse(url)) is not None]
        yield Rewriter(files, tuple(dict.fromkeys(medias)), repairs, repairing.wanted(ctx.answers))


def _collection(
    ctx: RunContext,
    server: Server,
    collection: catalog.Collection,
    writer: _Writer | None,
    search: Search,
) -> None:
    meter = Meter(ctx.emit, step.name, collection.name, "documents", None)
    for batch in dump.batches(server, collection):
        ctx.cancel.check()
        for data in raw.split(batch):
            meter.add(1)
            search.look(collection.name, shown(raw.identity(data)), data)
            if writer is not None:
                writer.add(data)
    if writer is not None:
        writer.write()
    meter.close()


class _Writer:
    """Puts the documents to rewrite aside, in a file, and writes them when all have been read.

    A cursor that is open while its collection is written to would hold some servers up, and on others
    outlive its time. What the app changes in between is seen by each write.
    """

    def __init__(
        self, ctx: RunContext, at: Target, collection: catalog.Collection, with_files: Rewriter, done: Written
    ) -> None:
        self._ctx, self._at, self._collection, self._rewriter = ctx, at, collection, with_files
        self._done = done
        self._needles = with_files.needles()
        self._path = ctx.folder.work / "to-rewrite.bson"
        self._file = self._path.open("wb")

    def add(self, data: bytes) -> None:
        if any(needle in data for needle in self._needles):
            self._file.write(data)
            self._rewriter.see(self._collection.name, data)

    def write(self) -> None:
        self._file.close()
        if self._rewriter.repairs is not None:
            repairing.ask(self._ctx, self._rewriter.repairs)
        for batch in load.batched(raw.read(self._path), BATCH):
            self._ctx.cancel.check()
            waiting = []
            for data in batch:
                edits = self._rewriter.edits(self._collection.name, data)
                within = tuple(edit for edit in edits if reachable(edit.path))
                self._done.unreachable += len(edits) - len(within)
                if within:
                    waiting.append(Document(data, within))
            self._at.read()  # a newer execution ends this one before it writes more
            write(self._at.server, self._ctx.run, self._collection, waiting, self._rewriter, self._done)
        self._path.unlink()


def _facts(mode: str, medias: tuple[MediaUrl, ...], found: Found, rewritten: int) -> dict[str, object]:
    return {
        "mode": mode,
        "media_url": ", ".join(media.path for media in medias),
        "columns": [f"{table}.{column}" for table, column in sorted(found.columns)],
        "addresses": found.addresses,
        "relative": found.relative,
        "hosts": found.hosts,
        "dangling": found.dangling,
        "dangling_examples": [dataclasses.asdict(e) for e in found.dangling_examples],
        "unnamed": found.unnamed,
        "unnamed_examples": found.unnamed_examples,
        "rewritten": rewritten,
        "too_long": 0,
    }


def _tell(ctx: RunContext, found: Found) -> None:
    for example in found.dangling_examples:
        place = f"{example.table}.{example.column}"
        said = f"{place} ({example.key}) names {example.name}, which does not exist."
        ctx.emit(FindingSeen("dangling-reference", "warning", said, place))


def _sentence(mode: str, found: Found, rewritten: int) -> str:
    if mode == "repair":
        return f"{rewritten:,} texts with malformed addresses repaired, undo kept"
    parts = [f"{found.relative:,} names of files stay: the storage finds them"]
    if mode == "rewrite":
        parts.append(f"{rewritten:,} texts rewritten, undo kept")
    elif mode == "signed":
        parts.append(
            f"{found.addresses:,} links stay as they are: the app redirects them to signed addresses"
        )
    else:
        parts.append(f"{found.addresses:,} links found, none changed")
    if found.dangling:
        parts.append(f"{found.dangling:,} references name files that do not exist")
    if found.unnamed:
        parts.append(f"{found.unnamed:,} files are named by no document")
    return "; ".join(parts)
