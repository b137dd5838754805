"""Which files git tracks, from its index. Git itself is not run.

Format: https://git-scm.com/docs/index-format, versions 2 and 3 (4 compresses names and is passed over).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_ENTRY = 62  # bytes before an entry's name
_EXTENDED = 0x4000


_PLACEHOLDERS = (b".gitkeep", b".keep", b".gitignore")


@dataclass(frozen=True, slots=True)
class Index:
    """The tracked files, by their path from the project's root (forward slashes)."""

    names: frozenset[bytes]

    def under(self, path: str) -> int:
        """How many tracked files are `path` or lie below it, but for files that only keep a folder."""
        wanted = path.encode()
        if wanted in self.names:
            return 1
        below = wanted + b"/"
        return sum(1 for n in self.names if n.startswith(below) and not n.endswith(_PLACEHOLDERS))

    def holds(self, path: str) -> bool:
        """Whether git tracks this file."""
        return path.encode() in self.names


def read(root: Path) -> Index:
    """The index of the repository that holds `root`."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            inside = root.relative_to(folder).as_posix()
            prefix = b"" if inside == "." else inside.encode() + b"/"
            names = _names(folder / ".git" / "index")
            own = frozenset(n[len(prefix) :] for n in names if n.startswith(prefix))
            return Index(own)
    return Index(frozenset())


def _names(index: Path) -> list[bytes]:
    try:
        data = index.read_bytes()
    except OSError:
        return []
    if data[:4] != b"DIRC" or int.from_bytes(data[4:8], "big") not in (2, 3):
        return []
    names: list[bytes] = []
    at = 12
    for _ in range(int.from_bytes(data[8:12], "big")):
        flags = int.from_bytes(data[at + 60 : at + 62], "big")
        start = at + _ENTRY + (2 if flags & _EXTENDED else 0)
        end = data.find(b"\0", start)
        if end < 0:
            break
        names.append(data[start:end])
        at += (end - at + 8) // 8 * 8
    return names
