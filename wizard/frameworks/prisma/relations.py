"""Relations of Prisma's models: which fields are columns, and the tables between many and many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wizard.errors import UsageError
from wizard.frameworks.prisma.parse import Field, Model, Schema


@dataclass(frozen=True, slots=True)
class Pair:
    """The table of an implicit relation between many and many; its sides with their column, A then B."""

    table: str
    sides: tuple[tuple[Model, str], tuple[Model, str]]


def stored(schema: Schema, model: Model) -> Iterator[Field]:
    """The fields that are columns: all but those whose type is a model."""
    names = {m.name for m in schema.models}
    return (field for field in model.fields if field.kind not in names)


def many_to_many(schema: Schema) -> list[Pair]:
    """The implicit relations, each once, in the order of the models."""
    models = {m.name: m for m in schema.models}
    found: dict[str, Pair] = {}
    for model in schema.models:
        for field in model.fields:
            other = models.get(field.kind)
            if other is None or not field.listed:
                continue
            name = _name(field)
            back = [f for f in other.fields if f.kind == model.name and f.listed and _name(f) == name]
            if other is model:  # a field is its own other side, unless a single one is
                back = [f for f in back if f is not field]
            if not back and not (other is model and not _others(model, field, name)):
                continue
            first, second = sorted((model, other), key=lambda m: m.name)
            table = f"_{name or f'{first.name}To{second.name}'}"
            found.setdefault(table, Pair(table, ((first, "A"), (second, "B"))))
    return list(found.values())


def _others(model: Model, field: Field, name: str | None) -> list[Field]:
    """Fields that are the single side of a relation of a model with itself."""
    return [f for f in model.fields if f.kind == model.name and f is not field and _name(f) == name]


def _name(field: Field) -> str | None:
    relation = field.attribute("relation")
    return relation.arguments.text("name", 0) if relation is not None else None


def key_field(model: Model) -> Field:
    """The field that a table between many and many refers to. Raises UsageError."""
    for name in ("id", "unique"):
        for field in model.fields:
            if field.attribute(name) is not None:
                return field
    raise UsageError(
        "unreadable-prisma-schema",
        f"The model {model.name} is in a relation between many and many, but no single field is its key. "
        "Nothing was written.",
        "`npx prisma validate` shows what is wrong with it. Or set `database.schema: derived`.",
    )
