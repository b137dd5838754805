"""The calls that write, read, serve and delete uploads, and the splices that swap what is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import tree_sitter

from wizard.frameworks.python_uploads.taint import Taint
from wizard.model import Instruction, Splice
from wizard.patchers.base import line_of
from wizard.patchers.python_source import PythonSource, walk

REASON = "uploads go to the bucket where its variable is set, else to the folder as before"
# What is called today → the function of the generated module with the same arguments and result.
SWAPS: Mapping[str, str] = {
    "os.remove": "remove",
    "os.unlink": "remove",
    "os.path.exists": "exists",
    "os.path.isfile": "exists",
    "os.path.getsize": "size",
    "os.listdir": "listdir",
}
FLASK_SWAPS: Mapping[str, str] = {
    **SWAPS,
    "send_from_directory": "send_from_directory",
    "flask.send_from_directory": "send_from_directory",
    "send_file": "send_file",
    "flask.send_file": "send_file",
}
# Calls on a path that the module does not stand in for.
_OTHERS = re.compile(
    r"shutil\.\w+|os\.(?:rename|replace|walk|scandir|stat|link|symlink|rmdir|removedirs)|os\.path\.getmtime"
    r"|glob\.i?glob|Image\.open|PIL\.Image\.open|cv2\.\w+|pd\.read_\w+|pandas\.read_\w+|load_workbook|aiofiles\.open"
    r"|openpyxl\.load_workbook|docx\.Document|PyPDF2\.\w+|fitz\.open|zipfile\.ZipFile|ZipFile|csv\.\w+|np\.load"
    r"|FileResponse|StaticFiles|subprocess\.\w+|open"
)
_PATH_METHODS = frozenset(
    ("unlink", "exists", "is_file", "write_bytes", "read_bytes", "write_text", "read_text", "open", "iterdir",
     "glob", "rglob", "rename", "replace", "stat", "to_csv", "to_excel", "savefig")
)  # fmt: skip


@dataclass
class Uses:
    """What one file does with uploads: `splices` to make, the `functions` they call, and the rest."""

    splices: list[Splice] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    unknown: list[Instruction] = field(default_factory=list)


def find(
    path: str, source: PythonSource, taint: Taint, module: str, swaps: Mapping[str, str] = FLASK_SWAPS
) -> Uses:
    """The uses of the uploads folder in the file `path`; `module` is the generated module's name there."""
    uses = Uses()
    for node in walk(source.root):
        if node.type == "call":
            _call(path, source, taint, module, swaps, node, uses)
    return uses


def _call(
    path: str,
    source: PythonSource,
    taint: Taint,
    module: str,
    swaps: Mapping[str, str],
    node: tree_sitter.Node,
    uses: Uses,
) -> None:
    called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is None or listed is None or listed.type != "argument_list":
        return
    arguments = [a for a in listed.children if a.is_named and a.type != "comment"]
    name = source.text(called)
    if name.split(".")[0] == module:
        return
    first = arguments[0] if arguments else None
    if first is not None and first.type == "keyword_argument":
        first = first.child_by_field_name("value")
    holds = first is not None and taint.carries(path, source, first)
    if holds and name in swaps:
        _swap(called, f"{module}.{swaps[name]}", swaps[name], uses)
    elif holds and name == "open" and _in_with(node):
        _swap(called, f"{module}.open_file", "open_file", uses)
    elif holds and called.type == "attribute" and _method(source, called) == "save" and _plain(first):
        target = called.child_by_field_name("object")
        assert target is not None and first is not None
        text = f"{module}.save("
        uses.splices.append(Splice(target.start_byte, target.start_byte, text, REASON))
        uses.splices.append(Splice(target.end_byte, listed.start_byte + 1, ", ", REASON))
        uses.functions.add("save")
    elif _touches(path, source, taint, called, arguments, name):
        line = line_of(source.data, node.start_byte)
        why = (
            f"This works on a file of the uploads folder in a way that has no counterpart in {module}.py: "
            "the file will lie in the bucket."
        )
        uses.unknown.append(Instruction(path, line, why, _line(source, node)))


def _swap(called: tree_sitter.Node, text: str, function: str, uses: Uses) -> None:
    uses.splices.append(Splice(called.start_byte, called.end_byte, text, REASON))
    uses.functions.add(function)


def _touches(
    path: str,
    source: PythonSource,
    taint: Taint,
    called: tree_sitter.Node,
    arguments: list[tree_sitter.Node],
    name: str,
) -> bool:
    """Whether the call works on an upload's path in a way that has no counterpart."""
    if _OTHERS.fullmatch(name) or name.endswith((".save", ".savefig", ".to_csv", ".to_excel")):
        return any(taint.carries(path, source, a) for a in arguments)
    target = called.child_by_field_name("object") if called.type == "attribute" else None
    if target is None or _method(source, called) not in _PATH_METHODS or name.startswith("os."):
        return False
    return target.type != "string" and taint.carries(path, source, target)


def _method(source: PythonSource, called: tree_sitter.Node) -> str:
    name = called.child_by_field_name("attribute")
    return "" if name is None else source.text(name)


def _plain(node: tree_sitter.Node | None) -> bool:
    return node is not None and node.type not in ("list_splat", "dictionary_splat", "generator_expression")


def _in_with(node: tree_sitter.Node) -> bool:
    """Whether the call is what a `with` statement (not an `async with`) opens."""
    parent = node.parent
    if parent is not None and parent.type == "as_pattern":
        parent = parent.parent
    if parent is None or parent.type != "with_item":
        return False
    while parent is not None and parent.type != "with_statement":
        parent = parent.parent
    return parent is not None and parent.children[0].type != "async"


def _line(source: PythonSource, node: tree_sitter.Node) -> str:
    start = source.data.rfind(b"\n", 0, node.start_byte) + 1
    end = source.data.find(b"\n", node.end_byte)
    text = source.data[start : end if end >= 0 else len(source.data)]
    return text.decode("utf-8", "replace").replace("\r", "") + "\n"
