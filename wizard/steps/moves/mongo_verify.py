"""Verification of a MongoDB target, told and noted as every comparison is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.mongo.connect import Server
from wizard.events import FindingSeen, Warned
from wizard.references.files import public_base
from wizard.steps.moves.mongo_judge import decisions
from wizard.verifying.differences import readable
from wizard.verifying.documents import DocumentComparison, compare_documents

SHOWN = 20


def bases(ctx: RunContext) -> tuple[str, ...]:
    """What the new addresses of public files begin with."""
    return tuple(dict.fromkeys(b for rule in ctx.answers.storage if (b := public_base(rule)) is not None))


def compare(ctx: RunContext, server: Server, folder: Path) -> DocumentComparison:
    """Compare the copy in `folder` with `server`, and note what was found (fact `verify`/`database`)."""
    found = compare_documents(
        folder, server.database, run=ctx.run, decisions=decisions(ctx), bases=bases(ctx),
        emit=ctx.emit, cancel=ctx.cancel,
    )  # fmt: skip
    fact = {
        "tables": found.collections,
        "rows": found.documents,
        "values": found.values,
        "differences": [
            {k: ctx.redactor.text(v) if isinstance(v, str) else v for k, v in asdict(d).items()}
            for d in found.differences
        ],
        "total": found.total,
        "notes": list(found.notes),
        "snapshot": folder.name,
        "mode": "full",
    }
    ctx.journal.put("verify", "database", fact)
    return found


def tell(ctx: RunContext, found: DocumentComparison) -> str:
    """The differences as findings; the summary."""
    for note in found.notes:
        ctx.emit(Warned("verify-note", note))
    for difference in found.differences[:SHOWN]:
        message = readable(ctx.redactor.text(difference.message))
        ctx.emit(FindingSeen("difference", "error", message, readable(difference.subject)))
    said = (
        f"{found.documents:,} documents of {found.collections} collections, {found.bytes:,} bytes compared, "
        f"{found.total:,} differences"
    )
    if found.rewritten:
        said += f", {found.rewritten:,} rewritten texts worked out anew"
    if found.expired:
        said += f", {found.expired:,} expired meanwhile"
    return said
