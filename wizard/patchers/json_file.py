"""`package.json`: entries added to an object, in their place where it is sorted; nothing else touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tree_sitter
import tree_sitter_json

from wizard.model import Splice
from wizard.patchers.base import BOM, Check, NotUnderstood, line_start, newline, parse

_LANGUAGE = tree_sitter.Language(tree_sitter_json.language())


class JsonFile:
    """One parsed file whose top is an object. `values` is what it says. Raises NotUnderstood otherwise."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        masked = b"   " + data[len(BOM) :] if data.startswith(BOM) else data
        self.root = parse(_LANGUAGE, masked, "JSON")
        self.values = load(data)

    def add(self, key: str, entries: Mapping[str, str], reason: str) -> list[Splice]:
        """Add string `entries` to the object under the top-level `key`, which may be missing.

        Raises NotUnderstood where `key` is no object or one of the entries stands there already.
        """
        if not entries:
            return []
        top = next(n for n in self.root.children if n.type == "object")
        pair = next((p for p in _pairs(top) if self._key(p) == key), None)
        ending = newline(self.data)
        unit = self._indent(top) or "  "
        if pair is None:
            lines = ("," + ending).join(f"{unit * 2}{_item(n, v)}" for n, v in sorted(entries.items()))
            text = f"{json.dumps(key)}: {{{ending}{lines}{ending}{unit}}}"
            pairs = _pairs(top)
            if not pairs:
                at = top.children[0].end_byte
                return [Splice(at, top.children[-1].start_byte, f"{ending}{unit}{text}{ending}", reason)]
            return [Splice(pairs[-1].end_byte, pairs[-1].end_byte, f",{ending}{unit}{text}", reason)]
        node = pair.child_by_field_name("value")
        if node is None or node.type != "object":
            raise NotUnderstood(f"{key} is not an object.", pair.start_point.row + 1)
        names = [self._key(p) for p in _pairs(node)]
        if set(names) & set(entries):
            raise NotUnderstood(f"{key} names one of the packages already.", pair.start_point.row + 1)
        if not names:
            lines = ("," + ending).join(f"{unit * 2}{_item(n, v)}" for n, v in sorted(entries.items()))
            start, end = node.children[0].end_byte, node.children[-1].start_byte
            return [Splice(start, end, f"{ending}{lines}{ending}{unit}", reason)]
        return self._beside(node, names, entries, reason)

    def _beside(
        self, node: tree_sitter.Node, names: list[str], entries: Mapping[str, str], reason: str
    ) -> list[Splice]:
        pairs = _pairs(node)
        lead = self.data[line_start(self.data, pairs[-1].start_byte) : pairs[-1].start_byte]
        apart = newline(self.data) + lead.decode("ascii") if not lead.strip() else " "
        is_sorted = names == sorted(names)
        before: dict[int, list[str]] = {}
        for name, value in sorted(entries.items()):
            place = next((n for n, other in enumerate(names) if other > name), None) if is_sorted else None
            before.setdefault(len(pairs) if place is None else place, []).append(_item(name, value))
        splices = []
        for place, items in before.items():
            if place < len(pairs):
                at = pairs[place].start_byte
                splices.append(Splice(at, at, "".join(f"{item},{apart}" for item in items), reason))
            else:
                at = pairs[-1].end_byte
                splices.append(Splice(at, at, "".join(f",{apart}{item}" for item in items), reason))
        return splices

    def line_of(self, key: str) -> int:
        """The line, from 1, of the top-level `key`; 1 where there is none."""
        top = next(n for n in self.root.children if n.type == "object")
        return next((p.start_point.row + 1 for p in _pairs(top) if self._key(p) == key), 1)

    def _indent(self, top: tree_sitter.Node) -> str:
        for pair in _pairs(top):
            lead = self.data[line_start(self.data, pair.start_byte) : pair.start_byte]
            if not lead.strip():
                return lead.decode("ascii")
        return ""

    def _key(self, pair: tree_sitter.Node) -> str:
        key = pair.child_by_field_name("key")
        assert key is not None
        return str(json.loads(self.data[key.start_byte : key.end_byte]))


def load(data: bytes) -> dict[str, Any]:
    """What the JSON says. Raises NotUnderstood where it is none, or no object, or names a key twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({k for k, _ in pairs}) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        values = json.loads(data.removeprefix(BOM), object_pairs_hook=once)
    except (ValueError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"The file is not plain JSON: {error}.", getattr(error, "lineno", 1)) from error
    if not isinstance(values, dict):
        raise NotUnderstood("The file does not hold a JSON object.")
    return values


def entries_check(key: str, entries: Mapping[str, str]) -> Check:
    """A check that the object under `key` gained exactly `entries`, and nothing else changed."""

    def check(before: bytes, after: bytes) -> None:
        expected = load(before)
        expected[key] = {**expected.get(key, {}), **entries}
        if load(after) != expected:
            raise NotUnderstood("The edited file would not say what it must; nothing is changed in it.")

    return check


def _pairs(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [c for c in node.children if c.type == "pair"]


def _item(name: str, value: str) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"
