"""The uploads folder of a Flask app: its calls go through the generated module."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath

import tree_sitter

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.flask.layout import Code, Home, home
from wizard.frameworks.flask.work import Work
from wizard.frameworks.python_uploads import idioms
from wizard.frameworks.python_uploads.helper import Helper, helper_text
from wizard.frameworks.python_uploads.taint import Taint
from wizard.model import Instruction, Need, Project, Splice
from wizard.patchers.base import lines_after
from wizard.patchers.python_source import PythonSource, walk

NAMES = ("uploads", "upload_store", "upload_files")
BEGINNING = b'"""Uploaded files: in a bucket when '


def change_uploads(project: Project, app: AppFolder, code: Code, need: Need, work: Work) -> None:
    """Gather the change for the project's uploads folder."""
    folders = [s.path for s in project.stores if s.kind == "uploads"]
    own = [f for f in folders if PurePosixPath(f).is_absolute() or _below(f, app.folder)] or _declared(
        app, code
    )
    if not own:
        return
    folder = own[0]
    for other in own[1:]:
        why = f"Uploads lie in {other}, too; only {folder} is read from the bucket by the edits."
        work.instructions.append(
            Instruction(next(iter(code.sources), app.at("app.py")), 1, why, f"{other}\n")
        )
    module = next(
        n for n in NAMES if app.read(app.at(f"{n}.py")) is None and not (app.root / app.at(n)).exists()
    )
    known = [n for n in NAMES if (app.read(app.at(f"{n}.py")) or b"").startswith(BEGINNING)]
    module = known[0] if known else module
    taint = Taint(code.sources, folder)
    functions: set[str] = set()
    for path, source in code.sources.items():
        uses = idioms.find(path, source, taint, module)
        work.instructions += uses.unknown
        if uses.splices:
            work.splices.setdefault(path, []).extend(uses.splices)
            work.imports.setdefault(path, set()).add(module)
            functions |= uses.functions
    static = _static(app, folder)
    if static:
        _serve(code, module, static, functions, work)
    if not functions:
        return
    users = sorted({*work.imports, *work.splices})
    place = home(app, code, users)
    helper = Helper(need, _root(place, folder), frozenset(functions), static)
    work.made[f"{module}.py"] = helper_text(helper)
    work.reasons[f"{module}.py"] = idioms.REASON
    work.boto = True


def _declared(app: AppFolder, code: Code) -> list[str]:
    """The folder that the code itself calls its uploads folder (`UPLOAD_FOLDER = …`), where there is one."""
    for source in code.sources.values():
        for node in walk(source.root):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if (
                node.type != "assignment"
                or left is None
                or right is None
                or "UPLOAD" not in source.text(left)
            ):
                continue
            written = posixpath.normpath("/".join(source.strings(right)) or ".")
            if (
                written != "."
                and not written.startswith(("..", "/"))
                and (app.root / app.at(written)).is_dir()
            ):
                return [app.at(written)]
    return []


def _below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(folder + "/")


def _root(place: Home, folder: str) -> tuple[str, ...]:
    """The folder seen from the module's own."""
    if PurePosixPath(folder).is_absolute():
        return (folder,)
    return tuple(posixpath.relpath(folder, place.folder or ".").split("/"))


def _static(app: AppFolder, folder: str) -> str:
    """Where Flask's static route shows the folder, "" where it does not."""
    pieces = folder.split("/")
    return "/" + "/".join(pieces[pieces.index("static") :]) if "static" in pieces[:-1] else ""


def _serve(code: Code, module: str, static: str, functions: set[str], work: Work) -> None:
    """Below every `app = Flask(…)` the files' old addresses are served from the bucket."""
    for path, source in code.sources.items():
        for node in walk(source.root):
            found = _app_name(source, node)
            if found is None or f"{module}.serve_static(".encode() in source.data:
                continue
            name, call = found
            text = source.text(call)
            if "static_url_path" in text or "static_folder" in text:
                why = f"Flask's static folder is set here: serve {static}/ from the bucket, too."
                line = call.start_point.row + 1
                work.instructions.append(Instruction(path, line, why, f"{module}.serve_static({name})\n"))
                continue
            start = source.data.rfind(b"\n", 0, node.start_byte) + 1
            lead = source.data[start : node.start_byte].decode("utf-8", "replace")
            if lead.strip():
                continue
            splice = lines_after(
                source.data, node.end_byte, [f"{lead}{module}.serve_static({name})"], idioms.REASON
            )
            work.splices.setdefault(path, []).append(
                Splice(splice.start, splice.end, splice.text, splice.reason)
            )
            work.imports.setdefault(path, set()).add(module)
            functions.add("serve_static")


def _app_name(source: PythonSource, node: tree_sitter.Node) -> tuple[str, tree_sitter.Node] | None:
    """(name, call) of the statement `name = Flask(…)`."""
    if node.type != "expression_statement" or not node.children or node.children[0].type != "assignment":
        return None
    left = node.children[0].child_by_field_name("left")
    right = node.children[0].child_by_field_name("right")
    if left is None or right is None or left.type != "identifier" or right.type != "call":
        return None
    called = right.child_by_field_name("function")
    if called is None or source.text(called) not in ("Flask", "flask.Flask"):
        return None
    return source.text(left), right
