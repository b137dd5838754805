"""Where a Node app shows the uploads folder at addresses: redirects put before what serves the disk."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

import tree_sitter

from wizard.frameworks.nestjs.change_idioms import REASON, Uses
from wizard.frameworks.nestjs.change_places import Place, Reader, inside
from wizard.model import Instruction, Splice
from wizard.patchers.base import line_of, line_start, newline

_MODULE = "ServeStaticModule.forRoot"


@dataclass(frozen=True, slots=True)
class Mount:
    """An address below which uploads are shown by ServeStaticModule; `line` is where it says so."""

    address: str
    file: str
    line: int


def serving(path: str, reader: Reader, root: Place, uses: Uses) -> list[Mount]:
    """Put the redirects of `express.static` and `useStaticAssets` into `uses`; what ServeStaticModule shows
    is returned, for the file that starts the app."""
    mounts: list[Mount] = []
    for node in reader.source.nodes("call_expression"):
        called, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if called is None or listed is None:
            continue
        name = reader.source.text(called)
        given = [a for a in listed.named_children if a.type != "comment"]
        if name.endswith(".useStaticAssets") and given:
            _assets(path, reader, root, node, given, uses)
        elif name in ("express.static", "serveStatic") and given:
            _static(path, reader, root, node, given, uses)
        elif name == _MODULE:
            for options in (g for g in given if g.type == "object"):
                mounts += _module(path, reader, root, options, uses)
    return mounts


def start_up(path: str, reader: Reader, mounts: list[Mount], uses: Uses) -> bool:
    """Put the redirects of `mounts` before `app.listen` in the file that starts the app."""
    for node in reader.source.nodes("call_expression"):
        called = node.child_by_field_name("function")
        if called is None or not reader.source.text(called).endswith(".listen"):
            continue
        target = called.child_by_field_name("object")
        if target is not None and target.type == "identifier":
            app = reader.source.text(target)
            lines = [f"{app}.use('{m.address}', serveUploads())" for m in mounts]
            _above(reader, node, lines, uses)
            return True
    return False


def _assets(
    path: str, reader: Reader, root: Place, node: tree_sitter.Node, given: list[tree_sitter.Node], uses: Uses
) -> None:
    place = reader.place(given[0])
    options = given[1] if len(given) > 1 else None
    prefix = _option(reader, options, "prefix") if options is not None else ""
    target = node.child_by_field_name("function")
    app = target.child_by_field_name("object") if target is not None else None
    line = _line(reader, root, place, given[0], prefix)
    if line is None or app is None:
        if place is not None and _about(place, root):
            _manual(path, reader, node, uses)
        return
    _above(reader, node, [f"{reader.source.text(app)}.{line}"], uses)


def _static(
    path: str, reader: Reader, root: Place, node: tree_sitter.Node, given: list[tree_sitter.Node], uses: Uses
) -> None:
    place = reader.place(given[0])
    if place is None or not _about(place, root):
        return
    listed = node.parent
    call = listed.parent if listed is not None else None
    called = call.child_by_field_name("function") if call is not None else None
    if listed is None or call is None or called is None or not reader.source.text(called).endswith(".use"):
        _manual(path, reader, node, uses)
        return
    outer = [a for a in listed.named_children if a.type != "comment"]
    addressed = len(outer) > 1 and outer[0].type in ("string", "template_string")
    if inside(place, root) and addressed:
        text = f"serveUploads({_folder(reader, root, place, given[0])}), "
        uses.splices.append(Splice(node.start_byte, node.start_byte, text, REASON))
        uses.functions.add("serveUploads")
        return
    prefix = reader.source.text(outer[0])[1:-1] if addressed else ""
    target = called.child_by_field_name("object")
    line = _line(reader, root, place, given[0], prefix)
    if line is None or target is None:
        _manual(path, reader, node, uses)
        return
    _above(reader, call, [f"{reader.source.text(target)}.{line}"], uses)


def _module(path: str, reader: Reader, root: Place, options: tree_sitter.Node, uses: Uses) -> list[Mount]:
    value = next((p.named_children[-1] for p in _pairs(options) if _key(reader, p) == "rootPath"), None)
    place = reader.place(value)
    if place is None or not _about(place, root):
        return []
    prefix = _option(reader, options, "serveRoot")
    line = options.start_point.row + 1
    if prefix is not None and inside(place, root) and place.path == root.path and prefix.strip("/"):
        return [Mount(prefix.rstrip("/"), path, line)]
    if prefix is not None and not inside(place, root):
        address = posixpath.join("/", prefix, posixpath.relpath(root.path, place.path))
        return [Mount(address, path, line)]
    _manual(path, reader, options, uses)
    return []


def _line(
    reader: Reader, root: Place, place: Place | None, expression: tree_sitter.Node, prefix: str | None
) -> str | None:
    """`use('/uploads', serveUploads())`, or None where nothing or nothing safe can be said."""
    if place is None or prefix is None or not _about(place, root):
        return None
    address = "/" + prefix.strip("/")
    if inside(place, root):
        if address == "/":
            return None
        return f"use('{address}', serveUploads({_folder(reader, root, place, expression)}))"
    address = posixpath.join(address, posixpath.relpath(root.path, place.path))
    return f"use('{address}', serveUploads())"


def _folder(reader: Reader, root: Place, place: Place, expression: tree_sitter.Node) -> str:
    return "" if place.path == root.path else reader.source.text(expression)


def _about(place: Place, root: Place) -> bool:
    """Whether what is shown lies in the uploads folder, or holds it."""
    if inside(place, root):
        return True
    parent = place.path.rstrip("/")
    return (
        bool(root.path) and (parent in ("", ".") or root.path.startswith(parent + "/")) and bool(place.path)
    )


def _above(reader: Reader, node: tree_sitter.Node, lines: list[str], uses: Uses) -> None:
    statement = node
    while statement.parent is not None and not (
        statement.type.endswith("_statement") or statement.type.endswith("_declaration")
    ):
        statement = statement.parent
    start = line_start(reader.source.data, statement.start_byte)
    lead = reader.source.data[start : statement.start_byte]
    indent = lead.decode("utf-8") if not lead.strip() else ""
    end = ";" if reader.source.semicolons else ""
    quote = reader.source.quote
    text = "".join(
        f"{line.replace(chr(39), quote)}{end}{newline(reader.source.data)}{indent}" for line in lines
    )
    if text.strip() and text.encode() not in reader.source.data:
        uses.splices.append(Splice(statement.start_byte, statement.start_byte, text, REASON))
        uses.functions.add("serveUploads")


def _pairs(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [c for c in node.named_children if c.type == "pair"]


def _key(reader: Reader, pair: tree_sitter.Node) -> str:
    return reader.source.text(pair.named_children[0]).strip("'\"")


def _option(reader: Reader, options: tree_sitter.Node, name: str) -> str | None:
    """The plain string that an option has, "" where it is missing, None where it is no plain string."""
    if options.type != "object":
        return None
    value = next((p.named_children[-1] for p in _pairs(options) if _key(reader, p) == name), None)
    if value is None:
        return ""
    text = reader.source.text(value)[1:-1]
    return text if value.type == "string" and not set(text) & set("*:?(){}") else None


def _manual(path: str, reader: Reader, node: tree_sitter.Node, uses: Uses) -> None:
    why = "Files of the uploads folder are shown here, and will lie in the bucket."
    text = "// before it, at the address of the uploads folder:\napp.use('/uploads', serveUploads());\n"
    uses.unknown.append(Instruction(path, line_of(reader.source.data, node.start_byte), why, text))
