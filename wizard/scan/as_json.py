"""A scan as `ashore scan --json` prints it (INTERFACE, "Scan, --json")."""

from __future__ import annotations

from typing import Any

from wizard.model import Evidence, Project, Store

VERSION = 1


def to_json(project: Project) -> dict[str, Any]:
    """The project as plain data: names, counts, places; no value of any setting."""
    return {
        "version": VERSION,
        "project": project.root.name,
        "frameworks": [
            {"name": f.name, "version": f.version, "evidence": _evidence(f.evidence)}
            for f in project.frameworks
        ],
        "platforms": [
            {"name": p.name, "plan": p.plan, "evidence": _evidence(p.evidence)} for p in project.platforms
        ],
        "stores": [_store(store) for store in project.stores],
        "findings": [
            {
                "code": f.code,
                "severity": f.severity,
                "message": f.message,
                "hint": f.hint,
                "file": f.file,
                "line": f.line,
            }
            for f in project.findings
        ],
    }


def _store(store: Store) -> dict[str, Any]:
    counts = (
        {"tables": store.tables, "rows": store.rows} if store.kind == "sqlite" else {"files": store.files}
    )
    return {
        "kind": store.kind,
        "path": store.path,
        "bytes": store.bytes,
        **counts,
        "survives_redeploy": store.survives_redeploy,
        "lost_on": list(store.lost_on),
        "why": store.why,
        "evidence": _evidence(store.evidence),
    }


def _evidence(places: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [{"file": place.file, "line": place.line} for place in places]
