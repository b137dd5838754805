"""Where the code of a Node app says which folder holds its uploads."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tree_sitter

from wizard.frameworks.nestjs.change_places import Place, Reader
from wizard.patchers.javascript_source import FUNCTIONS, walk

_SETTING = re.compile(
    r"(?:upload|media|attachment|storage|avatar|logo)s?_?-?(?:s)?(?:dir|path|folder|root|directory|dest)?$",
    re.I,
)


def candidates(files: Mapping[str, Reader], written: bool = False) -> list[Place]:
    """The folders, the surest first: what multer writes to, what is shown, what is named so.

    With `written` only what multer writes to.
    """
    first: list[Place] = []
    second: list[Place] = []
    for reader in files.values():
        for node in walk(reader.source.root):
            if node.type in ("pair", "method_definition"):
                _pair(reader, node, first, second)
            elif node.type == "call_expression":
                _call(reader, node, second)
            elif node.type == "variable_declarator" or node.type.endswith("field_definition"):
                name = node.child_by_field_name("name") or node.child_by_field_name("property")
                value = node.child_by_field_name("value")
                if name is not None and _SETTING.search(reader.source.text(name)):
                    _take(reader.place(value), second)
            elif node.type == "assignment_expression":
                left = node.child_by_field_name("left")
                if left is not None and _SETTING.search(reader.source.text(left)):
                    _take(reader.place(node.child_by_field_name("right")), second)
    if written:
        return first
    named = [p for p in first + second if p.env]
    resolved = {p.env: p for p in named if p.path not in ("", ".")}
    return [resolved.get(p.env, p) if p.env and not p.path else p for p in first + second]


def _pair(reader: Reader, node: tree_sitter.Node, first: list[Place], second: list[Place]) -> None:
    key = node.child_by_field_name("key") or node.child_by_field_name("name")
    name = reader.source.text(key).strip("'\"") if key is not None else ""
    value = node.child_by_field_name("value")
    if name == "dest" and _in_multer(reader, node):
        _take(reader.place(value), first)
    elif name == "destination":
        function = value if value is not None and value.type in FUNCTIONS else None
        if node.type == "method_definition":
            function = node
        if function is None:
            _take(reader.place(value), first)
        else:
            for call in (n for n in walk(function) if n.type == "call_expression"):
                listed = call.child_by_field_name("arguments")
                given = listed.named_children if listed is not None else []
                if len(given) == 2 and reader.source.text(given[0]) in ("null", "undefined"):
                    _take(reader.place(given[1]), first)
    elif name == "rootPath":
        _take(reader.place(value), second)


def _in_multer(reader: Reader, node: tree_sitter.Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type == "call_expression":
            called = above.child_by_field_name("function")
            return (
                called is not None
                and re.search(r"Interceptor|[mM]ulter", reader.source.text(called)) is not None
            )
        above = above.parent
    return False


def _call(reader: Reader, node: tree_sitter.Node, found: list[Place]) -> None:
    called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is None or listed is None or not listed.named_children:
        return
    name = reader.source.text(called)
    if name.endswith((".useStaticAssets", "express.static")):
        place = reader.place(listed.named_children[0])
        if place is not None and re.search(r"upload|media|attach|avatar", place.path + place.env, re.I):
            found.append(place)
    elif re.search(r"\.get(?:OrThrow)?$", name) and "UPLOAD" in reader.source.text(listed):
        outer = node.parent
        wider = outer if outer is not None and outer.type == "binary_expression" else node
        _take(reader.place(wider), found)


def _take(place: Place | None, found: list[Place]) -> None:
    if place is not None and (place.env or place.path not in ("", ".")):
        found.append(place)
