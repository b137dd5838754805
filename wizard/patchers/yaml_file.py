"""YAML files: items added to a list of mappings (`envVars` of a service), nothing else touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tree_sitter
import tree_sitter_yaml
import yaml

from wizard.model import Splice
from wizard.patchers.base import BOM, Check, NotUnderstood, line_end, newline, parse

_LANGUAGE = tree_sitter.Language(tree_sitter_yaml.language())
Items = list[list[tuple[str, str]]]


@dataclass(frozen=True)
class YamlMapping:
    """A mapping in the file. `value` is what it says, anchors and merges resolved."""

    file: YamlFile
    node: tree_sitter.Node
    value: dict[str, Any]
    dash: int

    @property
    def line(self) -> int:
        return self.node.start_point.row + 1

    @property
    def _pairs(self) -> list[tree_sitter.Node]:
        return [c for c in self.node.children if c.type in ("block_mapping_pair", "flow_pair")]

    def _pair(self, key: str) -> tree_sitter.Node | None:
        for pair in self._pairs:
            name = pair.child_by_field_name("key")
            if name is not None and self.file.text(name).strip("\"'") == key:
                return pair
        return None

    def add_items(self, key: str, items: Items, reason: str) -> Splice:
        """Append `items`, each a list of (key, YAML text), to the list under `key`, which may be missing.

        Raises NotUnderstood where the list is an alias, comes from a merge, or is no list.
        """
        pair = self._pair(key)
        if pair is None:
            if key in self.value:
                raise NotUnderstood(f"{key} comes from a merged mapping.", self.line)
            return self._new_list(key, items, reason)
        value = pair.child_by_field_name("value")
        inner = None if value is None else _collection(value)
        if inner is None:
            if self.value.get(key) is None and (value is None or value.type != "alias"):
                return self._below(pair, items, reason)
            raise NotUnderstood(f"{key} is not written as a list here.", pair.start_point.row + 1)
        if inner.type == "flow_sequence":
            return self._into_flow(inner, items, reason)
        if inner.type != "block_sequence":
            raise NotUnderstood(f"{key} is not a list.", pair.start_point.row + 1)
        last = [c for c in inner.children if c.type == "block_sequence_item"][-1]
        column = last.start_point.column
        body = next((c for c in last.children if c.is_named and c.type != "comment"), None)
        gap = (
            body.start_point.column - column - 1
            if body and body.start_point.row == last.start_point.row
            else 1
        )
        return self._insert_block(_content_end(last), column, gap, items, reason)

    def replace_in(self, key: str, old: str, new: str, reason: str) -> Splice:
        """Replace `old`, which occurs once in the text of the scalar under `key`.

        Raises NotUnderstood where it does not stand there just so (an alias, a merge, an escape).
        """
        pair = self._pair(key)
        value = None if pair is None else pair.child_by_field_name("value")
        written = b"" if value is None else self.file.data[value.start_byte : value.end_byte]
        if value is None or written.count(old.encode()) != 1 or written.startswith((b"*", b"&", b"!")):
            raise NotUnderstood(f"{key} is not written in one piece here.", self.line)
        start = value.start_byte + written.index(old.encode())
        return Splice(start, start + len(old.encode()), new, reason)

    def _new_list(self, key: str, items: Items, reason: str) -> Splice:
        if self.node.type != "block_mapping":
            raise NotUnderstood("The mapping is written on one line, in braces.", self.line)
        column = self._pairs[0].start_point.column
        end = line_end(self.file.data, _content_end(self._pairs[-1]))
        ending = newline(self.file.data)
        block = self._block(column + self.dash, 1, items)
        return Splice(end, end, f"{ending}{' ' * column}{key}:{block}", reason)

    def _below(self, pair: tree_sitter.Node, items: Items, reason: str) -> Splice:
        if self.node.type != "block_mapping":
            raise NotUnderstood("The mapping is written on one line, in braces.", self.line)
        if pair.child_by_field_name("value") is not None:
            raise NotUnderstood("The list is written as null.", pair.start_point.row + 1)
        return self._insert_block(pair.end_byte, pair.start_point.column + self.dash, 1, items, reason)

    def _insert_block(self, offset: int, column: int, gap: int, items: Items, reason: str) -> Splice:
        end = line_end(self.file.data, offset)
        return Splice(end, end, self._block(column, gap, items), reason)

    def _block(self, column: int, gap: int, items: Items) -> str:
        ending = newline(self.file.data)
        text = ""
        for item in items:
            for number, (key, value) in enumerate(item):
                lead = " " * column + "-" + " " * gap if number == 0 else " " * (column + 1 + gap)
                text += f"{ending}{lead}{key}: {value}"
        return text

    def _into_flow(self, node: tree_sitter.Node, items: Items, reason: str) -> Splice:
        texts = ["{" + ", ".join(f"{k}: {v}" for k, v in item) + "}" for item in items]
        values = [c for c in node.children if c.is_named and c.type != "comment"]
        if not values:
            end = node.children[0].end_byte
            return Splice(end, end, ", ".join(texts), reason)
        end = values[-1].end_byte
        comma = next((c for c in node.children if c.type == "," and c.start_byte >= end), None)
        if comma is not None:
            return Splice(comma.end_byte, comma.end_byte, " " + ", ".join(texts) + ",", reason)
        return Splice(end, end, ", " + ", ".join(texts), reason)


class YamlFile:
    """One parsed file, of one or more documents. Raises NotUnderstood where it is not YAML."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        masked = b"   " + data[len(BOM) :] if data.startswith(BOM) else data
        if data.startswith(BOM) and data[len(BOM) : len(BOM) + 1] not in (b"#", b"\n", b"\r"):
            raise NotUnderstood("The file begins with a byte order mark.")
        self.root = parse(_LANGUAGE, masked, "YAML")
        self.documents = load(data)

    def text(self, node: tree_sitter.Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "surrogateescape")

    def mappings(self, key: str) -> Iterator[YamlMapping]:
        """Every mapping that is an item of a list named `key`, at any depth."""
        documents = [c for c in self.root.children if c.type == "document"]
        if len(documents) != len(self.documents):
            raise NotUnderstood("The file's documents cannot be told apart.")
        for node, value in zip(documents, self.documents, strict=True):
            body = next((c for c in node.children if c.type in ("block_node", "flow_node")), None)
            inner = None if body is None else _collection(body)
            if inner is not None:
                yield from self._search(inner, value, key)

    def _search(self, node: tree_sitter.Node, value: Any, key: str) -> Iterator[YamlMapping]:
        if isinstance(value, dict) and node.type in ("block_mapping", "flow_mapping"):
            for pair in node.children:
                name, inner = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                below = None if inner is None else _collection(inner)
                if name is None or below is None:
                    continue
                plain = self.text(name).strip("\"'")
                if plain == key and isinstance(value.get(plain), list):
                    yield from self._items(pair, below, value[plain])
                elif plain in value:
                    yield from self._search(below, value[plain], key)
        elif isinstance(value, list) and node.type in ("block_sequence", "flow_sequence"):
            for item, inner_value in zip(_item_nodes(node), value, strict=False):
                below = _collection(item)
                if below is not None:
                    yield from self._search(below, inner_value, key)

    def _items(
        self, pair: tree_sitter.Node, node: tree_sitter.Node, value: list[Any]
    ) -> Iterator[YamlMapping]:
        dash = (
            max(node.start_point.column - pair.start_point.column, 0) if node.type == "block_sequence" else 2
        )
        for item, inner in zip(_item_nodes(node), value, strict=True):
            below = _collection(item)
            if below is not None and isinstance(inner, dict):
                yield YamlMapping(self, below, inner, dash)


