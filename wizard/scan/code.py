"""The project's own code as text, within bounds, so that a scan stays quick whatever it is pointed at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.model import Evidence
from wizard.scan.tree import Tree

MAX_FILES = 4_000
MAX_FILE_BYTES = 400_000
MAX_BYTES = 24_000_000
SCRIPTS = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")
PYTHON = (".py",)


@dataclass(frozen=True, slots=True)
class Source:
    """A file and its bytes. `file` is relative to the project's root, `suffix` as `.py`, in lower case."""

    file: str
    data: bytes
    suffix: str

    @property
    def text(self) -> str:
        return self.data.decode("utf-8-sig", "replace")

    def at(self, position: int, text: str) -> Evidence:
        """The place of `position` in `text`, which is this file's."""
        return Evidence(self.file, text.count("\n", 0, position) + 1)


@dataclass(frozen=True)
class Code:
    """What was read. `complete` is False where the bounds left files out: those farthest from the root."""

    tree: Tree
    sources: tuple[Source, ...]
    environment: tuple[Source, ...]
    complete: bool

    def having(self, suffixes: tuple[str, ...], *hints: bytes) -> Iterator[Source]:
        """The files with one of `suffixes` that hold one of `hints`; a search for plain bytes is cheap."""
        for source in self.sources:
            if source.suffix in suffixes:
                for hint in hints:
                    if hint in source.data:
                        yield source
                        break


def read(tree: Tree) -> Code:
    """Read the tree's code, nearest to the root first. Nothing is run."""
    sources: list[Source] = []
    left, complete = MAX_BYTES, True
    for file in tree.code:
        if len(sources) >= MAX_FILES or left <= 0:
            complete = False
            break
        data = _bytes(tree, file)
        if data and not (file.endswith(SCRIPTS) and _generated(data)):
            sources.append(Source(file, data, file[file.rfind(".") :].lower()))
            left -= len(data)
    environment = tuple(Source(f, d, ".env") for f in tree.environment[:50] if (d := _bytes(tree, f)))
    return Code(tree, tuple(sources), environment, complete)


def _generated(data: bytes) -> bool:
    """Whether a script was put together by a tool: few lines, very long ones."""
    return len(data) > 8_000 and data.count(b"\n") * 250 < len(data)


def _bytes(tree: Tree, file: str) -> bytes:
    """The file's bytes; none where it is larger than a person writes, or cannot be read."""
    try:
        with open(os.path.join(tree.root, file), "rb", buffering=0) as stream:  # noqa: PTH118, PTH123 (each file)
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError:
        return b""
    return data if len(data) <= MAX_FILE_BYTES else b""
