"""The calls of a FastAPI app that write, read, serve and delete uploads, and the splices that swap them.

Every function of the generated module takes the very path that the app uses, and leaves paths outside the
uploads folder to the disk: so a swap is right for any path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from wizard.frameworks.fastapi.change_places import Place, Reader, inside, within
from wizard.model import Instruction, Splice
from wizard.patchers.base import line_of
from wizard.patchers.python_source import PythonSource, walk

REASON = "uploads go to the bucket where its variable is set, else to the folder as before"
SWAPS = {
    "os.remove": "remove",
    "os.unlink": "remove",
    "os.path.exists": "exists",
    "os.path.isfile": "exists",
    "os.path.getsize": "size",
    "os.listdir": "listdir",
    "shutil.rmtree": "remove_tree",
    "FileResponse": "StoredFile",
    "fastapi.responses.FileResponse": "StoredFile",
    "responses.FileResponse": "StoredFile",
    "StaticFiles": "StoredFiles",
    "staticfiles.StaticFiles": "StoredFiles",
}
_METHODS = {
    "unlink": "remove",
    "exists": "exists",
    "is_file": "exists",
    "write_bytes": "write_bytes",
    "read_bytes": "read_bytes",
    "open": "open_file",
}
_COPIES = frozenset(("shutil.copy", "shutil.copy2", "shutil.copyfile"))
_OTHERS = re.compile(
    r"open|aiofiles\.open|shutil\.\w+|os\.(?:rename|replace|walk|scandir|stat|link|symlink|rmdir)|aiofiles\.os\.\w+"
    r"|glob\.i?glob|(?:PIL\.)?Image\.open|cv2\.\w+|pd\.read_\w+|pandas\.read_\w+|\w*[lL]oader|load_workbook|openpyxl\."
    r"load_workbook|fitz\.open|(?:zipfile\.)?ZipFile|PdfReader|subprocess\.\w+|whisper\.\w+"
)
_PATH_METHODS = frozenset(
    ("write_text", "read_text", "iterdir", "glob", "rglob", "rename", "replace", "stat", "touch")
)


@dataclass
class Uses:
    """What one file does with uploads."""

    splices: list[Splice] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    freed: set[str] = field(default_factory=set)
    unknown: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class Finder:
    """Looks through one file of the app. `module` is what the generated module is called there."""

    path: str
    shown: str
    reader: Reader
    root: Place
    module: str

    @property
    def source(self) -> PythonSource:
        return self.reader.files[self.path]

    def find(self) -> Uses:
        """Every use in the file."""
        uses = Uses()
        for node in walk(self.source.root):
            if node.type == "call":
                self._call(node, uses)
        return uses

    def _call(self, node: tree_sitter.Node, uses: Uses) -> None:
        called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if called is None or listed is None or listed.type != "argument_list":
            return
        given = [a for a in listed.named_children if a.type != "comment"]
        name = self.source.text(called)
        if name.split(".")[0] == self.module or name in ("os.makedirs", "os.mkdir"):
            return
        first = given[0] if given else None
        if first is not None and first.type == "keyword_argument":
            first = first.child_by_field_name("value")
        if name in _COPIES and len(given) == 2 and given[1].type != "keyword_argument":
            if self._holds(given[1]):
                self._swap(called, "save_copy", uses)
            elif self._holds(given[0]):
                self._manual(node, uses)
        elif first is not None and name in SWAPS and (self._holds(first) or self._shows(name, first)):
            self._swap(called, SWAPS[name], uses)
        elif first is not None and name == "open" and _opened(node, False) and self._holds(first):
            self._swap(called, "open_file", uses)
        elif first is not None and name == "aiofiles.open" and _opened(node, True) and self._holds(first):
            self._swap(called, "open_async", uses)
        elif first is not None and name == "os.stat" and self._holds(first):
            self._size(node, first, uses)
        elif called.type == "attribute" and not name.startswith(("os.", "shutil.", "aiofiles.")):
            self._method(node, called, listed, given, uses)
            if _OTHERS.fullmatch(name) and any(self._holds(a) for a in given):
                self._manual(node, uses)
        elif _OTHERS.fullmatch(name) and any(self._holds(a) for a in given):
            self._manual(node, uses)

    def _method(
        self,
        node: tree_sitter.Node,
        called: tree_sitter.Node,
        listed: tree_sitter.Node,
        given: list[tree_sitter.Node],
        uses: Uses,
    ) -> None:
        target, attribute = called.child_by_field_name("object"), called.child_by_field_name("attribute")
        if target is None or attribute is None or not self._holds(target) or target.type == "string":
            return
        method = self.source.text(attribute)
        if method == "stat" and not given:
            self._size(node, target, uses)
        elif method in _METHODS and (method != "open" or _opened(node, False)):
            inner = target
            if target.type == "parenthesized_expression":
                inner = target.named_children[0]
            function = _METHODS[method]
            lead = f"{self.module}.{function}("
            uses.splices.append(Splice(target.start_byte, inner.start_byte, lead, REASON))
            start = listed.start_byte + 1
            uses.splices.append(Splice(inner.end_byte, start, ", " if given else "", REASON))
            uses.functions.add(function)
        elif method in _PATH_METHODS:
            self._manual(node, uses)

    def _size(self, node: tree_sitter.Node, path: tree_sitter.Node, uses: Uses) -> None:
        """`path.stat().st_size`; another use of what the disk knows is for a person."""
        outer = node.parent
        if outer is None or not self.source.text(outer).endswith(".st_size") or outer.type != "attribute":
            self._manual(node, uses)
            return
        uses.splices.append(Splice(outer.start_byte, path.start_byte, f"{self.module}.size(", REASON))
        uses.splices.append(Splice(path.end_byte, outer.end_byte, ")", REASON))
        uses.functions.add("size")

    def _swap(self, called: tree_sitter.Node, function: str, uses: Uses) -> None:
        uses.splices.append(Splice(called.start_byte, called.end_byte, f"{self.module}.{function}", REASON))
        uses.functions.add(function)
        uses.freed.add(self.source.text(called).split(".")[0])

    def _holds(self, node: tree_sitter.Node) -> bool:
        """Whether the expression names something in the uploads folder."""
        if node.type == "keyword_argument":
            return False
        place = self.reader.place(self.path, node)
        if place is not None:
            return inside(place, self.root)
        return self._flows(node, 4)

    def _shows(self, name: str, node: tree_sitter.Node) -> bool:
        """Whether a static mount shows a folder that the uploads folder lies in."""
        place = self.reader.place(self.path, node) if SWAPS[name] == "StoredFiles" else None
        return place is not None and (place.path == "." or within(self.root.path, place.path))

    def _flows(self, node: tree_sitter.Node, depth: int) -> bool:
        """Whether a name in the expression got its value from the uploads folder."""
        for inner in walk(node):
            if inner.type in ("identifier", "attribute", "string"):
                place = self.reader.place(self.path, inner)
                if place is not None and inside(place, self.root) and place.path not in ("", "."):
                    return True
            if inner.type == "identifier" and depth and not _is_label(inner):
                for value in self._values(inner):
                    if self._flows(value, depth - 1):
                        return True
        return False

    def _values(self, name: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        """What a local name gets in its function."""
        function = name.parent
        while function is not None and function.type != "function_definition":
            function = function.parent
        text = self.source.text(name)
        for node in walk(function or self.source.root):
            if node.type in ("assignment", "named_expression"):
                left = node.child_by_field_name("left") or node.child_by_field_name("name")
                right = node.child_by_field_name("right") or node.child_by_field_name("value")
                if left is not None and right is not None and self.source.text(left) == text:
                    yield right

    def _manual(self, node: tree_sitter.Node, uses: Uses) -> None:
        why = (
            "This works, in a way not understood, on a file of the uploads folder: it will lie in the bucket."
        )
        start = self.source.data.rfind(b"\n", 0, node.start_byte) + 1
        end = self.source.data.find(b"\n", node.end_byte)
        text = self.source.data[start : end if end >= 0 else len(self.source.data)]
        shown = text.decode("utf-8", "replace").replace("\r", "") + "\n"
        line = line_of(self.source.data, node.start_byte)
        uses.unknown.append(Instruction(self.shown, line, why, shown))


def _is_label(node: tree_sitter.Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("name") == node
    if parent.type == "call":
        return parent.child_by_field_name("function") == node
    return parent.type == "attribute" and parent.child_by_field_name("attribute") == node


def _opened(node: tree_sitter.Node, asynchronous: bool) -> bool:
    """Whether the call is what a `with` (or `async with`) statement opens."""
    parent = node.parent
    if parent is not None and parent.type == "as_pattern":
        parent = parent.parent
    if parent is None or parent.type != "with_item":
        return False
    while parent is not None and parent.type != "with_statement":
        parent = parent.parent
    return parent is not None and (parent.children[0].type == "async") is asynchronous
