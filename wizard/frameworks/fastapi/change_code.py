"""The edits of a FastAPI app's Python files: the swaps, the import they need, imports left without a use."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

import tree_sitter

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.fastapi.change_helper import NAME
from wizard.frameworks.fastapi.change_idioms import REASON, Uses
from wizard.model import Edit, Splice
from wizard.patchers.base import Check, NotUnderstood, assemble, line_start
from wizard.patchers.python_source import PythonSource, walk


def new_module(app: AppFolder, path: str, text: str) -> Edit:
    """The generated module. Raises NotUnderstood where its name is taken."""
    if app.read(app.at(path)) is not None:
        raise NotUnderstood(f"{path} exists already; the module that ashore writes needs that name.")
    reason = "stands between the app and the bucket"

    def check(before: bytes, after: bytes) -> None:
        PythonSource(after)

    return assemble(app.at(path), None, [Splice(0, 0, text, reason)], check)


def edit_file(app: AppFolder, path: str, source: PythonSource, uses: Uses, package: str) -> Edit:
    """The file with its swaps. `package` is where the generated module lies, dotted; "" beside the start."""
    statement, module = _import(source, path, package)
    splices = [*uses.splices, *_unused(source, uses)]
    splices += source.add_imports([(module, statement)], len(source.data), app.own, REASON)
    merged: dict[tuple[int, int], Splice] = {}
    for splice in splices:
        key = (splice.start, splice.end)
        merged[key] = Splice(*key, merged[key].text + splice.text, REASON) if key in merged else splice
    return assemble(app.at(path), source.data, merged.values(), _check(list(merged.values())))


def _import(source: PythonSource, path: str, package: str) -> tuple[str, str]:
    """The import as the file writes those of its own package: absolute, or relative where it does so."""
    relative = re.search(rb"^from \.+\w* import|^from \.+[\w.]+ import", source.data, re.MULTILINE)
    folder = package.replace(".", "/")
    if relative:
        here = posixpath.dirname(path)
        dots, up = 1, here
        while up != folder and up:
            up, dots = posixpath.dirname(up), dots + 1
        if up == folder:
            return f"from {'.' * dots} import {NAME}", "." * dots
    if not package or not _as_package(source, package):
        return f"import {NAME}", NAME
    return f"from {package} import {NAME}", package


def _as_package(source: PythonSource, package: str) -> bool:
    """Whether the file does not import its neighbours by their bare name, as in the package's folder."""
    top = package.split(".")[0]
    if re.search(rf"^(?:from|import) {re.escape(top)}\b".encode(), source.data, re.MULTILINE):
        return True
    bare = rb"^from (?:config|database|models|schemas|routers|settings|utils)\b"
    return not re.search(bare, source.data, re.MULTILINE)


def _unused(source: PythonSource, uses: Uses) -> list[Splice]:
    """Imported names of which every use was swapped, taken out where the statement is a plain one."""
    spans = [(s.start, s.end) for s in uses.splices]
    splices = []
    for name in sorted(uses.freed):
        nodes = [n for n in walk(source.root) if n.type == "identifier" and source.text(n) == name]
        imports = [n for n in nodes if _statement(n) is not None]
        rest = [n for n in nodes if n not in imports]
        if len(imports) != 1 or any(not any(a <= n.start_byte < b for a, b in spans) for n in rest):
            continue
        statement = _statement(imports[0])
        if statement is None or statement.parent is None or statement.parent.type != "module":
            continue
        names = statement.children_by_field_name("name")
        if any(c.type == "aliased_import" for c in names):
            continue
        if len(names) == 1:
            end = source.data.find(b"\n", statement.end_byte) + 1 or len(source.data)
            if source.data[statement.end_byte : end].strip():
                continue
            start = line_start(source.data, statement.start_byte)
            splices.append(Splice(start, end, "", REASON))
            continue
        place = next((i for i, n in enumerate(names) if source.text(n) == name), None)
        if place is None:
            continue
        if place + 1 < len(names):
            splices.append(Splice(names[place].start_byte, names[place + 1].start_byte, "", REASON))
        else:
            splices.append(Splice(names[place - 1].end_byte, names[place].end_byte, "", REASON))
    return _apart(splices)


def _statement(node: tree_sitter.Node) -> tree_sitter.Node | None:
    parent = node.parent
    while parent is not None and parent.type not in ("import_statement", "import_from_statement"):
        parent = parent.parent
    return parent


def _apart(splices: list[Splice]) -> list[Splice]:
    """Those that do not overlap the one before."""
    result: list[Splice] = []
    for splice in sorted(splices, key=lambda s: s.start):
        if not result or result[-1].end <= splice.start:
            result.append(splice)
    return result


def _check(splices: list[Splice]) -> Check:
    """A check that the module parses again and lost no token that the splices do not cover."""

    def check(before: bytes, after: bytes) -> None:
        old, new = PythonSource(before), PythonSource(after)
        kept = Counter(_tokens(old))
        kept.subtract(_tokens(new))
        gone = Counter(_tokens(old, splices))
        if any(count > gone[token] for token, count in kept.items() if count > 0):
            raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")

    return check


def _tokens(source: PythonSource, only: list[Splice] | None = None) -> list[str]:
    found = []
    for node in walk(source.root):
        if node.children or node.start_byte == node.end_byte:
            continue
        if only is None or any(s.start < node.end_byte and node.start_byte < s.end for s in only):
            found.append(source.text(node))
    return found
