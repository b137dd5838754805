"""A field of a Prisma model as a column of PostgreSQL: its type, whether it may be NULL, its default."""

from __future__ import annotations

import base64
import binascii

from wizard.frameworks.prisma.parse import Attribute, Call, Field, Schema, Text, Value

_TYPES = {
    "String": "TEXT",
    "Boolean": "BOOLEAN",
    "Int": "INTEGER",
    "BigInt": "BIGINT",
    "Float": "DOUBLE PRECISION",
    "Decimal": "DECIMAL(65,30)",
    "DateTime": "TIMESTAMP(3)",
    "Json": "JSONB",
    "Bytes": "BYTEA",
}
_NATIVE = {
    "DoublePrecision": "DOUBLE PRECISION",
    "ByteA": "BYTEA",
    "JsonB": "JSONB",
}
_SERIAL = {"INTEGER": "SERIAL", "BIGINT": "BIGSERIAL", "SMALLINT": "SMALLSERIAL"}


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def column_type(schema: Schema, field: Field) -> str:
    """The type without its brackets for a list."""
    if field.raw is not None:
        return field.raw
    enum = next((e for e in schema.enums if e.name == field.kind), None)
    if enum is not None:
        return quoted(enum.table)
    native = next((a for a in field.attributes if a.name.startswith("db.")), None)
    if native is None:
        return _TYPES[field.kind]
    name = native.name.removeprefix("db.")
    sizes = ",".join(v for v in native.arguments.positional if isinstance(v, str))
    return _NATIVE.get(name, name.upper()) + (f"({sizes})" if sizes else "")


def column_line(schema: Schema, field: Field, name: str | None = None) -> str:
    """The column's definition. `name`: it is one of a relation's table, which has no default."""
    kind = column_type(schema, field)
    default = field.attribute("default") if name is None else None
    said = "" if default is None else _default(schema, field, kind, default)
    if said == "autoincrement":
        kind, said = _SERIAL.get(kind, kind), ""
    array = "[]" if field.listed else ""
    required = "" if field.optional or field.listed else " NOT NULL"
    return f"{quoted(name or field.column)} {kind}{array}{required}" + (f" DEFAULT {said}" if said else "")


def _default(schema: Schema, field: Field, kind: str, attribute: Attribute) -> str:
    """The default as SQL; "" where Prisma's client makes it; "autoincrement"."""
    value = attribute.arguments.get("value", 0)
    if isinstance(value, Call):
        if value.name == "autoincrement":
            return "autoincrement"
        if value.name == "now":
            return "CURRENT_TIMESTAMP"
        return (value.arguments.text("value", 0) or "") if value.name == "dbgenerated" else ""
    if isinstance(value, list):
        return f"ARRAY[{', '.join(_literal(schema, field, item) for item in value)}]::{kind}[]"
    return "" if value is None else _literal(schema, field, value)


def _literal(schema: Schema, field: Field, value: Value) -> str:
    enum = next((e for e in schema.enums if e.name == field.kind), None)
    if enum is not None and isinstance(value, str):
        value = Text(dict(enum.values).get(value, value))
    if isinstance(value, Text):
        text = value.value
        if field.kind == "Bytes":
            try:
                return f"'\\x{base64.b64decode(text).hex()}'"
            except binascii.Error:
                return "''"
        return "'" + text.replace("'", "''") + "'"
    return str(value)
