"""The database does not lie on the app's own disk."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen
from wizard.model import Evidence

CODE, TITLE = "database-durable", "The database survives a redeploy"
SERVERS = ("postgres", "mysql", "mongodb")
_MOVE = "Move it: `ashore` shows how; do not deploy, restart or change variables before."


def check(seen: Seen) -> Item:
    """Judged by the settings of the deployed app where they can be read, else by what the scan found."""
    held = [s for s in seen.project.stores if s.kind == "sqlite"]
    doomed = next((s for s in held if not s.survives_redeploy), None)
    if seen.production is not None:
        setting = seen.production.get("DATABASES")
        engine = _engine(setting.value)
        if setting.settled and engine and not engine.endswith(("sqlite3", "spatialite")):
            return Item(CODE, TITLE, "yes", "It lies on a server of its own.", place=setting.place)
        if not setting.settled:
            why = (
                "The environment decides: SQLite on the app's disk is used only where a variable is missing."
            )
            if doomed is None or not engine:
                why = "The settings take the database from a variable that is not in the code."
            return Item(CODE, TITLE, "cannot-tell", why, _look_up(seen), setting.place)
    if doomed is not None:
        place = doomed.evidence[0] if doomed.evidence else Evidence(doomed.path, 1)
        return Item(CODE, TITLE, "no", f"{doomed.path}: {doomed.why}", _MOVE, place)
    if held:
        why = f"{held[0].path}: {held[0].why}"
        return Item(CODE, TITLE, "yes", why, place=held[0].evidence[0] if held[0].evidence else None)
    if any(s.kind in SERVERS for s in seen.project.stores):
        return Item(CODE, TITLE, "yes", "It lies on a server of its own.")
    return Item(CODE, TITLE, "cannot-tell", "No database was found in this folder.", _look_up(seen))


def _look_up(seen: Seen) -> str:
    if "DATABASE_URL" in seen.declared:
        return "The platform's file lists DATABASE_URL: see that it has a value there."
    return "See that the database's variable is set on the platform, to the URL of a server."


def _engine(databases: object) -> str:
    default = databases.get("default") if isinstance(databases, Mapping) else None
    engine = default.get("ENGINE") if isinstance(default, Mapping) else None
    return engine if isinstance(engine, str) else ""
