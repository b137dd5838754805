"""`pyproject.toml` and `Pipfile`: dependencies added to an array or a table, nothing else touched."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

import tree_sitter
import tree_sitter_toml

from wizard.model import Splice
from wizard.patchers.base import BOM, Check, NotUnderstood, line_start, lines_after, parse

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())


class TomlFile:
    """One parsed file. `values` is what it says. Raises NotUnderstood where it is not TOML."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root = parse(_LANGUAGE, _without_bom(data), "TOML")
        self.values = load(data)

    def get(self, path: tuple[str, ...]) -> Any:
        """The value under the keys of `path`, or None."""
        value: Any = self.values
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return None
            value = value[key]
        return value

    def add_to_array(
        self, table: tuple[str, ...], key: str, items: Iterable[str], reason: str
    ) -> list[Splice]:
        """Append strings to the array `key` of `[table]`. Raises NotUnderstood where none stands there."""
        array = self._array(table, key)
        quote = self._quote(array)
        texts = [f"{quote}{item}{quote}" for item in items]
        values = [c for c in array.children if c.is_named and c.type != "comment"]
        closing = array.children[-1]
        if not values:
            if any(c.type == "comment" for c in array.children):
                raise NotUnderstood("The list holds only a comment.", array.start_point.row + 1)
            return [Splice(closing.start_byte, closing.start_byte, ", ".join(texts), reason)]
        last = values[-1]
        comma = next((c for c in array.children if c.type == "," and c.start_byte >= last.end_byte), None)
        end = comma.end_byte if comma else last.end_byte
        if last.end_point.row == closing.start_point.row:
            text = (" " if comma else ", ") + ", ".join(texts) + ("," if comma else "")
            return [Splice(end, end, text, reason)]
        lead = self.data[line_start(self.data, last.start_byte) : last.start_byte]
        indent = lead.decode("ascii") if not lead.strip() else "    "
        lines = [f"{indent}{text}," for text in texts]
        if comma:
            return [lines_after(self.data, end, lines, reason)]
        lines[-1] = lines[-1].removesuffix(",")
        return [Splice(end, end, ",", reason), lines_after(self.data, end, lines, reason)]

    def add_to_table(self, table: tuple[str, ...], pairs: Iterable[tuple[str, str]], reason: str) -> Splice:
        """Add `key = value` lines below the last line of `[table]`; values are TOML text."""
        node = self._table(table)
        pair_nodes = [c for c in node.children if c.type == "pair"]
        anchor = pair_nodes[-1] if pair_nodes else node.children[0]
        indent = ""
        if pair_nodes:
            lead = self.data[line_start(self.data, anchor.start_byte) : anchor.start_byte]
            indent = lead.decode("ascii") if not lead.removeprefix(BOM).strip() else ""
        lines = [f"{indent}{key} = {value}" for key, value in pairs]
        return lines_after(self.data, len(self.data[: anchor.end_byte].rstrip()), lines, reason)

    def _table(self, path: tuple[str, ...]) -> tree_sitter.Node:
        for node in self.root.children:
            if node.type == "table" and self._key(node.children[1]) == path:
                return node
        raise NotUnderstood(f"There is no table [{'.'.join(path)}] in the usual form.")

    def _array(self, table: tuple[str, ...], key: str) -> tree_sitter.Node:
        for pair in self._table(table).children:
            if pair.type == "pair" and self._key(pair.children[0]) == (key,):
                value = [c for c in pair.children if c.is_named and c.type != "comment"][-1]
                if value.type == "array":
                    return value
                raise NotUnderstood(f"{key} is not a list.", pair.start_point.row + 1)
        raise NotUnderstood(f"[{'.'.join(table)}] has no list named {key}.")

    def _key(self, node: tree_sitter.Node) -> tuple[str, ...]:
        if node.type == "dotted_key":
            return tuple(part for c in node.children if c.is_named for part in self._key(c))
        return (self.data[node.start_byte : node.end_byte].decode("utf-8").strip("\"'"),)

    def _quote(self, array: tree_sitter.Node) -> str:
        strings = [self.data[c.start_byte : c.start_byte + 1] for c in array.children if c.type == "string"]
        return "'" if strings.count(b"'") > strings.count(b'"') else '"'


def load(data: bytes) -> dict[str, Any]:
    """What the TOML says. Raises NotUnderstood where it is none."""
    try:
        return tomllib.loads(data.removeprefix(BOM).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"The file is not valid TOML: {error}.") from error


def _without_bom(data: bytes) -> bytes:
    """The same offsets for the parser; it takes no byte order mark."""
    return b"\n\n\n" + data[len(BOM) :] if data.startswith(BOM) else data


def table_check(path: tuple[str, ...], added: dict[str, Any]) -> Check:
    """A check that the table at `path` gained exactly `added`, and nothing else changed."""

    def check(before: bytes, after: bytes) -> None:
        expected = load(before)
        _descend(expected, path).update(added)
        if load(after) != expected:
            raise NotUnderstood("The edited file would not say what it must; nothing is changed in it.")

    return check


def array_check(path: tuple[str, ...], key: str, items: list[str]) -> Check:
    """A check that the array gained exactly `items` at its end, and nothing else changed."""

    def check(before: bytes, after: bytes) -> None:
        expected = load(before)
        table = _descend(expected, path)
        table[key] = [*table[key], *items]
        if load(after) != expected:
            raise NotUnderstood("The edited file would not say what it must; nothing is changed in it.")

    return check


def _descend(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path:
        values = values[key]
    return values
