"""Collections, their options, indexes and views in the target, against the manifest of the copy."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bson
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database

from wizard.verifying.differences import Difference, Tally

_OWN = "ashore_"
_MS: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_MS
)
_SPOKEN = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS
)
_SERVERS_OWN = {"uuid", "autoIndexId", "flags", "idIndex"}
_NOT_COMPARED = {"v", "ns", "background"}
_SLACK_S = 120  # the server looks for what has expired every 60 seconds


@dataclass(frozen=True, slots=True)
class Expiry:
    """An index of the target that deletes documents `seconds` after the moment in `field`."""

    field: str
    seconds: float

    def is_over(self, document: bytes, now: datetime.datetime) -> bool:
        """Whether the index may have deleted the document by `now`."""
        value: Any = bson.decode(document, codec_options=_MS)
        for name in self.field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        moments = value if isinstance(value, list) else [value]
        limit = (now.timestamp() + _SLACK_S - self.seconds) * 1000
        return any(isinstance(m, bson.DatetimeMS) and int(m) <= limit for m in moments)


def fact_differences(
    manifest: Mapping[str, Any],
    database: Database[dict[str, Any]],
    decisions: Mapping[str, Mapping[str, str]],
    tally: Tally,
    notes: list[str],
) -> dict[str, tuple[Expiry, ...]]:
    """Add what differs to `tally`; returns the indexes of the target that delete documents."""
    there = {str(c["name"]): c for c in database.list_collections()}
    expiries: dict[str, tuple[Expiry, ...]] = {}
    for said in (c["collection"] for c in manifest["collections"]):
        name = said["name"]
        if "leave" in decisions.get(name, {}).values():
            notes.append(f"{name}: stays at the source, as decided")
            continue
        found = there.get(name)
        if found is None:
            tally.add(Difference("table", name, detail="the target has no such collection"))
            continue
        _options(name, said, found, tally)
        if said["kind"] == "collection":
            expiries[name] = _indexes(name, said, database, decisions, tally, notes)
    known = {c["collection"]["name"] for c in manifest["collections"]}
    for name in sorted(set(there) - known):
        if not name.startswith((_OWN, "system.")):
            notes.append(f"{name}: a collection of the target that the source does not have")
    return expiries


def _options(name: str, said: Mapping[str, Any], found: Mapping[str, Any], tally: Tally) -> None:
    wanted = json_util.dumps(json_util.loads(said["options"], json_options=_SPOKEN), json_options=_SPOKEN)
    options = {k: v for k, v in found.get("options", {}).items() if k not in _SERVERS_OWN}
    shown = json_util.dumps(options, json_options=_SPOKEN)
    if json_util.loads(wanted) != json_util.loads(shown) or found.get("type", "collection") != said["kind"]:
        detail = "the collection's options or kind differ"
        tally.add(Difference("schema", name, detail=f"{detail}: {wanted}; {shown}"))


def _indexes(
    name: str,
    said: Mapping[str, Any],
    database: Database[dict[str, Any]],
    decisions: Mapping[str, Mapping[str, str]],
    tally: Tally,
    notes: list[str],
) -> tuple[Expiry, ...]:
    there = {}
    for entry in database.get_collection(name).list_indexes():
        definition = {k: v for k, v in dict(entry).items() if k not in _NOT_COMPARED}
        there[str(entry["name"])] = {**definition, "key": list(dict(entry["key"]).items())}
    for index in said["indexes"]:
        wanted = json_util.loads(index["text"], json_options=_SPOKEN)
        wanted["key"] = list(wanted["key"].items())
        found = there.get(index["name"])
        if found is None and decisions.get(f"{name}.{index['name']}", {}).get("index_refused") == "leave":
            notes.append(f"{name}: the index {index['name']} is not carried over, as decided")
        elif found is None and "expireAfterSeconds" in wanted:
            notes.append(
                f"{name}: the index {index['name']} deletes documents after "
                f"{wanted['expireAfterSeconds']} seconds and is made last, when all is proven"
            )
        elif found is None:
            detail = f"the index {index['name']} is missing"
            tally.add(Difference("schema", name, detail=detail))
        elif _plain(found) != _plain(wanted):
            detail = f"the index {index['name']} is defined otherwise"
            tally.add(Difference("schema", name, detail=detail))
    return tuple(
        Expiry(str(d["key"][0][0]), float(d["expireAfterSeconds"]))
        for d in there.values()
        if "expireAfterSeconds" in d
    )


def _plain(definition: Mapping[str, Any]) -> Any:
    return json_util.loads(json_util.dumps(definition, json_options=_SPOKEN))
