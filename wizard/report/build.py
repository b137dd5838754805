"""The report as data: what was at risk, decided, compared and changed, and what is left to do.

Made of the plan and the journal's facts alone, so that it can be made again at any time. Its shape is a
contract (INTERFACE, "Report"); version 1 only ever gains keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wizard.context import RunContext
from wizard.report.beyond import BEYOND
from wizard.report.todo import to_do

VERSION = 1
SHOWN = 1000
# Decisions about objects that stay behind, in words.
_STAYS = {"view": "view", "trigger": "trigger", "virtual_table": "virtual table"}


def build(ctx: RunContext) -> dict[str, Any]:
    """The whole report. Holds no secret that `ctx.redactor` knows, and no variable's value."""
    database = _fact(ctx, "verify", "database")
    objects = _fact(ctx, "verify", "objects")
    total = int(database.get("total", 0)) + int(objects.get("different", 0))
    edits = _edits(ctx)
    proven = total == 0
    report: dict[str, Any] = {
        "version": VERSION,
        "run": ctx.run,
        "project": ctx.project.root.name,
        "status": "done" if proven else "differences",
        "headline": "Everything arrived." if proven else f"Source and target differ in {total:,} places.",
        "to_do": to_do(ctx, [str(e["file"]) for e in edits], proven),
        "at_risk": _at_risk(ctx),
        "decisions": _decisions(ctx),
        "compared": _compared(database, objects),
        "differences": _differences(database, objects),
        "edits": edits,
        "instructions": ctx.journal.get("patch", "instructions") or [],
        "references": _fact(ctx, "references", "summary"),
        "upload": _fact(ctx, "upload", "summary"),
        "not_moved": _not_moved(ctx, objects),
        "notes": [*(ctx.journal.get("schema", "notes") or []), *database.get("notes", [])],
        "steps": _steps(ctx),
        "beyond": [{"title": title, "text": text} for title, text in BEYOND],
    }
    return {key: redacted(ctx, value) for key, value in report.items()}


def redacted(ctx: RunContext, value: Any) -> Any:
    """`value` with every text in it redacted."""
    if isinstance(value, str):
        return ctx.redactor.text(value)
    if isinstance(value, Mapping):
        return {key: redacted(ctx, part) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [redacted(ctx, part) for part in value]
    return value


def _fact(ctx: RunContext, kind: str, key: str) -> dict[str, Any]:
    found = ctx.journal.get(kind, key)
    return dict(found) if isinstance(found, Mapping) else {}


def _at_risk(ctx: RunContext) -> list[dict[str, Any]]:
    return [
        {
            "kind": store.kind,
            "path": store.path,
            "bytes": store.bytes,
            "tables": store.tables,
            "rows": store.rows,
            "files": store.files,
            "lost_on": list(store.lost_on),
            "why": store.why,
        }
        for store in ctx.project.stores
        if not store.survives_redeploy
    ]


def _found(ctx: RunContext) -> list[Mapping[str, Any]]:
    """Every decision of the run, once: a later step may have judged the same subject again."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for step in ("preflight", "recheck", "cutover"):
        for decision in ctx.journal.get(step, "decisions") or []:
            found.setdefault((str(decision["subject"]), str(decision["code"])), decision)
    return list(found.values())


def _decisions(ctx: RunContext) -> list[dict[str, Any]]:
    return [
        {
            "subject": d["subject"],
            "code": d["code"],
            "chosen": d.get("chosen"),
            "count": d["count"],
            "message": d["message"],
        }
        for d in _found(ctx)
    ]


def _compared(database: Mapping[str, Any], objects: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of what was compared; only the parts that moved."""
    compared: dict[str, Any] = {}
    if database:
        compared |= {key: database[key] for key in ("tables", "rows", "values")}
        compared["row_differences"] = database["total"]
    if objects:
        compared |= {
            "files": objects["objects"],
            "file_bytes": objects["bytes"],
            "by_checksum": objects["by_checksum"] + objects["by_etag"],
            "by_reading": objects["by_reading"],
            "fetched_by_public_address": objects["public_fetched"],
            "file_differences": objects["different"],
        }
    return compared


def _differences(database: Mapping[str, Any], objects: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = [dict(d) for d in database.get("differences", [])]
    files = [{"kind": "object", **d} for d in objects.get("differences", [])]
    return [*rows, *files][:SHOWN]


def _edits(ctx: RunContext) -> list[dict[str, Any]]:
    return [
        {"file": e["path"], "added": e["added"], "removed": e["removed"], "new": e.get("before") is None}
        for e in ctx.journal.get("patch", "edits") or []
    ]


def _not_moved(ctx: RunContext, objects: Mapping[str, Any]) -> list[dict[str, str]]:
    """Objects of the database left behind, and files that could not be carried."""
    left = [
        {"what": str(one["what"]), "name": str(one["name"]), "why": str(one["why"])}
        for one in ctx.journal.get("schema", "left") or []
    ]
    for decision in _found(ctx):
        word = _STAYS.get(str(decision["code"]))
        if word is not None:
            name = str(decision["subject"]).partition(":")[2] or str(decision["subject"])
            left.append({"what": word, "name": name, "why": str(decision["message"])})
    files = {f"{p['store']}/{p['path']}": str(p["message"]) for p in objects.get("not_moved", [])}
    for where, _ in ctx.journal.all("not-moved"):
        files.setdefault(where, "It was gone or could not be read when it was its turn.")
    return left + [{"what": "file", "name": where, "why": why} for where, why in sorted(files.items())]


def _steps(ctx: RunContext) -> list[dict[str, Any]]:
    planned = {s.name: s for s in ctx.plan.steps}
    return [
        {
            "name": name,
            "title": planned[name].title if name in planned else name,
            "writes": planned[name].writes if name in planned else "",
            "seconds": round(seconds, 1),
            "summary": summary,
        }
        for name, state, seconds, summary in ctx.journal.steps()
        if state == "finished"
    ]
