"""What the files of a NestJS or Express project must become so that the app uses the targets."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from wizard.frameworks.app_folder import AppFolder, app_folder
from wizard.frameworks.base import Change
from wizard.frameworks.django.change_platform import RUNS_NODE, change_example, change_render
from wizard.frameworks.folders import BUILT, NEVER_OWN
from wizard.frameworks.nestjs import change_helper
from wizard.frameworks.nestjs.change_disk import change_disk
from wizard.frameworks.nestjs.change_idioms import Finder, Uses
from wizard.frameworks.nestjs.change_imports import import_splices
from wizard.frameworks.nestjs.change_packages import change_packages
from wizard.frameworks.nestjs.change_places import (
    Place,
    Reader,
    constant_names,
    inside,
    root_expression,
    uploads_folder,
)
from wizard.frameworks.nestjs.change_roots import candidates
from wizard.frameworks.nestjs.change_serving import Mount, serving, start_up
from wizard.model import Edit, Framework, Instruction, Need, Project, Splice
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.javascript_source import SUFFIXES, JavaScriptSource, splices_check

_MAX_FILES, _MAX_BYTES = 4000, 400_000
_HINTS = (
    b"multer",
    b"Interceptor",
    b"fs",
    b"sendFile",
    b"download",
    b"static",
    b"Static",
    b"UPLOAD",
    b"NestFactory",
)


def change(project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
    """The edits and instructions for `needs`; reads only. On files already changed there are none."""
    app = app_folder(project.root, framework)
    first = app.at("package.json")
    storages = [n for n in dict.fromkeys(needs) if n.kind == "storage"]
    chosen = next((n for n in storages if n.backend in ("s3", "disk")), None)
    instructions = [_unknown(first, n) for n in storages if n != chosen]
    edits: list[Edit] = []
    files = dict(_files(app))
    if chosen is not None:
        root = uploads_folder(candidates(files), _known(project, app))
        if root is None:
            instructions += _unseen(app, files, chosen) or [_nowhere(first, chosen)]
        elif chosen.backend == "disk":
            instructions += change_disk(app, files, root, chosen)
        else:
            more = _code(app, files, root, chosen)
            edits += more.edits
            instructions += more.instructions
    kept = tuple(n for n in needs if n == chosen or n.kind == "database")
    if kept:
        for made, manual in (change_render(app, kept, RUNS_NODE), change_example(app, kept)):
            edits += made
            instructions += manual
    return Change(tuple(edits), tuple(instructions))


_NOWHERE = "No folder that the app writes uploads to was found in the code."


def _nowhere(file: str, need: Need) -> Instruction:
    text = "Let the app use the variables:\n" + "".join(f"{v.name}\n" for v in need.variables)
    return Instruction(file, 1, _NOWHERE, text)


def _unseen(app: AppFolder, files: dict[str, Reader], need: Need) -> list[Instruction]:
    """Where multer writes to a folder that cannot be read from the code."""
    result = []
    for path, reader in files.items():
        for node in reader.source.nodes("call_expression"):
            called = node.child_by_field_name("function")
            if called is not None and reader.source.text(called).rpartition(".")[2] == "diskStorage":
                told = _nowhere(app.at(path), need)
                result.append(Instruction(told.file, node.start_point.row + 1, told.why, told.text))
    return result


def _unknown(file: str, need: Need) -> Instruction:
    names = "".join(f"{variable.name}\n" for variable in need.variables)
    why = (
        f"ashore does not know how to make this app keep files in {need.backend}, or in more than one place."
    )
    return Instruction(file, 1, why, f"The variables to read:\n{names}")


def _known(project: Project, app: AppFolder) -> tuple[str, ...]:
    """The uploads folders of the scan, relative to the app's folder."""
    paths = [s.path for s in project.stores if s.kind == "uploads"]
    return tuple(posixpath.relpath(p, app.folder or ".") if not p.startswith("/") else p for p in paths)


def _files(app: AppFolder) -> Iterator[tuple[str, Reader]]:
    """Every file of code that may touch files, by its path in the app. What does not parse is left out: it is
    told of where the app is changed."""
    seen = 0
    base = app.root / (app.folder or ".")
    for where, folders, names in os.walk(base):
        folders[:] = sorted(f for f in folders if f not in NEVER_OWN | BUILT and not f.startswith("."))
        for name in sorted(names):
            language = SUFFIXES.get(posixpath.splitext(name)[1])
            if language is None or name.endswith((".d.ts", ".min.js", ".spec.ts", ".test.ts", ".test.js")):
                continue
            seen += 1
            if seen > _MAX_FILES:
                return
            path = posixpath.relpath(posixpath.join(where.replace(os.sep, "/"), name), base.as_posix())
            if (base / path).stat().st_size > _MAX_BYTES:
                continue
            data = app.read(app.at(path)) or b""
            if any(hint in data for hint in _HINTS):
                try:
                    yield path, Reader(JavaScriptSource(data, language), path)
                except NotUnderstood:
                    continue


