"""What the files of a FastAPI project must become so that the app uses the targets."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping

from wizard.frameworks.app_folder import AppFolder, app_folder
from wizard.frameworks.base import Change
from wizard.frameworks.django.change_packages import add_packages, manifests
from wizard.frameworks.django.change_platform import change_example, change_render
from wizard.frameworks.fastapi.change_code import edit_file, new_module
from wizard.frameworks.fastapi.change_helper import NAME, Helper, helper_text
from wizard.frameworks.fastapi.change_idioms import Finder, Uses
from wizard.frameworks.fastapi.change_places import UPLOADS, Place, Reader, root_expression, uploads_folder
from wizard.frameworks.folders import BUILT, NEVER_OWN, is_environment
from wizard.model import Edit, Framework, Instruction, Need, Project
from wizard.patchers.base import NotUnderstood
from wizard.patchers.python_source import PythonSource, walk
from wizard.patchers.requirements import Requirement

_MAX_FILES, _MAX_BYTES = 4000, 400_000


def change(project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
    """The edits and instructions for `needs`; reads only. On files already changed there are none."""
    app = app_folder(project.root, framework)
    first = app.at("requirements.txt")
    storages = [n for n in dict.fromkeys(needs) if n.kind == "storage"]
    chosen = next((n for n in storages if n.backend in ("s3", "disk")), None)
    instructions = [_unknown(first, n) for n in storages if n != chosen]
    edits: list[Edit] = []
    if chosen is not None:
        files = dict(_files(app))
        reader = Reader(files)
        known = tuple(
            s.path if s.path.startswith("/") else posixpath.relpath(s.path, app.folder or ".")
            for s in project.stores
            if s.kind == "uploads"
        )
        root = uploads_folder(_candidates(reader), known)
        if root is None:
            instructions += _unseen(app, reader, chosen) or [_nowhere(first, chosen)]
        elif chosen.backend == "disk":
            instructions += _disk(app, reader, root, chosen)
        else:
            more = _code(app, reader, root, chosen)
            edits += more.edits
            instructions += more.instructions
    kept = tuple(n for n in needs if n == chosen or n.kind == "database")
    if kept:
        for made, manual in (change_render(app, kept), change_example(app, kept)):
            edits += made
            instructions += manual
    return Change(tuple(edits), tuple(instructions))


_NOWHERE = "No folder that the app writes uploads to was found in the code."


def _nowhere(file: str, need: Need) -> Instruction:
    text = "Let the app use the variables:\n" + "".join(f"{v.name}\n" for v in need.variables)
    return Instruction(file, 1, _NOWHERE, text)


def _unseen(app: AppFolder, reader: Reader, need: Need) -> list[Instruction]:
    """Where a file that takes uploads writes to a place that cannot be read from the code."""
    result = []
    for path, source in reader.files.items():
        for node in walk(source.root) if b"UploadFile" in source.data else ():
            text = source.text(node) if node.type == "call" else ""
            opens = re.match(r"(?:aiofiles\.)?open\(", text) and re.search(r"['\"][wx]b?\+?['\"]", text)
            if opens or re.match(r"[\w.()/ ]+\.write_bytes\(", text):
                told = _nowhere(app.at(path), need)
                result.append(Instruction(told.file, node.start_point.row + 1, told.why, told.text))
    return result


def _unknown(file: str, need: Need) -> Instruction:
    names = "".join(f"{variable.name}\n" for variable in need.variables)
    why = f"ashore does not know how to make this app keep files in {need.backend}, or in several places."
    return Instruction(file, 1, why, f"The variables to read:\n{names}")


def _files(app: AppFolder) -> Iterator[tuple[str, PythonSource]]:
    """Every Python file of the app, by its path in the app; tests and what does not parse are left out."""
    seen = 0
    base = app.root / (app.folder or ".")
    for where, folders, names in os.walk(base):
        folders[:] = sorted(
            f
            for f in folders
            if f not in NEVER_OWN | BUILT
            and not f.startswith(".")
            and f not in ("tests", "test", "migrations", "alembic")
            and not is_environment(posixpath.join(where, f))
        )
        for name in sorted(n for n in names if n.endswith(".py")):
            path = posixpath.relpath(posixpath.join(where.replace(os.sep, "/"), name), base.as_posix())
            seen += 1
            if seen > _MAX_FILES or (base / path).stat().st_size > _MAX_BYTES:
                continue
            try:
                yield path, PythonSource(app.read(app.at(path)) or b"")
            except NotUnderstood:
                continue


def _candidates(reader: Reader) -> list[Place]:
    """The folders that the code writes uploads to or shows, then those that are named so."""
    first: list[Place] = []
    second: list[Place] = []
    for path, source in reader.files.items():
        for node in walk(source.root):
            if node.type == "call":
                name = source.text(node.children[0])
                listed = node.child_by_field_name("arguments")
                if listed is None or not re.search(
                    r"StaticFiles$|^open$|^aiofiles\.open$|makedirs$|mkdir$", name
                ):
                    continue
                given = [a.child_by_field_name("value") or a for a in listed.named_children]
                target = node.children[0].child_by_field_name("object") if name.endswith(".mkdir") else None
                wanted = target if target is not None and name != "os.mkdir" else next(iter(given), None)
                place = reader.place(path, wanted)
                if place is not None and UPLOADS.search(f"{place.path}{place.env}"):
                    first.append(place)
            elif node.type == "assignment":
                left = node.child_by_field_name("left")
                if left is not None and re.search("upload|media|attach", source.text(left), re.I):
                    place = reader.place(path, left)
                    if place is not None and place.path not in ("", "."):
                        second.append(place)
    return first + second


def _disk(app: AppFolder, reader: Reader, root: Place, need: Need) -> list[Instruction]:
    """Nothing where the app reads the disk's variable; else where the folder is written down."""
    variable = need.variable("path") or "UPLOAD_PATH"
    if root.env == variable:
        return []
    if root.env:
        why = f"The app reads the folder from {root.env}: set it to what {variable} says, on the disk."
        return [Instruction(app.at("requirements.txt"), 1, why, f"{root.env}\n")]
    result = []
    for path, source in reader.files.items():
        for node in walk(source.root):
            if node.type == "string" and reader.place(path, node) == Place(root.path):
                why = f"The folder of uploads is written here; on the disk, {variable} says where it is."
                text = f'os.environ.get("{variable}", "{root.path}")\n'
                result.append(Instruction(app.at(path), node.start_point.row + 1, why, text))
    return result


