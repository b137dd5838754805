"""Folders that apps other than Django's write uploads to, read from their code."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from wizard.frameworks.fastapi import change_places as python_places
from wizard.frameworks.nestjs import change_places as node_places
from wizard.frameworks.nestjs.change_roots import candidates
from wizard.model import Evidence, Framework
from wizard.patchers.base import NotUnderstood
from wizard.patchers.javascript_source import SUFFIXES, JavaScriptSource
from wizard.patchers.python_source import PythonSource, walk
from wizard.scan.code import PYTHON, SCRIPTS, Code

_TAKES_PYTHON = (b"UploadFile", b"request.files", b"FileStorage", b"secure_filename", b"FileField(")
_TAKES_NODE = (b"multer", b"diskStorage", b"express-fileupload", b"formidable")
_PARSED = 120
_NAMED = re.compile(r"upload|media|attach", re.I)
_OF_APP = re.compile(
    r"os\.path\.join\(\s*(?:current_)?app\.(root_path|instance_path)((?:\s*,\s*['\"][\w./-]+['\"])+)\s*\)"
)
_STATIC_ONLY = frozenset(("static", "assets", "public", "templates"))


def folders(code: Code, framework: Framework, environ: Mapping[str, str]) -> Iterator[tuple[str, Evidence]]:
    """(folder, place in the code) for each uploads folder of the app; relative to the project, or absolute.

    `environ` are variables whose value in the deployed app is known; such a value wins over the default.
    """
    base = framework.path if framework.path not in ("", ".") else ""
    finder = _python if framework.name in ("flask", "fastapi") else _node
    seen: set[str] = set()
    for path, env, place in finder(code, base):
        wanted = environ.get(env, "") if env else ""
        chosen = posixpath.normpath(wanted or path or ".")
        whole = chosen if chosen.startswith("/") else posixpath.normpath(posixpath.join(base, chosen))
        if chosen == "." or chosen.startswith("..") or whole in seen:
            continue
        if any(whole.startswith(other + "/") for other in seen):
            continue
        seen.add(whole)
        yield whole, place


def _python(code: Code, base: str) -> Iterator[tuple[str, str, Evidence]]:
    inside = base + "/" if base else ""
    takers = [s for s in code.having(PYTHON, *_TAKES_PYTHON) if s.file.startswith(inside)]
    if not takers:
        return
    wanted = {s.file: s for s in takers}
    for source in code.having(PYTHON, b"UPLOAD", b"upload", b"Settings"):
        if source.file.startswith(inside) and len(wanted) < _PARSED:
            wanted.setdefault(source.file, source)
    files: dict[str, PythonSource] = {}
    for file, source in wanted.items():
        try:
            files[file.removeprefix(inside)] = PythonSource(source.data)
        except NotUnderstood:
            continue
    reader = python_places.Reader(files)
    found: list[tuple[int, python_places.Place, Evidence]] = []
    for path, parsed in files.items():
        for rank, place, line in _written(reader, path, parsed):
            found.append((rank, place, Evidence(inside + path, line)))
    found.sort(key=lambda each: each[0])
    for _, place, evidence in found:
        root = python_places.uploads_folder([place], ())
        if root is not None and (root.path or root.env) and root.path not in _STATIC_ONLY:
            yield root.path, root.env, evidence


def _written(
    reader: python_places.Reader, path: str, source: PythonSource
) -> Iterator[tuple[int, python_places.Place, int]]:
    """(rank, place, line): what is named an uploads folder, then what is made or opened to write."""
    takes = any(hint in source.data for hint in _TAKES_PYTHON)
    for node in walk(source.root):
        line = node.start_point.row + 1
        if node.type == "assignment":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            name = source.text(left) if left is not None else ""
            if (
                right is None
                or not _NAMED.search(name)
                or re.search(r"(?i)url|max|size|ext|allow|token", name)
            ):
                continue
            of_app = _OF_APP.match(source.text(right))
            if of_app:
                parts = re.findall(r"['\"]([^'\"]+)['\"]", of_app[2])
                first = "instance" if of_app[1] == "instance_path" else posixpath.dirname(path)
                yield 0, python_places.Place(posixpath.normpath(posixpath.join(first, *parts))), line
                continue
            named = reader.place(path, left if left is not None and left.type == "identifier" else right)
            if named is None or named.path in ("", "."):
                continue
            # What is called an uploads folder is one, whatever its own name.
            if python_places.UPLOADS.search(named.path) or re.search(r"(?i)dir|folder|path|root", name):
                yield 0, named, line
        elif node.type == "call" and takes:
            called, listed = node.children[0], node.child_by_field_name("arguments")
            if listed is None or not re.search(r"^open$|^aiofiles\.open$", source.text(called)):
                continue
            text = source.text(listed)
            if re.search(r"['\"][wxa]b\+?['\"]", text) and listed.named_children:
                place = reader.place(path, listed.named_children[0])
                if place is not None and python_places.UPLOADS.search(f"{place.path}{place.env}"):
                    yield 1, place, line


def _node(code: Code, base: str) -> Iterator[tuple[str, str, Evidence]]:
    inside = base + "/" if base else ""
    readers: dict[str, node_places.Reader] = {}
    for source in code.having(SCRIPTS, *_TAKES_NODE, b"UploadedFile", b"Interceptor("):
        suffix = SUFFIXES.get(posixpath.splitext(source.file)[1])
        if source.file.startswith(inside) and suffix is not None and len(readers) < _PARSED:
            path = source.file.removeprefix(inside)
            try:
                readers[path] = node_places.Reader(JavaScriptSource(source.data, suffix), path)
            except NotUnderstood:
                continue
    found = [
        (p, reader) for reader in readers.values() for p in candidates({reader.file: reader}, written=True)
    ]
    found.sort(key=lambda each: len(each[0].path))
    envs = {p.env: p for p, _ in found if p.env and p.path}
    for place, reader in found:
        wanted = envs.get(place.env, place) if not place.path else place
        root = node_places.uploads_folder([wanted], ())
        if root is None or root.path in ("", ".", "/tmp") or root.path.startswith(("/tmp/", "..")):  # noqa: S108 (a name)
            continue
        last = (root.env or posixpath.basename(root.path)).encode()
        data = reader.source.data
        line = data.count(b"\n", 0, max(data.find(last), 0)) + 1
        yield root.path, root.env, Evidence(inside + reader.file, line)


_WRITES = re.compile(
    r"open\([^)\n]*['\"][wxa]b\+?['\"]|\.write_bytes\(|(?:file|upload|image|photo|f)\w*\.save\(\s*[^)\s]|copyfileobj\("
)


def unknown(code: Code, framework: Framework) -> Evidence | None:
    """Where the app writes an upload to a disk; None where it does not, or keeps files elsewhere."""
    base = framework.path + "/" if framework.path not in ("", ".") else ""
    if framework.name in ("flask", "fastapi"):
        for source in code.having(PYTHON, *_TAKES_PYTHON[:2]):
            text = source.text
            match = _WRITES.search(text) if source.file.startswith(base) else None
            if match is not None and not re.search(r"boto3|cloudinary|google\.cloud|minio|tempfile", text):
                return source.at(match.start(), text)
        return None
    for source in code.having(SCRIPTS, b"diskStorage("):
        if source.file.startswith(base):
            text = source.text
            return source.at(text.find("diskStorage("), text)
    return None
