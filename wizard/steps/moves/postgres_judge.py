"""What a PostgreSQL → PostgreSQL move cannot carry, judged on the dump, and what the target lacks."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from wizard.context import Cancel
from wizard.databases.postgres.dumps.dump import Dump
from wizard.databases.postgres.dumps.source import label
from wizard.model import Choice, Decision
from wizard.references.repairs import HOST, Tally
from wizard.verifying.canonical import unescape

Chosen = Mapping[str, Mapping[str, str]]
LEFT_TYPES = {
    "FOREIGN TABLE": "foreign table",
    "SERVER": "foreign server",
    "USER MAPPING": "user mapping",
    "FOREIGN DATA WRAPPER": "foreign data wrapper",
    "EVENT TRIGGER": "event trigger",
    "PUBLICATION": "publication",
    "SUBSCRIPTION": "subscription",
    "TRANSFORM": "transform",
    "CAST": "cast",
    "PROCEDURAL LANGUAGE": "language",
}


def judge(dump: Dump, chosen: Chosen) -> list[Decision]:
    """What only an answer can decide, of the dump alone."""
    about, found = dump.about, []
    for schema, name, why in about["left_out"]:
        found.append(
            _decision(
                label(schema, name),
                "not_readable",
                f"The rows of {label(schema, name)} cannot be copied: {why}.",
                1,
                "its rows stay at the source",
                chosen,
            )
        )
    if about["large_objects"]:
        found.append(
            _decision(
                "large objects",
                "large_objects",
                "The source holds large objects (pg_largeobject), which are not carried.",
                about["large_objects"],
                "they stay at the source",
                chosen,
            )
        )
    for schema, name in about["foreign_tables"]:
        found.append(
            _decision(
                label(schema, name),
                "foreign_table",
                f"{label(schema, name)} is a foreign table: its rows lie on another server, and its "
                "definition holds credentials.",
                1,
                "is not made in the target",
                chosen,
            )
        )
    for (name,) in about["event_triggers"]:
        found.append(
            _decision(
                name,
                "event_trigger",
                f"The event trigger {name} needs a superuser, which managed servers do not give.",
                1,
                "is not made in the target",
                chosen,
            )
        )
    return found


def judge_addresses(dump: Dump, cancel: Cancel) -> list[Decision]:
    """What only an answer can decide of malformed addresses in the rows; nothing is chosen yet."""
    tally, mark = Tally(), HOST.encode()
    for table in dump.tables:
        places = [(table.columns + table.computed).index(name) for name in table.key]
        for chunk in table.chunks:
            cancel.check()
            with (dump.folder / chunk.file).open("rb") as file:
                for line in (line for line in file if mark in line):
                    cells = [unescape(cell) for cell in line.rstrip(b"\n").decode("utf-8").split("\t")]
                    key = ", ".join(cells[place] or "" for place in places)
                    for name, text in zip(table.columns, cells, strict=False):
                        if text is not None:
                            tally.look(f"{table.label}.{name}", key, text)
    return tally.decisions({})


def judge_target(dump: Dump, connection: psycopg.Connection, chosen: Chosen) -> list[Decision]:
    """What the target's server does not have: its version, the extensions. Reads only."""
    about, found = dump.about, []
    ours, theirs = about["server_version"] // 10000, connection.info.server_version // 10000
    if theirs < ours:
        found.append(
            Decision(
                "server",
                "older_server",
                f"The source runs PostgreSQL {ours}, the target the older {theirs}: what only the newer one "
                "understands fails before the first row is copied.",
                0,
                (),
                (Choice("try", "build the tables there all the same; a refusal stops the run"),),
                chosen.get("server", {}).get("older_server"),
            )
        )
    offered = {
        str(name): (installed, trusted)
        for name, installed, trusted in connection.execute(
            "SELECT a.name, a.installed_version IS NOT NULL, coalesce(bool_or(v.trusted), false) "
            "OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) FROM pg_available_extensions a "
            "LEFT JOIN pg_available_extension_versions v ON v.name = a.name "
            "GROUP BY a.name, a.installed_version"
        ).fetchall()
    }
    for name, schema, version in about["extensions"]:
        there = offered.get(name)
        if there is not None and (there[0] or there[1]):
            continue
        why = "may not be made by this role" if there is not None else "is not offered by the target's server"
        found.append(
            _decision(
                f"extension {name}",
                "extension_missing",
                f"The extension {name} {version} (schema {schema}) {why}.",
                1,
                "is not made; what needs it fails before the first row is copied",
                chosen,
            )
        )
    return found


def warnings(dump: Dump) -> list[tuple[str, str]]:
    """(code, text) of what does not move and needs no answer."""
    about, said = dump.about, []
    said.append(
        (
            "roles-not-carried",
            "Roles, owners and grants are not carried: everything in the target belongs to the role that "
            "connects.",
        )
    )
    if about["prepared"]:
        said.append(
            (
                "prepared-transactions",
                f"The source holds {about['prepared']} prepared transactions; what they wrote is not copied.",
            )
        )
    if about["publications"]:
        names = ", ".join(name for (name,) in about["publications"])
        said.append(("publications-left", f"Publications for replication are not carried: {names}."))
    return said


def _decision(subject: str, code: str, message: str, count: int, about: str, chosen: Chosen) -> Decision:
    return Decision(
        subject,
        code,
        message,
        count,
        (),
        (Choice("leave", about),),
        chosen.get(subject, {}).get(code),
    )