def _code(app: AppFolder, reader: Reader, root: Place, need: Need) -> Change:
    """The edits of the app's code: the generated module, the files that use it, the requirements."""
    helper = _helper_path(reader.files)
    found: dict[str, Uses] = {}
    for path in reader.files:
        if path != helper:
            found[path] = Finder(path, app.at(path), reader, root, NAME).find()
    instructions = [i for uses in found.values() for i in uses.unknown]
    functions = frozenset(f for uses in found.values() for f in uses.functions)
    if not functions:
        return Change((), tuple(instructions))
    try:
        text = helper_text(Helper(need, root_expression(root, helper), functions))
        edits = [new_module(app, helper, text)]
        package = posixpath.dirname(helper).replace("/", ".")
        for path, uses in found.items():
            if uses.functions:
                edits.append(edit_file(app, path, reader.files[path], uses, package))
    except NotUnderstood as error:
        return Change((), (*instructions, error.instruction(app.at(helper), "")))
    wanted = [Requirement("boto3", bound="1.36")]
    if "open_async" in functions:
        wanted.append(Requirement("aiofiles"))
    listed, unreadable = manifests(app, "fastapi")
    instructions += unreadable
    if not listed:
        lines = "".join(f"{w.line(False)}\n" for w in wanted)
        why = "No requirements.txt, pyproject.toml or Pipfile was found that lists the app's packages."
        instructions.append(Instruction(app.at("requirements.txt"), 1, why, lines))
    for manifest in listed:
        missing = [w for w in wanted if w.name not in manifest.packages]
        made, manual = add_packages(app, manifest, missing, "fastapi")
        edits += made
        instructions += manual
    return Change(tuple(edits), tuple(instructions))


def _helper_path(files: Mapping[str, PythonSource]) -> str:
    """Beside the file that makes the app."""
    making = [p for p, s in files.items() if re.search(rb"=\s*FastAPI\(", s.data)]
    best = min(making, key=lambda p: (p.count("/"), p), default="main.py")
    return posixpath.join(posixpath.dirname(best), f"{NAME}.py")
