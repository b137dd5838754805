"""`sqlite3.connect` becomes the connect of the generated package; what that cannot stand in for is listed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import tree_sitter

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.flask.layout import Code, Home, paths
from wizard.frameworks.flask.raw import listing, package
from wizard.frameworks.flask.work import Work
from wizard.model import Instruction, Project, Splice
from wizard.patchers.base import line_of
from wizard.patchers.python_source import PythonSource, walk

REASON = "the database is PostgreSQL where DATABASE_URL is set, else the SQLite file as before"
_MEMORY = re.compile(r"""[rbu]?["'](?::memory:)?["']""")
_OTHER_API = frozenset(
    ("create_function", "create_aggregate", "create_collation", "create_window_function",
     "iterdump", "register_adapter", "register_converter", "enable_load_extension", "load_extension",
     "set_trace_callback", "set_authorizer", "set_progress_handler", "blobopen", "enable_callback_tracebacks")
)  # fmt: skip
_ON_FILE = re.compile(
    r"os\.(?:remove|unlink|rename|replace|stat|path\.getsize|path\.getmtime)|shutil\.\w+|send_file|open"
)


def change_database(project: Project, app: AppFolder, code: Code, work: Work) -> None:
    """Gather the change for the SQLite database of the project."""
    users = {path: source for path, source in code.sources.items() if speaks_sqlite(source)}
    others = [
        Instruction(path, 1, "SQLAlchemy or aiosqlite opens a database here.", "")
        for path, source in code.sources.items()
        if re.search(rb"sqlite:///|import aiosqlite", source.data)
    ]
    work.instructions += others
    stores = [s.path for s in project.stores if s.kind == "sqlite"]
    moving = frozenset(posixpath.basename(path) for path in stores[:1])
    module = package.NAME
    expressions = opened(code)
    for path, source in users.items():
        change, instructions = change_file(path, source, module, moving, expressions)
        work.instructions += instructions
        if change.splices or change.in_place:
            work.splices.setdefault(path, []).extend(change.splices)
            work.in_place.setdefault(path, []).extend(change.in_place)
            if change.in_place:
                work.renamed.setdefault(path, set()).add(module)
            if change.imports:
                work.imports.setdefault(path, set()).add(module)
            work.driver = True
    if not work.driver:
        return
    for name, text in package.files().items():
        work.made[name] = text
        work.reasons[name] = REASON
    found = {path: list(listing.statements(source)) for path, source in code.sources.items()}
    for path in paths(app, ".sql"):
        found[path] = listing.script(app.read(path) or b"")
    database = project.root / stores[0] if stores else None
    catalog = listing.catalog_of(database, [text for each in found.values() for _, text in each])
    for path, each in found.items():
        work.instructions += listing.listed(path, each, catalog)


@dataclass
class FileChange:
    """What becomes of one file: `splices`, and whether it must import the package."""

    splices: list[Splice] = field(default_factory=list)
    in_place: list[Splice] = field(default_factory=list)
    imports: bool = False


def speaks_sqlite(source: PythonSource) -> bool:
    """Whether the file imports sqlite3."""
    return any(True for _ in _imported(source))


def change_file(
    path: str, source: PythonSource, module: str, databases: frozenset[str], opened: frozenset[str]
) -> tuple[FileChange, list[Instruction]]:
    """The change of one file. `databases` are the names of the files that move (empty: any); `opened` are the
    expressions that the project opens as its database."""
    change, listed = FileChange(), list[Instruction]()
    names: dict[str, tree_sitter.Node] = {}
    replaced = 0
    for statement, part in _imported(source):
        if statement.type == "import_statement":
            alias = part.child_by_field_name("alias")
            names[source.text(alias) if alias is not None else source.text(part)] = part
        elif source.text(part.child_by_field_name("name") or part) == "dbapi2":
            names[source.text(part.child_by_field_name("alias") or part)] = part
        elif source.text(part) == "connect":
            alone = len(statement.children_by_field_name("name")) == 1
            origin = statement.child_by_field_name("module_name")
            if alone and origin is not None:
                change.in_place.append(Splice(origin.start_byte, origin.end_byte, module, REASON))
            else:
                listed.append(_say(path, source, statement, "connect must come from the new package here."))
        elif source.text(part) == "*" or "connect" in source.text(part):
            listed.append(_say(path, source, statement, "connect must come from the new package here."))
    uses = 0
    for node in walk(source.root):
        if node.type == "attribute":
            owner, attribute = node.child_by_field_name("object"), node.child_by_field_name("attribute")
            if owner is None or attribute is None:
                continue
            word = source.text(attribute)
            if source.text(owner) in names and owner.type == "identifier":
                call = node.parent if node.parent is not None and node.parent.type == "call" else None
                if word == "connect" and call is not None and _moves(source, call, databases):
                    change.splices.append(Splice(node.start_byte, node.end_byte, f"{module}.connect", REASON))
                    replaced += 1
                    continue
                uses += 1
            if word in _OTHER_API and names:
                listed.append(
                    _say(path, source, node, f"{word} works on SQLite only; {module} has no counterpart.")
                )
        elif node.type == "call":
            replaced += _file_call(path, source, module, opened, node, change, listed)
    if replaced:
        _imports(source, names, uses, module, change)
    return change, listed


def _imports(
    source: PythonSource, names: dict[str, tree_sitter.Node], uses: int, module: str, change: FileChange
) -> None:
    """The package takes sqlite3's place in the import where nothing else of it is used."""
    top = [n for n in names.values() if n.parent is not None and n.parent.parent == source.root]
    plain = len(top) == 1 and top[0].parent is not None and top[0].parent.type == "import_statement"
    if uses == 0 and len(names) == 1 and plain and "sqlite3" not in _other_texts(source, names):
        part = top[0]
        change.in_place.append(Splice(part.start_byte, part.end_byte, module, REASON))
    else:
        change.imports = True


def _other_texts(source: PythonSource, names: dict[str, tree_sitter.Node]) -> set[str]:
    """{"sqlite3"} where an imported name stands alone: passed on, or in an annotation."""
    return {
        "sqlite3"
        for node in walk(source.root)
        if node.type == "identifier"
        and source.text(node) in names
        and node.parent is not None
        and node.parent.type not in ("attribute", "dotted_name", "aliased_import")
    }


def opened(code: Code) -> frozenset[str]:
    """The expressions that the project gives to sqlite3.connect, and the names that hold the same string."""
    found: set[str] = set()
    for source in code.sources.values():
        names = {source.text(p.child_by_field_name("alias") or p) for s, p in _imported(source)}
        for node in walk(source.root):
            if node.type != "call":
                continue
            called = node.child_by_field_name("function")
            if called is not None and source.text(called) in {f"{n}.connect" for n in names} | (
                {"connect"} & names
            ):
                first = _first(node)
                if first is not None and not _MEMORY.fullmatch(source.text(first)):
                    text = _bare(source.text(first))
                    found.add(text)
    return frozenset(found)


def _bare(text: str) -> str:
    match = re.fullmatch(r"str\((.*)\)", text)
    return re.sub(r"\s+", "", match[1] if match else text).replace("'", '"')


def _file_call(
    path: str,
    source: PythonSource,
    module: str,
    opened: frozenset[str],
    node: tree_sitter.Node,
    change: FileChange,
    listed: list[Instruction],
) -> int:
    """A call about the database's file: whether it exists is asked of the package, the rest is listed."""
    called, first = node.child_by_field_name("function"), _first(node)
    if called is None:
        return 0
    name = source.text(called)
    if first is not None and _bare(source.text(first)) in opened:
        if name in ("os.path.exists", "os.path.isfile"):
            change.splices.append(Splice(called.start_byte, called.end_byte, f"{module}.exists", REASON))
            return 1
        if _ON_FILE.fullmatch(name):
            listed.append(
                _say(path, source, node, "This works on the database's file, which PostgreSQL has not.")
            )
    owner = called.child_by_field_name("object") if called.type == "attribute" else None
    if owner is not None and name.endswith((".exists", ".is_file")) and first is None:
        inner = _first(owner) if owner.type == "call" else None
        text = source.text(inner if inner is not None and source.text(owner).startswith("Path(") else owner)
        if _bare(text) in opened:
            change.splices.append(Splice(node.start_byte, node.end_byte, f"{module}.exists({text})", REASON))
            return 1
    return 0


def _moves(source: PythonSource, call: tree_sitter.Node, databases: frozenset[str]) -> bool:
    """Whether the database that is opened is the one that moves: by its name where it is written there."""
    first = _first(call)
    if first is None or _MEMORY.fullmatch(source.text(first)):
        return False
    if not databases:
        return True
    written = [posixpath.basename(t) for t in source.strings(first)]
    named = [t for t in written if re.search(r"\.(?:db|db3|sqlite3?|s3db)$", t)]
    return not named or bool(set(named) & databases)


def _first(call: tree_sitter.Node) -> tree_sitter.Node | None:
    listed = call.child_by_field_name("arguments")
    found = [a for a in listed.children if a.is_named and a.type != "comment"] if listed is not None else []
    if found and found[0].type == "keyword_argument":
        return found[0].child_by_field_name("value")
    return found[0] if found else None


def _imported(source: PythonSource) -> Iterable[tuple[tree_sitter.Node, tree_sitter.Node]]:
    """(statement, name) of all that is imported from sqlite3."""
    for node in walk(source.root):
        if node.type == "import_statement":
            for part in node.children_by_field_name("name"):
                inner = part.child_by_field_name("name") if part.type == "aliased_import" else part
                if inner is not None and source.text(inner) == "sqlite3":
                    yield node, part
        elif node.type == "import_from_statement":
            origin = node.child_by_field_name("module_name")
            if origin is not None and source.text(origin) == "sqlite3":
                for part in node.children_by_field_name("name"):
                    yield node, part
                for part in node.children:
                    if part.type == "wildcard_import":
                        yield node, part


def import_splices(source: PythonSource, home: Home, path: str, modules: list[str]) -> list[Splice]:
    """The imports of generated modules, among those at the head of the file."""
    wanted = [home.statement(path, module) for module in modules]
    return source.add_imports(
        wanted, len(source.data), lambda n: n in (*modules, "") or home.app.own(n), REASON
    )


def _say(path: str, source: PythonSource, node: tree_sitter.Node, why: str) -> Instruction:
    start = source.data.rfind(b"\n", 0, node.start_byte) + 1
    end = source.data.find(b"\n", node.end_byte)
    text = source.data[start : end if end >= 0 else len(source.data)].decode("utf-8", "replace")
    return Instruction(path, line_of(source.data, node.start_byte), why, text.replace("\r", "") + "\n")
