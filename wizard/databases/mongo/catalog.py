"""What a database holds beside its documents: collections, their options, their indexes, its views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bson import json_util

from wizard.databases.mongo.connect import OWN, Server

Kind = Literal["collection", "view", "timeseries"]
_SPOKEN = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL,
    document_class=dict,
    datetime_conversion="datetime_ms",
)
# Written by the server, or without meaning since version 4.2.
_NO_OPTION = ("uuid", "autoIndexId", "flags", "idIndex")
_NO_INDEX_OPTION = ("v", "ns", "background")


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `text` is its definition as canonical Extended JSON, key order kept."""

    name: str
    text: str

    @property
    def definition(self) -> dict[str, Any]:
        return loads(self.text)

    @property
    def seconds(self) -> float | None:
        """After how many seconds it deletes documents; None for one that deletes none."""
        value = self.definition.get("expireAfterSeconds")
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection or view. `options` is canonical Extended JSON; `indexes` leaves `_id_` out."""

    name: str
    kind: Kind
    options: str
    indexes: tuple[Index, ...] = ()

    def option(self, name: str) -> Any:
        return loads(self.options).get(name)

    @property
    def capped(self) -> bool:
        return bool(self.option("capped"))

    @property
    def encrypted(self) -> bool:
        return self.option("encryptedFields") is not None


def dumps(value: Mapping[str, Any]) -> str:
    """Canonical Extended JSON; the order of keys counts and is kept."""
    return json_util.dumps(value, json_options=_SPOKEN)


def loads(text: str) -> dict[str, Any]:
    """What `dumps` wrote."""
    value: dict[str, Any] = json_util.loads(text, json_options=_SPOKEN)
    return value


def read(server: Server) -> tuple[Collection, ...]:
    """Everything of the app, by name; neither the server's own collections nor ashore's."""
    found = []
    for entry in server.database.list_collections():
        name = str(entry["name"])
        if name.startswith(("system.", OWN)):
            continue
        kind: Kind = entry.get("type", "collection")
        options = {k: v for k, v in entry.get("options", {}).items() if k not in _NO_OPTION}
        indexes = () if kind != "collection" else indexes_of(server, name)
        found.append(Collection(name, kind, dumps(options), indexes))
    return tuple(sorted(found, key=lambda c: c.name))


def indexes_of(server: Server, collection: str) -> tuple[Index, ...]:
    """The collection's indexes but `_id_`, in the order of their names."""
    found = []
    for entry in server.database.get_collection(collection).list_indexes():
        spec = {k: v for k, v in dict(entry).items() if k not in _NO_INDEX_OPTION}
        if spec["name"] != "_id_" and not spec.get("clustered"):
            spec["key"] = dict(spec["key"])
            found.append(Index(str(spec["name"]), dumps(spec)))
    return tuple(sorted(found, key=lambda i: i.name))


def same_index(one: Index, other: Index) -> bool:
    """Whether both are defined alike. The order of options does not count, that of the key's fields does."""
    a, b = one.definition, other.definition
    return list(a.get("key", {}).items()) == list(b.get("key", {}).items()) and a == b