def _code(app: AppFolder, files: dict[str, Reader], root: Place, need: Need) -> Change:
    """The edits of the app's code: the generated module, the files that use it, package.json."""
    typed = any(path.endswith((".ts", ".tsx")) for path in files)
    folder = "src" if any(path.startswith("src/") for path in files) else ""
    helper = posixpath.join(folder, f"{change_helper.NAME}.{'ts' if typed else 'js'}")
    names = constant_names(files, root)
    instructions: list[Instruction] = []
    found: dict[str, Uses] = {}
    mounts: list[Mount] = []
    for path, reader in files.items():
        if path == helper:
            continue
        uses = Finder(app.at(path), reader, root, names, reader.source.imported()).find()
        if b"serveUploads" not in reader.source.data:
            mounts += serving(app.at(path), reader, root, uses)
        found[path] = uses
    instructions += _mount(app, files, found, mounts)
    functions = frozenset(f for uses in found.values() for f in uses.functions)
    instructions += [i for uses in found.values() for i in uses.unknown]
    instructions += _elsewhere(app, files, root)
    if not functions:
        return Change((), tuple(instructions))
    edits: list[Edit] = []
    try:
        edits.append(_helper(app, files, helper, root, need, functions))
        for path, uses in found.items():
            if uses.functions:
                edits.append(_edit(app, path, files[path], uses, helper))
        packages, manual = change_packages(app, change_helper.packages(need, functions), functions, typed)
        edits += packages
        instructions += manual
    except NotUnderstood as error:
        return Change((), (*instructions, error.instruction(app.at(helper), "")))
    return Change(tuple(edits), tuple(instructions))


def _helper(
    app: AppFolder, files: dict[str, Reader], path: str, root: Place, need: Need, functions: frozenset[str]
) -> Edit:
    sources = [files[p].source for p in files]
    modules = sum(s.modules for s in sources) * 2 >= len(sources)
    style = "ts" if path.endswith(".ts") else "esm" if modules else "commonjs"
    double = sum(s.quote == '"' for s in sources) * 2 > len(sources)
    ends = sum(s.semicolons for s in sources) * 2 >= len(sources)
    text = change_helper.helper_text(
        change_helper.Helper(
            need, root_expression(root, path, style), functions, style, '"' if double else "'", ends
        )
    )
    if app.read(app.at(path)) is not None:
        raise NotUnderstood(f"{path} exists already; the module that ashore writes needs that name.")
    language = "ts" if style == "ts" else "js"
    JavaScriptSource(text.encode(), language)
    data = app.at(path)
    return assemble(
        data, None, [Splice(0, 0, text, "stands between the app and the bucket")], lambda _, __: None
    )


def _edit(app: AppFolder, path: str, reader: Reader, uses: Uses, helper: str) -> Edit:
    source = reader.source
    module = posixpath.relpath(posixpath.splitext(helper)[0], posixpath.dirname(path) or ".")
    module = module if module.startswith(".") else f"./{module}"
    own = [m for m, _ in source.imported().values() if m.startswith(".")]
    if any(m.endswith((".js", ".ts")) for m in own) or path.endswith((".mjs", ".mts")):
        module += ".js"
    splices = [*uses.splices, *import_splices(source, uses, module)]
    ordered = tuple(sorted(splices, key=lambda s: (s.start, s.end)))
    return assemble(app.at(path), source.data, ordered, splices_check(source.language, ordered))


def _mount(
    app: AppFolder, files: dict[str, Reader], found: dict[str, Uses], mounts: list[Mount]
) -> list[Instruction]:
    """The redirects of what ServeStaticModule shows, in the file that starts the app."""
    if not mounts or any(b"serveUploads" in r.source.data for r in files.values()):
        return []
    for path in ("src/main.ts", "main.ts", *files):
        starts = path in files and b"NestFactory" in files[path].source.data
        if starts and start_up(app.at(path), files[path], mounts, found[path]):
            return []
    text = "".join(f"app.use('{m.address}', serveUploads());\n" for m in mounts)
    why = "Uploads are shown by ServeStaticModule; the redirect must come before app.listen."
    return [Instruction(mounts[0].file, mounts[0].line, why, text)]


def _elsewhere(app: AppFolder, files: dict[str, Reader], root: Place) -> list[Instruction]:
    """Other folders that multer writes to: they stay on the disk."""
    found: dict[str, Instruction] = {}
    for place in candidates(files, written=True):
        if not inside(place, root) and place.path not in ("", "."):
            why = f"Uploads are also written to {place.path}, outside of {root.path}: they stay on the disk."
            found.setdefault(place.path, Instruction(app.at("package.json"), 1, why, f"{place.path}\n"))
    return list(found.values())
