"""Which expressions of a Python project carry the uploads folder: by its path, and by names that hold it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

import tree_sitter

from wizard.patchers.python_source import PythonSource, walk

_ROUNDS = 4  # how many names may stand between the path and its use
_CALLED = "function_definition"


class Taint:
    """The names (`file`, `function`, name) and config keys that hold a path in the uploads folder.

    `folder` is the folder's path relative to the project ("static/uploads"), or absolute. Names in capitals
    and config keys count in every file; others in the function, or at the top level, that assigns them.
    """

    def __init__(self, sources: Mapping[str, PythonSource], folder: str) -> None:
        last = posixpath.basename(posixpath.normpath(folder))
        self._path = re.compile(rf"(?:^|[\\/]){re.escape(last)}(?:[\\/]|$)")
        self._shared: set[str] = set()
        self._keys: set[str] = set()
        self._local: set[tuple[str, int, str]] = set()
        for _ in range(_ROUNDS):
            before = len(self._shared), len(self._keys), len(self._local)
            for path, source in sources.items():
                self._learn(path, source)
            if before == (len(self._shared), len(self._keys), len(self._local)):
                break

    def carries(self, path: str, source: PythonSource, node: tree_sitter.Node) -> bool:
        """Whether the expression `node` of the file `path` names something in the uploads folder."""
        for inner in walk(node):
            if inner.type == "string_content" and self._path.search(source.text(inner)):
                return True
            if inner.type == "string" and source.text(inner)[1:-1] in self._keys and _is_key(inner):
                return True
            if inner.type == "identifier" and not _is_called(inner):
                name = source.text(inner)
                if name in self._shared or any(
                    (path, scope, name) in self._local for scope in (_scope(inner), -1)
                ):
                    return True
        return False

    def _learn(self, path: str, source: PythonSource) -> None:
        for node in walk(source.root):
            if node.type in ("assignment", "named_expression"):
                left = node.child_by_field_name("left") or node.child_by_field_name("name")
                right = node.child_by_field_name("right") or node.child_by_field_name("value")
                if left is not None and right is not None and self.carries(path, source, right):
                    self._mark(path, source, left)
            elif node.type == "keyword_argument" and node.parent is not None:
                name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
                called = node.parent.parent and node.parent.parent.child_by_field_name("function")
                configures = called is not None and source.text(called).endswith(
                    ("config.update", "config.from_mapping")
                )
                if not configures or name is None or value is None:
                    continue
                if self.carries(path, source, value):
                    self._keys.add(source.text(name))

    def _mark(self, path: str, source: PythonSource, left: tree_sitter.Node) -> None:
        if left.type == "subscript":
            for inner in left.children_by_field_name("subscript"):
                if inner.type == "string":
                    self._keys.add(source.text(inner)[1:-1])
        elif left.type == "attribute":
            name = left.child_by_field_name("attribute")
            if name is not None and source.text(name).isupper():
                self._shared.add(source.text(name))
        elif left.type == "identifier":
            word = source.text(left)
            if word.isupper():
                self._shared.add(word)
                self._keys.add(word)
            else:
                self._local.add((path, _scope(left), word))


def _scope(node: tree_sitter.Node) -> int:
    """The start of the function that holds `node`, -1 at the top level."""
    parent = node.parent
    while parent is not None and parent.type != _CALLED:
        parent = parent.parent
    return parent.start_byte if parent is not None else -1


def _is_key(node: tree_sitter.Node) -> bool:
    """Whether a string stands in brackets, or as the first argument of `.get(…)`."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "subscript":
        return True
    call = parent.parent
    called = (
        call.child_by_field_name("function") if call is not None and parent.type == "argument_list" else None
    )
    return called is not None and called.type == "attribute" and (called.text or b"").endswith(b".get")


def _is_called(node: tree_sitter.Node) -> bool:
    """Whether the identifier is only what is called (`uploads(…)`), or the name of a keyword or attribute."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "call":
        return parent.child_by_field_name("function") == node
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("name") == node
    return parent.type == "attribute" and parent.child_by_field_name("attribute") == node
