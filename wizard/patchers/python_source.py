"""Python files: where a name is assigned, where imports stand, and whole statements put beside them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

import tree_sitter
import tree_sitter_python

from wizard.model import Splice
from wizard.patchers.base import (
    Check,
    NotUnderstood,
    line_end,
    line_start,
    lines_after,
    lines_before,
    newline,
    parse,
)

_LANGUAGE = tree_sitter.Language(tree_sitter_python.language())
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_IMPORTS = ("import_statement", "import_from_statement")
_OWN_SCOPE = ("function_definition", "class_definition", "decorated_definition", "lambda")
_ASCII_SAFE = re.compile(
    r"^(latin[-_]?1|l1|iso[-_]?8859[-_]?\d+|iso[-_]?latin[-_]?1|(?:windows[-_]?|cp)125\d|koi8[-_][ru]|ascii)$",
    re.IGNORECASE,
)


class PythonSource:
    """One parsed module. `data` is the file's bytes; all offsets are into it.

    Raises NotUnderstood where the file does not parse, or is in an encoding whose bytes cannot be
    told apart from ASCII (its coding cookie names one).
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root = parse(_LANGUAGE, _locatable(data), "Python")
        self.statements = [n for n in self.root.children if n.is_named and n.type != "comment"]
        self.newline = newline(data)

    def text(self, node: tree_sitter.Node) -> str:
        """The node's own text; bytes that are not UTF-8 become surrogates."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "surrogateescape")

    @property
    def quote(self) -> str:
        """The quote that most of the file's one-line strings have; the double one where even."""
        single = double = 0
        for node in walk(self.root):
            if node.type == "string_start":
                text = self.text(node)
                single += text.endswith("'") and not text.endswith("'''")
                double += text.endswith('"') and not text.endswith('"""')
        return "'" if single > double else '"'

    @property
    def indent(self) -> str:
        """One level of the file's own indentation: a tab or so many blanks."""
        for node in walk(self.root):
            if node.type == "block" and node.start_point.column > 0:
                start = line_start(self.data, node.start_byte)
                lead = self.data[start : node.start_byte]
                parent = node.parent
                if parent is not None and parent.start_point.column == 0 and not lead.strip(b" \t"):
                    return lead.decode("ascii")
        return "    "

    def styled(self, lines: Iterable[str]) -> list[str]:
        """Generated `lines` (double quotes, four blanks) in the file's quotes and indentation."""
        quote, indent = self.quote, self.indent
        result = []
        for line in lines:
            bare = line.lstrip(" ")
            levels, rest = divmod(len(line) - len(bare), 4)
            if "'" not in bare and '"""' not in bare:
                bare = bare.replace('"', quote)
            result.append(indent * levels + " " * rest + bare)
        return result

    def touching(self, name: str) -> list[tree_sitter.Node]:
        """Top-level statements that assign to `name`, an item or attribute of it, or call its methods.

        Found inside `if`, `try`, `with` and loops too, not inside functions and classes.
        """
        return [s for s in self.statements if any(_root_name(self, n) == name for n in _targets(s))]

    def always_binds(self, name: str) -> bool:
        """Whether the module has certainly assigned `name` at its end (not by a star import)."""
        return any(_binds(self, s, name) for s in self.statements)

    def binds(self, statement: tree_sitter.Node, name: str) -> bool:
        """Whether `statement`, once executed, has certainly assigned `name` itself."""
        return _binds(self, statement, name)

    def value_of(self, name: str) -> tree_sitter.Node | None:
        """The right side of the last top-level `name = …`, or None."""
        found = None
        for statement in self.statements:
            for node in statement.children:
                if node.type == "assignment":
                    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                    if left is not None and right is not None and self.text(left) == name:
                        found = right
        return found

    def strings(self, node: tree_sitter.Node | None = None) -> Iterator[str]:
        """The content of every plain string below `node` (default: the module)."""
        for inner in walk(node or self.root):
            if inner.type == "string":
                yield "".join(self.text(c) for c in inner.children if c.type == "string_content")

    def after(self, node: tree_sitter.Node, lines: list[str], reason: str) -> Splice:
        """Insert `lines` as statements of their own below `node`, set off by blank lines."""
        end = self._line_after(node)
        following = self.data[end:].lstrip(b"\r\n" if self.data[end : end + 1] == b"\r" else b"\n")
        crowded = following and self.data[end:].count(b"\n", 0, len(self.data) - end - len(following)) < 2
        return lines_after(self.data, end, ["", *lines, *([""] if crowded else [])], reason)

    def before(self, node: tree_sitter.Node, lines: list[str], reason: str) -> Splice:
        """Insert `lines` as statements of their own above `node` and the comment right above it."""
        above = node.prev_sibling
        while (
            above is not None and above.type == "comment" and above.end_point.row == node.start_point.row - 1
        ):
            if self.data[line_start(self.data, above.start_byte) : above.start_byte].strip():
                break
            node, above = above, above.prev_sibling
        return lines_before(self.data, node.start_byte, [*lines, ""], reason)

    def _line_after(self, node: tree_sitter.Node) -> int:
        """The end of the line on which `node`, and whatever shares that line with it, ends."""
        end = line_end(self.data, len(self.data[: node.end_byte].rstrip()))
        for other in self.statements:
            if node.end_byte <= other.start_byte < end < other.end_byte:
                end = line_end(self.data, len(self.data[: other.end_byte].rstrip()))
        return end

    def imports(self, name: str, before: int) -> bool:
        """Whether `import name` stands at top level and ends above offset `before`."""
        for node in self.statements:
            if node.type == "import_statement" and node.end_byte <= before:
                for part in node.children_by_field_name("name"):
                    if part.type == "dotted_name" and self.text(part).split(".")[0] == name:
                        return True
        return False

    def add_imports(
        self, wanted: Iterable[tuple[str, str]], before: int, own: Callable[[str], bool], reason: str
    ) -> list[Splice]:
        """Splices for those `wanted` imports, (module, statement), not yet above offset `before`.

        Sections as isort has them: standard library, third party, the project's own (`own` knows by
        the top-level name), each sorted with `import x` before `from x import y`.
        """
        by_place: dict[tuple[int, int, int], list[str]] = {}
        for module, statement in wanted:
            if not self._has(statement, module, before):
                place, shape = self._place(module, statement, before, own)
                key = (place, _SHAPES.index(shape), _section(module, own))
                by_place.setdefault(key, []).append(statement)
        texts: dict[int, str] = {}
        for (place, shape_number, _), statements in sorted(by_place.items()):
            block = self.newline.join(sorted(statements, key=_import_key))
            texts[place] = texts.get(place, "") + _shaped(_SHAPES[shape_number], block, self.newline)
        return [Splice(place, place, text, reason) for place, text in texts.items()]

    def _has(self, statement: str, module: str, before: int) -> bool:
        if statement == f"import {module}":
            return self.imports(module, before)
        words = statement.split()
        return self.imports_from(words[1], words[-1], before)

    def imports_from(self, module: str, name: str, before: int | None = None) -> bool:
        """Whether `from module import name` stands at top level (above offset `before`)."""
        for node in self.statements:
            if node.type == "import_from_statement" and (before is None or node.end_byte <= before):
                source = node.child_by_field_name("module_name")
                names = [self.text(n) for n in node.children_by_field_name("name")]
                if source is not None and self.text(source) == module and name in names:
                    return True
        return False

    def _place(self, module: str, statement: str, before: int, own: Callable[[str], bool]) -> tuple[int, str]:
        """(offset, shape): inside a section (`join_above`, `join_below`) or as one of its own (`new_…`)."""
        wanted = _section(module, own)
        head = self._head_imports(before)
        if not head:
            first = next(
                (s for s in self.statements if s.type != "future_import_statement" and not _docstring(s)),
                None,
            )
            above = [s for s in self.statements if first is None or s.start_byte < first.start_byte]
            if above:
                return self._line_after(above[-1]), "new_below"
            return line_start(self.data, first.start_byte if first else len(self.data)) or _bom(
                self.data
            ), "new_above"
        ranked = [(_section(self._module(n), own), n) for n in head]
        same = [n for rank, n in ranked if rank == wanted]
        if same:
            key = _import_key(statement)
            later = next((n for n in same if _import_key(self.text(n)) > key), None)
            if later is not None:
                return line_start(self.data, later.start_byte) or _bom(self.data), "join_above"
            return self._line_after(same[-1]), "join_below"
        lower = [n for rank, n in ranked if rank < wanted]
        if lower:
            return self._line_after(lower[-1]), "new_below"
        return line_start(self.data, head[0].start_byte) or _bom(self.data), "new_above"

    def _head_imports(self, before: int) -> list[tree_sitter.Node]:
        """The imports at the head of the module: up to the first other statement after them."""
        found: list[tree_sitter.Node] = []
        for node in self.statements:
            if node.start_byte >= before:
                break
            if node.type in _IMPORTS:
                found.append(node)
            elif found or (node.type != "future_import_statement" and not _docstring(node)):
                break
        return found

    def _module(self, node: tree_sitter.Node) -> str:
        name = node.child_by_field_name("module_name" if node.type == "import_from_statement" else "name")
        return "" if name is None else self.text(name)


