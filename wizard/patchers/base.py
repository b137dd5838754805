"""How every format is edited: parse to locate, splice bytes, parse again, compare.

A parser here only says where something stands. The original's bytes outside a splice are never
rewritten, so line endings, comments, quotes and indentation stay as they were. What is not understood
raises `NotUnderstood`; the caller turns that into an `Instruction` for a person.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable

import tree_sitter

from wizard.model import Edit, Instruction, Splice

BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
Check = Callable[[bytes, bytes], None]


class NotUnderstood(Exception):
    """The file has a shape that cannot be edited safely. `line` counts from 1; `why` is for people."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.line = line

    def instruction(self, path: str, text: str) -> Instruction:
        """What a person must do instead: `text` holds the exact lines."""
        return Instruction(path, self.line, self.why, text)


def sha256(data: bytes) -> str:
    """The digest that `Edit` carries, as hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def encoding(data: bytes) -> str:
    """The encoding of text put into the file: UTF-8, or UTF-16 where its byte order mark says so."""
    return _WIDE_BOMS.get(data[:2], "utf-8")


def newline(data: bytes) -> str:
    """The file's own line ending: the one most of its lines have."""
    crlf = data.count(b"\r\n")
    return "\r\n" if crlf * 2 > data.count(b"\n") else "\n"


def readable(data: bytes) -> None:
    """Raises NotUnderstood for what no line-based edit can keep intact: UTF-16, NUL bytes, bare CR."""
    if encoding(data) != "utf-8" or b"\0" in data:
        raise NotUnderstood("The file is not written in UTF-8 or another encoding that extends ASCII.")
    if data.count(b"\r") != data.count(b"\r\n"):
        position = next(i for i, b in enumerate(data) if b == 13 and data[i + 1 : i + 2] != b"\n")
        raise NotUnderstood("The file has a carriage return inside a line.", 1 + data[:position].count(b"\n"))


def parse(language: tree_sitter.Language, data: bytes, what: str) -> tree_sitter.Node:
    """The tree's root. Raises NotUnderstood where the parser met an error, with its line."""
    readable(data)
    root = tree_sitter.Parser(language).parse(data).root_node
    if root.has_error:
        raise NotUnderstood(f"The file is not valid {what} here.", _error_line(root))
    return root


def _error_line(node: tree_sitter.Node) -> int:
    while True:
        if node.is_error or node.is_missing:
            return node.start_point.row + 1
        inner = next((c for c in node.children if c.has_error or c.is_missing), None)
        if inner is None:
            return node.start_point.row + 1
        node = inner


def line_of(data: bytes, offset: int) -> int:
    """The number of the line, from 1, that holds the byte at `offset`."""
    return 1 + data[:offset].count(b"\n")


def line_start(data: bytes, offset: int) -> int:
    """The offset of the first byte of the line that holds `offset`."""
    return data.rfind(b"\n", 0, offset) + 1


def line_end(data: bytes, offset: int) -> int:
    """The offset just after the text of the line that holds `offset`, before its line ending."""
    end = data.find(b"\n", offset)
    if end == -1:
        return len(data)
    return end - 1 if data[max(end - 1, 0) : end] == b"\r" and end - 1 >= offset else end


def lines_after(data: bytes, offset: int, lines: Iterable[str], reason: str) -> Splice:
    """Insert whole `lines` below the line that holds `offset`, in the file's own line ending.

    Inserted before the line's ending, so that a file without a final newline stays without one.
    """
    end = line_end(data, offset)
    return Splice(end, end, "".join(newline(data) + line for line in lines), reason)


def lines_before(data: bytes, offset: int, lines: Iterable[str], reason: str) -> Splice:
    """Insert whole `lines` above the line that holds `offset` (below a byte order mark)."""
    start = line_start(data, offset)
    if start == 0 and data.startswith(BOM):
        start = len(BOM)
    return Splice(start, start, "".join(line + newline(data) for line in lines), reason)


def at_end(data: bytes, lines: Iterable[str], reason: str) -> Splice:
    """Append whole `lines`. A file without a final newline stays without one, an empty one gets one."""
    lines, ending = list(lines), newline(data)
    if data in (b"", BOM) or data.endswith(b"\n"):
        text = "".join(line + ending for line in lines)
    else:
        text = "".join(ending + line for line in lines)
    return Splice(len(data), len(data), text, reason)


def spliced(original: bytes, splices: Iterable[Splice]) -> bytes:
    """`original` with the splices made. Raises ValueError where they overlap or lie outside it."""
    parts: list[bytes] = []
    position = 0
    for splice in splices:
        if not position <= splice.start <= splice.end <= len(original):
            raise ValueError("splices must be sorted, apart, and inside the file")
        parts += [original[position : splice.start], splice.text.encode(encoding(original))]
        position = splice.end
    return b"".join([*parts, original[position:]])


def apply_splices(original: bytes | None, edit: Edit) -> bytes:
    """The file after `edit`. Raises ValueError where `original` is not what the edit was made for."""
    before = None if original is None else sha256(original)
    if before != edit.before_sha256:
        raise ValueError(f"{edit.path} is not the file the edit was made for")
    after = spliced(original or b"", edit.splices)
    if sha256(after) != edit.after_sha256:
        raise ValueError(f"the edit of {edit.path} does not lead to its own digest")
    return after


def assemble(path: str, original: bytes | None, splices: Iterable[Splice], check: Check) -> Edit:
    """The edit of `path` (relative to the project root) that makes `splices`.

    `original` is None for a new file. `check(before, after)` parses both again and raises
    NotUnderstood unless the intended change, and nothing else, came about.
    """
    ordered = tuple(sorted(splices, key=lambda s: (s.start, s.end)))
    before = original or b""
    after = spliced(before, ordered)
    check(before, after)
    added, removed = counted(before, after)
    return Edit(path, None if original is None else sha256(original), sha256(after), ordered, added, removed)


def counted(before: bytes, after: bytes) -> tuple[int, int]:
    """How many lines a diff adds and removes."""
    matcher = difflib.SequenceMatcher(None, before.split(b"\n"), after.split(b"\n"), autojunk=False)
    added = removed = 0
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            removed += b - a
            added += d - c
    return added, removed
