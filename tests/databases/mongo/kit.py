"""A run that moves a MongoDB database, without the plan around it: its steps one by one, on real servers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bson
import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from wizard.answers import Answers, DatabaseAnswers, StorageRule
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Plan, Project
from wizard.state import State
from wizard.steps.moves.mongo import MongoMove

RUN = "20260101-000000-abcdef"
STEPS = ("snapshot", "preflight", "provision", "schema", "recheck", "copy", "references", "constraints")


def context(
    tmp_path: Path,
    source: Secret,
    target: Secret | None,
    *,
    decisions: Mapping[str, Mapping[str, str]] | None = None,
    run: str = RUN,
    storage: tuple[StorageRule, ...] = (),
    environ: Mapping[str, str] | None = None,
    **answers: Any,
) -> RunContext:
    """A fresh run, or the same one again where its folder stands."""
    root = tmp_path / "project"
    root.mkdir(exist_ok=True, parents=True)
    folder = State.open(tmp_path / "state", root, {}).new_run(root, run)
    redactor = Redactor()
    events: list[Event] = []
    database = DatabaseAnswers(
        provider="mongodb" if target is not None else "keep",
        source="env:MONGODB_URI",
        url="env:TARGET" if target is not None else None,
        decisions=decisions or {},
        **answers,
    )
    secrets = {"MONGODB_URI": source.reveal(), **(environ or {})}
    if target is not None:
        secrets["TARGET"] = target.reveal()
    return RunContext(
        project=Project(root),
        answers=Answers(project=root, database=database, storage=storage),
        plan=Plan(1, str(root), "", "", ()),
        folder=folder,
        journal=Journal(folder.journal),
        vault=Vault(redactor, environ=secrets),
        redactor=redactor,
        emit=events.append,
        cancel=Cancel(),
    )


def new_process(ctx: RunContext) -> RunContext:
    """The same run as a later process sees it: the runner forgets the execution at its start."""
    ctx.journal.forget("engine", "epoch")
    return dataclasses.replace(ctx, cancel=Cancel())


def migrate(ctx: RunContext) -> tuple[str, int]:
    """Every step up to the comparison; (its summary, differences)."""
    way = MongoMove()
    for step in STEPS:
        getattr(way, step)(ctx)
    return way.verify(ctx)


def database(url: Secret) -> Any:
    """The test's own view of a database."""
    client: Any = pymongo.MongoClient(url.reveal(), serverSelectionTimeoutMS=5000)
    return client[url.reveal().rpartition("/")[2]]


def raw(url: Secret) -> dict[str, list[bytes]]:
    """Every document of every collection of the app, as the server holds it, by collection."""
    found = {}
    for name in sorted(database(url).list_collection_names()):
        if not name.startswith("ashore_"):
            options: Any = CodecOptions(document_class=RawBSONDocument)
            table = database(url).get_collection(name, codec_options=options)
            found[name] = [bytes(d.raw) for d in table.find().sort("_id", 1)]
    return found


def decoded(url: Secret) -> dict[str, list[dict[str, Any]]]:
    """`raw`, for people."""
    options: Any = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    return {n: [bson.decode(d, codec_options=options) for d in some] for n, some in raw(url).items()}


def codes(ctx: RunContext) -> list[str]:
    """The codes of everything the run warned of or found."""
    events: Any = ctx.emit
    return [event.code for event in events.__self__ if hasattr(event, "code")]


def findings(ctx: RunContext) -> list[str]:
    """The words of every difference that was told."""
    events: Any = ctx.emit
    return [e.message for e in events.__self__ if getattr(e, "code", "") == "difference"]