_SHAPES = ("join_below", "new_below", "new_above", "join_above")


def _shaped(shape: str, block: str, ending: str) -> str:
    return {
        "join_below": ending + block,
        "new_below": ending * 2 + block,
        "new_above": block + ending * 2,
        "join_above": block + ending,
    }[shape]


def _section(module: str, own: Callable[[str], bool]) -> int:
    top = module.split(".")[0].split(" ")[0]
    if not top or own(top):
        return 3
    return 1 if top in sys.stdlib_module_names else 2


def _import_key(statement: str) -> tuple[bool, str]:
    words = statement.split()
    return words[0] == "from", words[1].rstrip(",").lower()


def _bom(data: bytes) -> int:
    return 3 if data.startswith(b"\xef\xbb\xbf") else 0


def _docstring(node: tree_sitter.Node) -> bool:
    return node.type == "expression_statement" and bool(node.children) and node.children[0].type == "string"


def _locatable(data: bytes) -> bytes:
    """The bytes to parse: same offsets, with other than UTF-8 masked where one byte is one character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        cookie = next((m for m in map(_COOKIE.match, data.split(b"\n")[:2]) if m), None)
        if cookie is None or not _ASCII_SAFE.match(cookie.group(1).decode("ascii")):
            raise NotUnderstood(
                "The file's encoding is not UTF-8 and not one that can be edited safely.",
                1 + data[: error.start].count(b"\n"),
            ) from error
        return bytes(b if b < 128 else 0x78 for b in data)
    return data


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """`node` and everything below it, in the order of the text."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))


