"""Reading schema.prisma: blocks, fields, attributes with their arguments. The language is line by line.

Grammar: https://www.prisma.io/docs/orm/reference/prisma-schema-reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from wizard.errors import UsageError

_TOKEN = re.compile(
    r"\s*(?:(?P<comment>//[^\n]*)|(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<name>@@?[\w.]+|[A-Za-z_][\w.-]*)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>[{}()\[\],:?=]))"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A function in an argument: `now()`, `dbgenerated("x")`; or a field with options: `a(sort: Desc)`."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, unescaped; a bare word is a plain `str`."""

    value: str


Value = str | Text | Call | list["Value"]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands in the brackets of an attribute."""

    positional: tuple[Value, ...] = ()
    named: dict[str, Value] = field(default_factory=dict)

    def get(self, name: str, place: int | None = None) -> Value | None:
        """The argument called `name`, else the one at `place`."""
        if name in self.named:
            return self.named[name]
        return self.positional[place] if place is not None and place < len(self.positional) else None

    def text(self, name: str, place: int | None = None) -> str | None:
        """The argument where it is a string literal."""
        value = self.get(name, place)
        return value.value if isinstance(value, Text) else None


@dataclass(frozen=True, slots=True)
class Attribute:
    """`@name(…)` of a field or `@@name(…)` of a block; `name` without the signs."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a model. `kind` is the type's name; `raw` the SQL type of `Unsupported("…")`, else None."""

    name: str
    kind: str
    listed: bool
    optional: bool
    attributes: tuple[Attribute, ...]
    raw: str | None = None

    def attribute(self, name: str) -> Attribute | None:
        return next((a for a in self.attributes if a.name == name), None)

    @property
    def column(self) -> str:
        """The column's name in the database."""
        mapped = self.attribute("map")
        return (mapped.arguments.text("name", 0) if mapped else None) or self.name


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its fields in order and its `@@` attributes."""

    name: str
    fields: tuple[Field, ...]
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute | None:
        return next((a for a in self.attributes if a.name == name), None)

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    @property
    def table(self) -> str:
        """The table's name in the database."""
        mapped = self.attribute("map")
        return (mapped.arguments.text("name", 0) if mapped else None) or self.name


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum: `values` are (name in the code, name in the database)."""

    name: str
    table: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """What makes tables. `settings` are those of the datasource that are plain strings."""

    models: tuple[Model, ...]
    enums: tuple[Enum, ...]
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def parse(text: str) -> Schema:
    """The schema in `text`. Raises UsageError `unreadable-prisma-schema`, naming the line."""
    return _Parser(_tokens(text)).schema()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place, line = 0, 1
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            line += text.count("\n", place, place + len(text[place:]) - len(text[place:].lstrip()))
            raise _unreadable(line, text[place:].split("\n", 1)[0].strip()[:20] or "an odd character")
        kind = match.lastgroup or ""
        line += text.count("\n", place, match.start(kind))
        if kind != "comment":
            found.append(_Token(kind, match[kind], line))
        line += match[kind].count("\n")
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def schema(self) -> Schema:
        models: list[Model] = []
        enums: list[Enum] = []
        settings: dict[str, str] = {}
        while self._at < len(self._tokens):
            word, name = self._take("name"), self._take("name")
            if word == "type" and self._peek() == "=":
                raise self._error()
            self._take("mark", "{")
            if word == "model":
                models.append(self._model(name))
            elif word == "enum":
                enums.append(self._enum(name))
            elif word == "datasource":
                settings = self._settings()
            else:
                self._skip()
        return Schema(tuple(models), tuple(enums), settings)

    def _model(self, name: str) -> Model:
        fields: list[Field] = []
        attributes: list[Attribute] = []
        while not self._next("}"):
            token = self._take("name")
            if token.startswith("@@"):
                attributes.append(Attribute(token[2:], self._arguments()))
            else:
                fields.append(self._field(token))
        return Model(name, tuple(fields), tuple(attributes))

    def _field(self, name: str) -> Field:
        kind = self._take("name")
        raw = None
        if kind == "Unsupported":
            value = self._arguments().text("name", 0)
            raw = value or ""
        listed = optional = False
        while self._peek() in ("[", "?"):
            if self._next("["):
                self._take("mark", "]")
                listed = True
            else:
                self._at += 1
                optional = True
        attributes = []
        while self._peek().startswith("@") and not self._peek().startswith("@@"):
            attributes.append(Attribute(self._take("name")[1:], self._arguments()))
        return Field(name, kind, listed, optional, tuple(attributes), raw)

    def _enum(self, name: str) -> Enum:
        values: list[tuple[str, str]] = []
        table = name
        while not self._next("}"):
            word = self._take("name")
            if word.startswith("@@"):
                arguments = self._arguments()
                table = (arguments.text("name", 0) if word == "@@map" else None) or table
                continue
            mapped = word
            while self._peek().startswith("@") and not self._peek().startswith("@@"):
                which, arguments = self._take("name"), self._arguments()
                mapped = (arguments.text("name", 0) if which == "@map" else None) or mapped
            values.append((word, mapped))
        return Enum(name, table, tuple(values))

    def _settings(self) -> dict[str, str]:
        settings: dict[str, str] = {}
        while not self._next("}"):
            name = self._take("name")
            self._take("mark", "=")
            value = self._value()
            if isinstance(value, Text):
                settings[name] = value.value
        return settings

    def _skip(self) -> None:
        depth = 1
        while depth:
            if self._at >= len(self._tokens):
                raise self._error()
            depth += {"{": 1, "}": -1}.get(self._tokens[self._at].text, 0)
            self._at += 1

    def _arguments(self) -> Arguments:
        if not self._next("("):
            return Arguments()
        positional: list[Value] = []
        named: dict[str, Value] = {}
        while not self._next(")"):
            if self._at + 1 < len(self._tokens) and self._tokens[self._at + 1].text == ":":
                name = self._take("name")
                self._at += 1
                named[name] = self._value()
            else:
                positional.append(self._value())
            self._next(",")
        return Arguments(tuple(positional), named)

    def _value(self) -> Value:
        if self._next("["):
            items: list[Value] = []
            while not self._next("]"):
                items.append(self._value())
                self._next(",")
            return items
        if self._at >= len(self._tokens):
            raise self._error()
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "string":
            return Text(_unescaped(token.text[1:-1]))
        if token.kind not in ("name", "number"):
            self._at -= 1
            raise self._error()
        return Call(token.text, self._arguments()) if self._peek() == "(" else token.text

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _next(self, text: str) -> bool:
        """Whether the next token is the mark `text`; it is taken then. Raises at the end of the file."""
        if self._at >= len(self._tokens) and text == "}":
            raise self._error()
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "mark" and self._peek() == text:
            self._at += 1
            return True
        return False

    def _take(self, kind: str, text: str | None = None) -> str:
        if self._at >= len(self._tokens):
            raise self._error()
        token = self._tokens[self._at]
        if token.kind != kind or (text is not None and token.text != text):
            raise self._error()
        self._at += 1
        return token.text

    def _error(self) -> UsageError:
        token = self._tokens[min(self._at, len(self._tokens) - 1)] if self._tokens else _Token("", "", 1)
        return _unreadable(token.line, token.text[:20])


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)


def _unreadable(line: int, near: str) -> UsageError:
    return UsageError(
        "unreadable-prisma-schema",
        f"schema.prisma cannot be read: line {line}, near {near}. Nothing was written.",
        "`npx prisma validate` shows what is wrong with it. Or set `database.schema: derived`.",
    )
