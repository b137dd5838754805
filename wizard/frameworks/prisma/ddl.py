"""The SQL that Prisma's own `migrate diff --from-empty` makes for PostgreSQL, from schema.prisma.

Types, names of constraints and actions: the reference of Prisma's schema and of its PostgreSQL connector;
compared with the migrations of public projects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wizard.errors import UsageError
from wizard.frameworks.prisma import relations
from wizard.frameworks.prisma.columns import column_line, quoted
from wizard.frameworks.prisma.parse import Attribute, Call, Enum, Field, Model, Schema, Value

LONGEST = 63  # bytes of a name in PostgreSQL


def script(schema: Schema, major: int) -> str:
    """All statements, as one migration. `major` is Prisma's version: since 6 a table of a relation between
    many and many has a primary key instead of a unique index.

    Raises UsageError `unreadable-prisma-schema` for what is not supported (several schemas).
    """
    if any(m.attribute("schema") for m in schema.models):
        raise UsageError(
            "unreadable-prisma-schema",
            "schema.prisma divides its models among several database schemas, which ashore does not build. "
            "Nothing was written.",
            "Set `database.schema: derived`.",
        )
    parts = [("CreateEnum", _enum(enum)) for enum in schema.enums]
    pairs = relations.many_to_many(schema)
    parts += [("CreateTable", _table(schema, model)) for model in schema.models]
    parts += [("CreateTable", _pair_table(schema, pair, major)) for pair in pairs]
    for model in schema.models:
        parts += [("CreateIndex", line) for line in _indexes(model)]
    for pair in pairs:
        if major < 6:
            name = quoted(shortened(pair.table, "_AB_unique"))
            parts.append(("CreateIndex", f'CREATE UNIQUE INDEX {name} ON {quoted(pair.table)}("A", "B");'))
        name = quoted(shortened(pair.table, "_B_index"))
        parts.append(("CreateIndex", f'CREATE INDEX {name} ON {quoted(pair.table)}("B");'))
    if schema.settings.get("relationMode") != "prisma":
        parts += [("AddForeignKey", line) for model in schema.models for line in _foreign_keys(schema, model)]
        parts += [("AddForeignKey", line) for pair in pairs for line in _pair_keys(schema, pair)]
    return "\n".join(f"-- {title}\n{sql}\n" for title, sql in parts)


def shortened(name: str, suffix: str) -> str:
    """`name` and `suffix`, the name cut so that both fit."""
    return name.encode()[: LONGEST - len(suffix)].decode("utf-8", "ignore") + suffix


def _enum(enum: Enum) -> str:
    values = ", ".join("'" + value.replace("'", "''") + "'" for _, value in enum.values)
    return f"CREATE TYPE {quoted(enum.table)} AS ENUM ({values});"


def _table(schema: Schema, model: Model) -> str:
    body = ",\n".join(f"    {column_line(schema, field)}" for field in relations.stored(schema, model))
    key, name = _primary_key(model)
    if key:
        listed = ",".join(map(quoted, key))
        named = quoted(name or shortened(model.table, "_pkey"))
        body += f",\n\n    CONSTRAINT {named} PRIMARY KEY ({listed})"
    return f"CREATE TABLE {quoted(model.table)} (\n{body}\n);"


def _primary_key(model: Model) -> tuple[tuple[str, ...], str | None]:
    """(columns of the key, its own name)."""
    block = model.attribute("id")
    if block is not None:
        columns = tuple(column for column, _ in _named(model, block))
        return columns, block.arguments.text("map")
    for field in model.fields:
        one = field.attribute("id")
        if one is not None:
            return (field.column,), one.arguments.text("map")
    return (), None


def _named(model: Model, attribute: Attribute) -> list[tuple[str, dict[str, Value]]]:
    """(column, options) of each field that an `@@` attribute lists."""
    listed = attribute.arguments.get("fields", 0)
    found: list[tuple[str, dict[str, Value]]] = []
    for item in _items(listed):
        name = item.name if isinstance(item, Call) else item
        field = model.field(name) if isinstance(name, str) else None
        if field is not None:
            found.append((field.column, item.arguments.named if isinstance(item, Call) else {}))
    return found


def _items(listed: Value | None) -> list[Value]:
    """The items of a list; a single one may stand without brackets."""
    return listed if isinstance(listed, list) else [] if listed is None else [listed]


def _indexes(model: Model) -> Iterator[str]:
    for field in model.fields:
        own = field.attribute("unique")
        if own is not None:
            name = own.arguments.text("map") or shortened(f"{model.table}_{field.column}", "_key")
            listed = _index_columns([(field.column, own.arguments.named)])
            yield f"CREATE UNIQUE INDEX {quoted(name)} ON {quoted(model.table)}({listed});"
    for attribute in model.attributes:
        if attribute.name not in ("unique", "index"):
            continue
        columns = _named(model, attribute)
        unique = attribute.name == "unique"
        joined = "_".join([model.table, *(column for column, _ in columns)])
        name = attribute.arguments.text("map") or shortened(joined, "_key" if unique else "_idx")
        if not unique:
            name = attribute.arguments.text("map") or attribute.arguments.text("name") or name
        kind = attribute.arguments.get("type")
        using = f" USING {kind.upper()} " if isinstance(kind, str) and kind != "BTree" else ""
        yield (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {quoted(name)} ON {quoted(model.table)}{using}"
            f"({_index_columns(columns)});"
        )


def _index_columns(columns: Sequence[tuple[str, dict[str, Value]]]) -> str:
    said = []
    for column, options in columns:
        text = quoted(column)
        ops = options.get("ops")
        if isinstance(ops, Call) and ops.name == "raw":
            text += f" {ops.arguments.text('name', 0) or ''}"
        elif isinstance(ops, str):
            text += f" {_OPERATORS.get(ops, ops)}"
        said.append(text + (" DESC" if options.get("sort") == "Desc" else ""))
    return ", ".join(said)


_OPERATORS = {
    "JsonbPathOps": "jsonb_path_ops",
    "JsonbOps": "jsonb_ops",
    "ArrayOps": "array_ops",
    "TextOps": "text_ops",
    "InetOps": "inet_ops",
    "UuidMinMaxOps": "uuid_minmax_ops",
}
_ACTIONS = {
    "Cascade": "CASCADE",
    "Restrict": "RESTRICT",
    "NoAction": "NO ACTION",
    "SetNull": "SET NULL",
    "SetDefault": "SET DEFAULT",
}


def _foreign_keys(schema: Schema, model: Model) -> Iterator[str]:
    models = {m.name: m for m in schema.models}
    for field in model.fields:
        relation = field.attribute("relation")
        parent = models.get(field.kind)
        if relation is None or parent is None or relation.arguments.get("fields") is None:
            continue
        ours = _columns(model, relation.arguments.get("fields"))
        theirs = _columns(parent, relation.arguments.get("references"))
        required = any(not f.optional for f in ours)
        default = "RESTRICT" if required else "SET NULL"
        joined = "_".join([model.table, *(f.column for f in ours)])
        name = relation.arguments.text("map") or shortened(joined, "_fkey")
        yield (
            f"ALTER TABLE {quoted(model.table)} ADD CONSTRAINT {quoted(name)} FOREIGN KEY ("
            f"{', '.join(quoted(f.column) for f in ours)}) REFERENCES {quoted(parent.table)}("
            f"{', '.join(quoted(f.column) for f in theirs)}) "
            f"ON DELETE {_action(relation, 'onDelete', default)} "
            f"ON UPDATE {_action(relation, 'onUpdate', 'CASCADE')};"
        )


def _action(relation: Attribute, name: str, default: str) -> str:
    value = relation.arguments.get(name)
    return _ACTIONS.get(value, default) if isinstance(value, str) else default


def _columns(model: Model, listed: Value | None) -> list[Field]:
    names = [name for name in _items(listed) if isinstance(name, str)]
    return [field for name in names if (field := model.field(name)) is not None]


def _pair_table(schema: Schema, pair: relations.Pair, major: int) -> str:
    a, b = (column_line(schema, relations.key_field(model), name) for model, name in pair.sides)
    key = shortened(pair.table, "_AB_pkey")
    end = f',\n\n    CONSTRAINT {quoted(key)} PRIMARY KEY ("A","B")' if major >= 6 else ""
    return f"CREATE TABLE {quoted(pair.table)} (\n    {a},\n    {b}{end}\n);"


def _pair_keys(schema: Schema, pair: relations.Pair) -> Iterator[str]:
    for model, name in pair.sides:
        key = quoted(shortened(f"{pair.table}_{name}", "_fkey"))
        yield (
            f"ALTER TABLE {quoted(pair.table)} ADD CONSTRAINT {key} FOREIGN KEY ({quoted(name)}) REFERENCES "
            f"{quoted(model.table)}({quoted(relations.key_field(model).column)}) ON DELETE CASCADE "
            "ON UPDATE CASCADE;"
        )