def _targets(statement: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Every expression that `statement` assigns to, or whose method it calls for its effect."""
    pending = [statement]
    while pending:
        node = pending.pop()
        if node.type in _OWN_SCOPE:
            continue
        if node.type in ("assignment", "augmented_assignment"):
            left = node.child_by_field_name("left")
            if left is not None:
                yield from left.children if left.type in ("pattern_list", "tuple_pattern") else (left,)
        elif node.type == "expression_statement" and node.children and node.children[0].type == "call":
            called = node.children[0].child_by_field_name("function")
            if called is not None and called.type == "attribute":
                yield called
        pending.extend(reversed(node.children))


def _root_name(source: PythonSource, node: tree_sitter.Node) -> str:
    while node.type in ("subscript", "attribute", "call"):
        inner = node.child_by_field_name(
            {"subscript": "value", "attribute": "object", "call": "function"}[node.type]
        )
        if inner is None:
            return ""
        node = inner
    return source.text(node) if node.type == "identifier" else ""


def _binds(source: PythonSource, node: tree_sitter.Node, name: str) -> bool:
    """Whether `node`, once executed to its end, has certainly assigned `name` itself."""
    if node.type == "expression_statement":
        return any(_binds(source, c, name) for c in node.children)
    if node.type == "assignment":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None and source.text(left) == name:
            return True
        return right is not None and _binds(source, right, name)
    if node.type == "block":
        return any(_binds(source, c, name) for c in node.children)
    if node.type == "if_statement":
        branches = [node.child_by_field_name("consequence")]
        alternatives = node.children_by_field_name("alternative")
        for alternative in alternatives:
            branches.append(
                alternative.child_by_field_name("consequence") or alternative.child_by_field_name("body")
            )
        complete = bool(alternatives) and alternatives[-1].type == "else_clause"
        return complete and all(b is not None and _binds(source, b, name) for b in branches)
    if node.type == "with_statement":
        body = node.child_by_field_name("body")
        return body is not None and _binds(source, body, name)
    return False


def statements_check(inserted: Iterable[str], replaced: Mapping[str, str] | None = None) -> Check:
    """A check that the module gained exactly the statements of `inserted`, and `replaced` ones changed so."""
    snippets = tuple(inserted)
    changes = dict(replaced or {})

    def check(before: bytes, after: bytes) -> None:
        old, new = PythonSource(before), PythonSource(after)
        pending = [t for snippet in snippets for t in _texts(PythonSource(snippet.encode("utf-8")))]
        expected = [changes.get(text, text) for text in _texts(old)]
        position = 0
        for text in _texts(new):
            if position < len(expected) and text == expected[position]:
                position += 1
            elif text in pending:
                pending.remove(text)
            else:
                raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")
        if pending or position != len(expected) or _comments(old) != _comments(new, snippets):
            raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")

    return check


def _texts(source: PythonSource) -> list[str]:
    return [source.text(s).replace("\r\n", "\n").rstrip() for s in source.statements]


def _comments(source: PythonSource, snippets: Iterable[str] = ()) -> list[str]:
    found = _comment_texts(source)
    for snippet in snippets:
        for text in _comment_texts(PythonSource(snippet.encode("utf-8"))):
            if text in found:
                found.remove(text)
    return sorted(found)


def _comment_texts(source: PythonSource) -> list[str]:
    return [source.text(n).rstrip("\r") for n in walk(source.root) if n.type == "comment"]
