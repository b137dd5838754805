"""Which folder an expression of a Node app names, read from the code alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import tree_sitter

from wizard.patchers.javascript_source import JavaScriptSource, walk

_UPLOADS = re.compile(
    r"upload|media|attach|storage|files?$|images?$|avatars?$|logos?$|documents?$|assets$", re.I
)
_ENV = re.compile(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])!?$")
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A folder. `path` is relative to the app's folder, or absolute; `env` is the variable that may name
    another base, `below` what the code puts under it. `in_dist` tells that it is found by `__dirname`."""

    path: str
    env: str = ""
    below: str = ""
    in_dist: bool = False

    def joined(self, part: str) -> Place:
        path = posixpath.normpath(posixpath.join(self.path, part))
        below = posixpath.normpath(posixpath.join(self.below, part)) if self.env else ""
        return replace(self, path=path, below="" if below == "." else below)


@dataclass(frozen=True)
class Reader:
    """Reads expressions of one file, whose path is relative to the app's folder."""

    source: JavaScriptSource
    file: str

    def place(self, node: tree_sitter.Node | None, depth: int = _DEPTH) -> Place | None:
        """The folder (or the folder that leads the path) that `node` names, or None."""
        if node is None or depth == 0:
            return None
        text = self.source.text(node)
        if node.type == "string":
            return _literal(text[1:-1])
        if node.type == "template_string":
            return self._template(node, depth)
        if node.type == "identifier":
            if text == "__dirname":
                return Place(posixpath.dirname(self.file) or ".", in_dist=True)
            return self.place(self._assigned(text), depth - 1)
        if node.type == "member_expression":
            match = _ENV.match(text)
            if match:
                return Place("", env=match.group(1) or match.group(2))
            if text.startswith("this."):
                return self.place(self._assigned(text), depth - 1)
        if node.type in (
            "as_expression",
            "non_null_expression",
            "parenthesized_expression",
            "await_expression",
        ):
            return self.place(node.named_children[0], depth)
        if node.type == "binary_expression":
            return self._binary(node, depth)
        return self._call(node, depth) if node.type == "call_expression" else None

    def _template(self, node: tree_sitter.Node, depth: int) -> Place | None:
        parts = node.named_children
        if not parts:
            return None
        if parts[0].type == "string_fragment":
            text = self.source.text(parts[0])
            return _literal(text if len(parts) == 1 else text.rpartition("/")[0])
        place = self.place(parts[0].named_children[0], depth - 1)
        if place is not None and len(parts) > 1 and parts[1].type == "string_fragment":
            text = self.source.text(parts[1]).lstrip("/")
            return place.joined(text if len(parts) == 2 else text.rpartition("/")[0])
        return place

    def _binary(self, node: tree_sitter.Node, depth: int) -> Place | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        first = self.place(left, depth - 1)
        if operator is None or first is None:
            return None
        if operator.type in ("||", "??"):
            other = self.place(right, depth - 1)
            return first if other is None or first.path else replace(other, env=first.env)
        if operator.type == "+":
            if right is not None and right.type == "string":
                return first.joined(self.source.text(right)[1:-1].lstrip("/"))
            return first
        return None

    def _call(self, node: tree_sitter.Node, depth: int) -> Place | None:
        called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if called is None or listed is None:
            return None
        name = self.source.text(called)
        given = [a for a in listed.named_children if a.type != "comment"]
        if name == "process.cwd":
            return Place(".")
        method = name.rpartition(".")[2]
        if method in ("join", "resolve") and given:
            return self._join(given, depth)
        if method in ("get", "getOrThrow") and given and given[0].type == "string":
            variable = self.source.text(given[0])[1:-1]
            if re.fullmatch(r"[A-Z][A-Z0-9_]*", variable):
                default = self.place(given[1], depth - 1) if len(given) > 1 else None
                return replace(default, env=variable) if default else Place("", env=variable)
        return None

    def _join(self, given: list[tree_sitter.Node], depth: int) -> Place | None:
        place = self.place(given[0], depth - 1)
        for node in given[1:]:
            if place is None or node.type != "string":
                break
            place = place.joined(self.source.text(node)[1:-1].lstrip("/"))
        return place

    def _assigned(self, name: str) -> tree_sitter.Node | None:
        """The one value that `name` (or `this.name`) gets in this file."""
        found = []
        bare = name.removeprefix("this.")
        for node in walk(self.source.root):
            if node.type == "variable_declarator" and bare == name:
                target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            elif node.type in ("public_field_definition", "field_definition") and bare != name:
                target = node.child_by_field_name("name") or node.child_by_field_name("property")
                value = node.child_by_field_name("value")
            elif node.type == "assignment_expression":
                target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
            else:
                continue
            if target is not None and value is not None and self.source.text(target) in (name, bare):
                found.append(value)
        return found[0] if len(found) == 1 else None


def _literal(text: str) -> Place | None:
    if not text or text.startswith(("http:", "https:", "data:")) or "\\" in text:
        return None
    return Place(posixpath.normpath(text))


def uploads_folder(places: list[Place], known: tuple[str, ...]) -> Place | None:
    """The folder of uploads: a `known` one where a place lies in it, else what the places have in common."""
    for folder in known:
        for place in places:
            if _within(place.path, folder):
                return _cut(place, folder)
    for place in places:
        parts = place.path.split("/")
        for number, part in enumerate(parts):
            if _UPLOADS.search(part) and ".." not in parts:
                return _cut(place, "/".join(parts[: number + 1]))
    named = next((p for p in places if p.env and p.path not in ("", ".")), None)
    return named or next((p for p in places if p.path not in ("", ".") and ".." not in p.path), None)


def _cut(place: Place, folder: str) -> Place:
    below = posixpath.relpath(place.path, folder) if not place.path.startswith("/") else "."
    if place.env and below != "." and below != place.below:
        return place
    return Place(folder, place.env, "", place.in_dist)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def inside(place: Place, root: Place) -> bool:
    """Whether `place` is the uploads folder or lies in it."""
    return (bool(place.env) and place.env == root.env) or (
        bool(place.path) and _within(place.path, root.path)
    )


def root_expression(root: Place, helper: str, style: str) -> str:
    """The uploads folder as the generated module names it; `helper` is the module's path in the app."""
    base = f"'./{root.path}'" if not root.path.startswith("/") else f"'{root.path}'"
    if root.in_dist and not root.path.startswith("/"):
        steps = posixpath.relpath(root.path, posixpath.dirname(helper) or ".")
        parts = ", ".join(f"'{p}'" for p in steps.split("/"))
        base = f"new URL('{steps}', import.meta.url).pathname" if style == "esm" else f"__dirname, {parts}"
    if not root.env:
        return base
    if not root.path:
        return f"process.env.{root.env} ?? ''"
    if base.startswith("__dirname"):
        base = f"path.join({base})"
    return f"process.env.{root.env} || {base}"


def constant_names(files: Mapping[str, Reader], root: Place) -> frozenset[str]:
    """Names, `this.` fields among them, that hold the uploads folder or a path in it, in any file."""
    found = set()
    for reader in files.values():
        for node in walk(reader.source.root):
            if node.type == "variable_declarator":
                target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            elif node.type == "assignment_expression":
                target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
            elif node.type in ("public_field_definition", "field_definition"):
                target = node.child_by_field_name("name") or node.child_by_field_name("property")
                value = node.child_by_field_name("value")
            else:
                continue
            place = reader.place(value)
            if target is not None and place is not None and inside(place, root):
                found.add(reader.source.text(target).removeprefix("this."))
    return frozenset(found)