def top_mapping(file: YamlFile) -> tree_sitter.Node:
    """The mapping that the file is. Raises NotUnderstood where it is none, or has several documents."""
    documents = [c for c in file.root.children if c.type == "document"]
    body = next((c for d in documents for c in d.children if c.type in ("block_node", "flow_node")), None)
    inner = None if body is None else _collection(body)
    if len(documents) != 1 or inner is None or inner.type not in ("block_mapping", "flow_mapping"):
        raise NotUnderstood("The file is not one mapping.")
    return inner


def load(data: bytes) -> list[Any]:
    """What every document says. Raises NotUnderstood where it is no plain YAML."""
    try:
        return list(yaml.safe_load_all(data.removeprefix(BOM)))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise NotUnderstood("The file is not plain YAML here.", 1 + mark.line if mark else 1) from error


def items_check(
    parent: str,
    key: str,
    added: Mapping[int, list[dict[str, Any]]],
    replaced: Mapping[int, Mapping[str, str]] | None = None,
) -> Check:
    """A check that the list `key` of the mappings numbered by `added` (in the order of
    `YamlFile.mappings(parent)`) gained those items at its end, that the mappings numbered by `replaced`
    have those values, and that nothing else changed."""

    def check(before: bytes, after: bytes) -> None:
        source = YamlFile(before)
        for number, mapping in enumerate(source.mappings(parent)):
            mapping.value.update((replaced or {}).get(number, {}))
            if number in added:
                mapping.value[key] = [*(mapping.value.get(key) or []), *added[number]]
        if source.documents != load(after) or not YamlFile(after).root.children:
            raise NotUnderstood("The edited file would not say what it must; nothing is changed in it.")

    return check


def _collection(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The mapping or sequence inside a node, below anchors and tags; None for scalars and aliases."""
    kinds = ("block_mapping", "flow_mapping", "block_sequence", "flow_sequence")
    if node.type in kinds:
        return node
    for child in node.children:
        if child.type in kinds:
            return child
        if child.type in ("block_node", "flow_node"):
            return _collection(child)
    return None


def _item_nodes(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    if node.type == "block_sequence":
        return [c for c in node.children if c.type == "block_sequence_item"]
    return [c for c in node.children if c.is_named and c.type != "comment"]


def _content_end(node: tree_sitter.Node) -> int:
    """The end of what the node holds, without the comments that the parser counts to it."""
    while node.children and node.type != "block_scalar":
        inner = [c for c in node.children if c.type != "comment" and c.end_byte > c.start_byte]
        if not inner:
            break
        node = inner[-1]
    text = node.text or b""
    return node.start_byte + len(text.rstrip())
