"""The JSON Schema of the answers file, each storage with its own keys."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from wizard.answers import Answers
from wizard.answers_file import LEAVE, SIZE, secret_fields
from wizard.credentials import REFERENCE
from wizard.storages import STORAGES


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, each storage with its own keys."""
    schema = TypeAdapter(Answers).json_schema()
    definitions = schema.setdefault("$defs", {})
    common = definitions.pop("StorageRule")
    common["properties"].pop("options")
    common["properties"]["max_size"] = {"type": ["integer", "string", "null"], "pattern": SIZE.pattern}
    variants = []
    for storage in STORAGES:
        own = TypeAdapter(storage.Options).json_schema()
        definitions.update(own.pop("$defs", {}))
        for name in secret_fields(storage.name):
            own["properties"][name] = {"type": ["string", "null"], "pattern": REFERENCE.pattern}
        properties = {**common["properties"], **own.get("properties", {})}
        properties["provider"] = {"const": storage.name}
        variants.append(
            {
                "title": storage.title,
                "type": "object",
                "additionalProperties": False,
                "properties": properties,
                "required": ["provider", *own.get("required", [])],
            }
        )
    leave = {**common["properties"], "provider": {"const": LEAVE}}
    variants.append(
        {"title": "Leave where it is", "type": "object", "additionalProperties": False, "properties": leave}
    )
    schema["properties"]["storage"]["items"] = {"oneOf": variants}
    schema["properties"]["project"] = {"type": "string", "default": "."}
    schema["required"] = ["version"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ashore answers", **schema}
