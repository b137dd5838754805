"""Imports of a patched file: the generated module's functions put in, what is not used any more taken out."""

from __future__ import annotations

import re

import tree_sitter

from wizard.frameworks.nestjs.change_idioms import REASON, Uses
from wizard.model import Splice
from wizard.patchers.base import newline
from wizard.patchers.javascript_source import JavaScriptSource, walk

_NAMES = ("identifier", "type_identifier", "shorthand_property_identifier")


def import_splices(source: JavaScriptSource, uses: Uses, module: str) -> list[Splice]:
    """The splices that import what `uses` calls from `module`. An import that held nothing else than what the
    swaps replaced gives its place."""
    statement = source.import_line(uses.functions, module)
    text = statement.replace("\n", newline(source.data))
    freed = _freed(source, uses)
    splices: list[Splice] = []
    placed = False
    for node in source.statements:
        if node.type != "import_statement":
            continue
        names = _locals(source, node)
        gone = names & freed
        if not gone:
            continue
        if gone == names:
            if not placed:
                splices.append(Splice(node.start_byte, node.end_byte, text, REASON))
                placed = True
            else:
                end = source.data.find(b"\n", node.end_byte) + 1 or len(source.data)
                splices.append(Splice(node.start_byte, end, "", REASON))
        else:
            splices += _thinned(source, node, gone)
    return splices if placed else [*splices, source.add_import(statement, REASON)]


def _freed(source: JavaScriptSource, uses: Uses) -> set[str]:
    """Imported names of which every use was swapped."""
    spans = [(s.start, s.end) for s in uses.splices]
    names = {re.split(r"\W", source.text(node), maxsplit=1)[0] for node in uses.freed}
    for node in walk(source.root):
        if node.type in _NAMES and source.text(node) in names:
            above: tree_sitter.Node | None = node
            while above is not None and above.type != "import_statement":
                above = above.parent
            if above is None and not any(a <= node.start_byte < b for a, b in spans):
                names.discard(source.text(node))
    return names


def _locals(source: JavaScriptSource, statement: tree_sitter.Node) -> set[str]:
    found = set()
    for node in walk(statement):
        if node.type == "import_specifier":
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            if name is not None:
                found.add(source.text(name))
        elif (
            node.type == "identifier"
            and node.parent is not None
            and node.parent.type in ("import_clause", "namespace_import")
        ):
            found.add(source.text(node))
    return found


def _thinned(source: JavaScriptSource, statement: tree_sitter.Node, gone: set[str]) -> list[Splice]:
    braces = next((n for n in walk(statement) if n.type == "named_imports"), None)
    if braces is None or any(n.type == "comment" for n in walk(braces)):
        return []
    kept = []
    for node in braces.named_children:
        name = node.child_by_field_name("alias") or node.child_by_field_name("name")
        if name is None or source.text(name) not in gone:
            kept.append(source.text(node))
    if not kept:
        return []
    text = f"{{ {', '.join(kept)} }}"
    length = len(source.text(statement)) - len(source.text(braces)) + len(text)
    if length > 80 and "\n" in source.text(braces):
        ending = newline(source.data)
        text = "{" + ending + "".join(f"  {name},{ending}" for name in kept) + "}"
    return [Splice(braces.start_byte, braces.end_byte, text, REASON)]
