"""Which folder an expression of a FastAPI app names, read from the code alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import tree_sitter

from wizard.patchers.python_source import PythonSource, walk

UPLOADS = re.compile(
    r"upload|media|attach|storage|files?$|images?$|avatars?$|photos?$|documents?$|assets$|videos?$", re.I
)
_WRAPPERS = frozenset(("str", "Path", "pathlib.Path", "os.fspath", "os.path.abspath", "os.path.realpath"))
_ENV = frozenset(("os.getenv", "getenv", "os.environ.get", "environ.get", "config"))
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A folder. `path` is relative to the app's folder, or absolute, "" where only `env`, a variable, names
    it. `by_file` tells that it is found from `__file__`, else from where the app is started."""

    path: str
    env: str = ""
    by_file: bool = False

    def joined(self, part: str) -> Place:
        path = posixpath.normpath(posixpath.join(self.path, part)) if self.path or not self.env else ""
        return replace(self, path=path)


class Reader:
    """Reads expressions of one app. `files` are its sources by path, relative to the app's folder."""

    def __init__(self, files: Mapping[str, PythonSource]) -> None:
        self.files = files
        self._settings: dict[str, Place] = {}
        self._names: dict[str, list[tuple[str, tree_sitter.Node]]] = {}
        for path, source in files.items():
            for node in walk(source.root):
                if node.type == "assignment":
                    self._assignment(path, source, node)
        for path, source in files.items():
            for node in walk(source.root):
                if node.type == "class_definition":
                    self._class(path, source, node)

    def place(self, path: str, node: tree_sitter.Node | None, depth: int = _DEPTH) -> Place | None:
        """The folder (or the folder that leads the path) that `node` of the file `path` names, or None."""
        if node is None or depth == 0:
            return None
        source = self.files[path]
        text = source.text(node)
        if node.type == "string":
            return _string(source, node)
        if node.type in ("parenthesized_expression", "type", "await"):
            return self.place(path, node.named_children[0], depth)
        if node.type == "identifier":
            if text == "__file__":
                return Place(path, by_file=True)
            return self._named(path, text, depth)
        if node.type == "attribute":
            return self._attribute(path, node, depth)
        if node.type == "subscript" and text.startswith(("os.environ[", "environ[")):
            return Place("", env=next(source.strings(node), ""))
        if node.type == "boolean_operator":
            left = self.place(path, node.child_by_field_name("left"), depth - 1)
            right = self.place(path, node.child_by_field_name("right"), depth - 1)
            return replace(right, env=left.env) if left and right and left.env and not left.path else left
        if node.type == "binary_operator":
            return self._operator(path, node, depth)
        return self._call(path, node, depth) if node.type == "call" else None

    def _operator(self, path: str, node: tree_sitter.Node, depth: int) -> Place | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        place = self.place(path, left, depth - 1)
        if place is None or right is None:
            return None
        part = _plain(self.files[path], right)
        return place.joined(part.lstrip("/")) if part else place

    def _attribute(self, path: str, node: tree_sitter.Node, depth: int) -> Place | None:
        name, target = node.child_by_field_name("attribute"), node.child_by_field_name("object")
        if name is None:
            return None
        text = self.files[path].text(name)
        if text == "parent":
            place = self.place(path, target, depth - 1)
            return None if place is None else replace(place, path=posixpath.dirname(place.path) or ".")
        if text in self._settings:
            return self._settings[text]
        return self._named(path, text, depth) if text.isupper() else None

    def _call(self, path: str, node: tree_sitter.Node, depth: int) -> Place | None:
        source = self.files[path]
        called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if called is None or listed is None or listed.type != "argument_list":
            return None
        name = source.text(called)
        given = [a for a in listed.named_children if a.type not in ("comment", "keyword_argument")]
        if name in ("os.getcwd", "Path.cwd"):
            return Place(".")
        if name in _ENV and given:
            env = _plain(source, given[0])
            default = (
                self.place(path, given[1], depth - 1)
                if len(given) > 1
                else self._default(path, listed, depth)
            )
            return None if not env else replace(default, env=env) if default else Place("", env=env)
        if name == "os.path.dirname" and given:
            place = self.place(path, given[0], depth - 1)
            return None if place is None else replace(place, path=posixpath.dirname(place.path) or ".")
        if name in ("os.path.join", *_WRAPPERS) and given:
            place = self.place(path, given[0], depth - 1)
            for part in given[1:]:
                text = _plain(source, part)
                if place is None or not text:
                    break
                place = place.joined(text)
            return place
        if called.type == "attribute" and name.rpartition(".")[2] in (
            "resolve",
            "absolute",
            "joinpath",
            "expanduser",
        ):
            place = self.place(path, called.child_by_field_name("object"), depth - 1)
            text = _plain(source, given[0]) if given else ""
            return place.joined(text) if place and text else place
        return None

    def _default(self, path: str, listed: tree_sitter.Node, depth: int) -> Place | None:
        for node in listed.named_children:
            if node.type == "keyword_argument" and self.files[path].text(node).startswith("default"):
                return self.place(path, node.child_by_field_name("value"), depth - 1)
        return None

    def _named(self, path: str, name: str, depth: int) -> Place | None:
        """The one value that `name` gets in this file; a name in capitals may come from another."""
        found = [(f, v) for f, v in self._names.get(name, ()) if f == path]
        if not found and name.isupper():
            found = self._names.get(name, [])
        if not found:
            return self._settings.get(name)
        return self.place(found[0][0], found[0][1], depth - 1) if len(found) == 1 else None

    def _assignment(self, path: str, source: PythonSource, node: tree_sitter.Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None and left.type in ("identifier", "attribute"):
            name = source.text(left).rpartition(".")[2]
            self._names.setdefault(name, []).append((path, right))

    def _class(self, path: str, source: PythonSource, node: tree_sitter.Node) -> None:
        """The fields of pydantic settings: each is read from the variable of its name."""
        bases = node.child_by_field_name("superclasses")
        if bases is None or "Settings" not in source.text(bases):
            return
        prefix = re.search(r"env_prefix\s*=\s*['\"](\w*)['\"]", source.text(node))
        for inner in walk(node):
            if inner.type != "assignment":
                continue
            left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
            if left is None or right is None or left.type != "identifier":
                continue
            name = source.text(left)
            if right.type == "call" and source.text(right).startswith("Field("):
                strings = next(c for c in right.children if c.type == "argument_list").named_children
                right = next((s for s in strings if s.type == "string"), right)
            self._names.pop(name, None)
            place = self.place(path, right)
            if place is not None:
                env = (prefix.group(1) if prefix else "") + name
                self._settings[name] = replace(place, env=place.env or env.upper())


def _plain(source: PythonSource, node: tree_sitter.Node) -> str:
    """The content of a string without anything put in, else ""."""
    if node.type != "string" or any(c.type == "interpolation" for c in node.children):
        return ""
    return "".join(source.text(c) for c in node.children if c.type == "string_content")


def _string(source: PythonSource, node: tree_sitter.Node) -> Place | None:
    filled = any(c.type == "interpolation" for c in node.children)
    first = next((c for c in node.children if c.type in ("string_content", "interpolation")), None)
    if first is None or first.type == "interpolation":
        return None
    text = source.text(first)
    text = text.rpartition("/")[0] if filled else text
    if not text or "\\" in text or ":" in text or " " in text:
        return None
    return Place(posixpath.normpath(text))


def uploads_folder(places: list[Place], known: tuple[str, ...]) -> Place | None:
    """The folder of uploads: a `known` one where a place lies in it, else what the first place says."""
    usable = [p for p in places if ".." not in p.path.split("/")]
    for folder in known:
        for place in usable:
            if within(place.path, folder):
                return place if place.path == folder else Place(folder, by_file=place.by_file)
    for place in usable:
        parts = place.path.split("/")
        for number, part in enumerate(parts):
            if UPLOADS.search(part):
                folder = "/".join(parts[: number + 1])
                if folder != place.path:
                    named = next((p for p in usable if p.path == folder), None)
                    return named or Place(folder, by_file=place.by_file)
                return next((p for p in usable if p.path == folder and p.env), place)
    return next((p for p in usable if p.env), None)


def within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies below it."""
    return bool(folder) and (path == folder or path.startswith(folder.rstrip("/") + "/"))


def inside(place: Place, root: Place) -> bool:
    """Whether `place` is the uploads folder or lies in it."""
    return (bool(place.env) and place.env == root.env) or within(place.path, root.path)


def root_expression(root: Place, helper: str) -> str:
    """The uploads folder as the generated module names it; `helper` is the module's path in the app."""
    base = f'"{root.path}"'
    if root.by_file and not root.path.startswith("/"):
        steps = posixpath.relpath(root.path, posixpath.dirname(helper) or ".")
        base = f'os.path.join(os.path.dirname(os.path.abspath(__file__)), "{steps}")'
    if not root.env:
        return base
    return f'os.environ.get("{root.env}", {base})' if root.path else f'os.environ["{root.env}"]'
